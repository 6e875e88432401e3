"""Voluntary fields: visibly optional, and each says what it is used for (F-10 … F-12, B-06)."""

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape

import pytest
from flask import Flask

from subscriptions.actions import erase
from subscriptions.cli.explain import story
from subscriptions.domain import fields as rows
from subscriptions.domain.fields import Field, field_of, field_stored, fields_of, greeted_by, told_by, whole_name
from subscriptions.store.models import List
from subscriptions.web.intake.fields import texts_of
from tests.builders import ANNE, LISTS, NEWS, OFFERS, World, bearer, text_of
from tests.conftest import ManualClock
from tests.preferences import Page
from tests.several import EVENTS, ask_by_form, world
from tests.typed import ask_again, handle_of

__all__ = ["world"]

TOLD = {"salutation": "Dr.", "given_name": "Anne", "family_name": "Example", "company": "Club of Examples"}


@pytest.mark.parametrize(
    ("name", "fields", "greeting"),
    [
        (None, {"salutation": "Ms", "given_name": "Anne", "family_name": "Example"}, "Ms Example"),
        (None, {"given_name": "Anne", "family_name": "Example"}, "Anne"),
        ("Anne E.", {"family_name": "Example"}, "Anne E."),
        (None, {"salutation": "Ms"}, None),
        (None, {"family_name": "Example"}, None),
        (None, {"company": "Club"}, None),
        ("Anne", {"salutation": "http://evil.example", "family_name": "Example"}, "Anne"),
        (None, {"salutation": "Ms", "family_name": "<b>", "given_name": "Win 1 BTC"}, None),
        ("Anne", {"salutation": "x" * 40, "family_name": "y" * 40}, "Anne"),
        ("Anne", None, "Anne"),
        (None, None, None),
        ("Anna Maria Josefa Theresia", None, "Anna Maria Josefa Theresia"),
        ("Anna Maria Josefa Theresia Walburga", None, "Anna Maria Josefa Theresia"),
        ("x" * 40, None, "x" * 40),
        ("Anne " + "x" * 36, None, "Anne"),
        ("x" * 41, None, None),
        ("Anne", {"salutation": "Dr.", "family_name": "Freifrau von und zu Example"}, "Anne"),
    ],
)
def test_people_are_greeted_by_the_first_that_is_there_and_harmless(
    name: str | None, fields: dict[str, str] | None, greeting: str | None
) -> None:
    told = told_by(name, fields)
    assert (greeted_by(told) % told or None) == greeting


def test_the_whole_name_is_put_together_where_only_its_parts_were_told() -> None:
    parts = {"given_name": "Anne", "family_name": "Example"}
    assert [whole_name("A. E.", parts), whole_name(None, parts), whole_name(None, {})] == [
        "A. E.",
        "Anne Example",
        None,
    ]


def test_a_field_of_ones_own_has_the_label_of_the_configuration() -> None:
    [known, own] = fields_of("given_name", "company: Company or club")
    assert (known.label, known.autocomplete, known.is_own) == ("First name", "given-name", False)
    assert (own.key, own.label, own.autocomplete, own.is_own) == ("company", "Company or club", "off", True)


def test_a_field_that_no_list_asks_for_any_more_goes_by_its_key() -> None:
    assert field_stored("company") == Field("company", "company", purpose=rows.UNSAID, is_own=True)
    assert field_stored("name") == field_of("name") == Field("name", "Name", "name")


def test_lists_with_a_field_of_the_same_key_share_it_on_their_form() -> None:
    one, other = List(fields=["name", "company: Company"]), List(fields=["company: Club", "given_name"])
    assert texts_of([one, other]) == ["name", "company: Company", "given_name"]


def test_a_form_of_lists_that_name_a_field_differently_asks_for_it_once(
    make_app: Callable[..., Flask], clock: ManualClock
) -> None:
    lists = (replace(LISTS[0], fields=("company: Company",)), replace(LISTS[1], fields=("company: Club",)))
    app = make_app(lists=lists)
    with app.app_context():
        world = World(app, app.test_client(), clock)
        page = world.get(f"/subscribe?lists={NEWS},{OFFERS}").text
        assert re.findall(r'<label for="company-several">([^<]+) <span', page) == ["Company"]
        form = world.get(f"/api/v1/lists/{NEWS}/form?lists={OFFERS}").get_json()
        assert [field["name"] for field in form["fields"]] == ["email", "company"]


def test_the_form_shows_the_fields_of_its_list_each_with_its_token_and_marked_optional(world: World) -> None:
    page = world.get(f"/subscribe/{NEWS}").text
    found = re.findall(r'<label for="(\w+)-newsletter">([^<]+) <span class="need">\((\w+)\)', page)
    assert found == [
        ("email", "Email address", "required"), ("name", "Name", "optional"), ("salutation", "Title", "optional"),
        ("given_name", "First name", "optional"), ("family_name", "Last name", "optional"),
        ("company", "Company or club", "optional"),
    ]  # fmt: skip
    tokens = re.findall(r'name="(\w+)" value="" autocomplete="([\w-]+)"', page)
    assert dict(tokens) == {
        "email": "email", "name": "name", "salutation": "honorific-prefix", "given_name": "given-name",
        "family_name": "family-name", "company": "off",
    }  # fmt: skip
    assert page.count(" required") == 1


NAMES_ALONE = "We use it to address you, and for nothing else."
CLUBS = "We send clubs <their> own news."


def test_each_own_field_says_what_it_is_for_and_only_names_that_they_are_for_nothing_but_addressing(
    make_app: Callable[..., Flask], clock: ManualClock
) -> None:
    fields = ("team: Team", f"company: Company\n{CLUBS}")
    lists = (replace(LISTS[0], fields=fields), replace(LISTS[1], fields=(*fields, "name", "given_name")))
    app = make_app(lists=lists)
    with app.app_context():
        world = World(app, app.test_client(), clock)
        for slug, names in ((NEWS, 0), (OFFERS, 1)):
            data = world.get(f"/api/v1/lists/{slug}/form").get_json()
            shown = [one["name"] for one in data["fields"]]
            assert shown == ["email", *(["name", "given_name"] if names else []), "team", "company"]
            assert [one["hint"] for one in data["fields"] if one["is_own"]] == [rows.UNSAID, CLUBS]
            assert data["texts"]["about"].count(NAMES_ALONE) == names
            ways = world.get(f"/embed/{slug}").text
            snippet = unescape(ways.partition('aria-label="Snippet: plain form"')[2].partition("</pre>")[0])
            preview = ways.partition("without the styles of your site")[2].partition("</form>")[0]
            pages = (world.get(path).text for path in (f"/subscribe/{slug}", f"/embed/{slug}/frame"))
            for html in (*pages, snippet, preview):
                assert [unescape(html).count(why) for why in (rows.UNSAID, CLUBS, NAMES_ALONE)] == [1, 1, names]
        world.subscribe(ANNE, NEWS, company="Club")
        page = unescape(Page.of(world, ANNE).opened.text)
        assert rows.UNSAID in page and CLUBS in page and "to address you" not in page
        assert CLUBS in world.get("/api/v1/openapi.json").text


def test_a_list_may_ask_for_nothing_but_the_address(world: World) -> None:
    assert re.findall(r'<label for="(\w+)-offers"', world.get(f"/subscribe/{OFFERS}").text) == ["email", "website"]


def test_what_was_told_is_stored_and_greets_in_the_mail(world: World) -> None:
    world.sign_up(ANNE, NEWS, name="Anne E.", **TOLD)
    [row] = world.registrations()
    assert (row.name, row.fields) == ("Anne E.", TOLD)
    assert text_of(world.mails(ANNE)[0]).startswith("Hello Dr. Example,")
    assert "Club of Examples" not in text_of(world.mails(ANNE)[0])


def test_the_form_stores_the_same_and_a_field_of_another_list_is_not_looked_at(world: World) -> None:
    world.sign_up_by_form(ANNE, EVENTS, name="Anne", **TOLD)
    world.sign_up_by_form("bart@example.org", NEWS, **TOLD)
    assert [(row.name, row.fields) for row in world.registrations()] == [("Anne", None), (None, TOLD)]


def test_several_lists_share_what_was_told_on_their_form(world: World) -> None:
    ask_by_form(world, EVENTS, NEWS, **TOLD)
    assert [row.fields for row in world.registrations()] == [TOLD, TOLD]
    assert text_of(world.mails(ANNE)[0]).startswith("Hello Dr. Example,")


def test_another_mail_keeps_what_was_told(world: World) -> None:
    handle = handle_of(ask_by_form(world, NEWS, given_name="Anne", company="Club"))
    world.clock.forward(minutes=15)
    ask_again(world, handle)
    assert [row.fields for row in world.registrations()] == [{"given_name": "Anne", "company": "Club"}] * 2


def test_the_confirmation_copies_them_into_the_subscription(world: World) -> None:
    world.subscribe(ANNE, NEWS, **TOLD)
    [subscription] = world.subscriptions()
    assert subscription.fields == TOLD
    assert "Dr." not in str([one.details for one in world.evidence()])


@pytest.mark.parametrize("value", ["x" * 101, "Anne\nExample", "An\u2028ne"])
def test_a_field_has_the_limits_of_a_name(world: World, value: str) -> None:
    answer = world.sign_up(ANNE, NEWS, family_name=value)
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.get_json()["errors"]] == ["/family_name"]
    page = world.sign_up_by_form(ANNE, NEWS, family_name=value)
    assert page.status_code == 422
    assert 'href="#family_name-newsletter">Last name:' in page.text
    assert 'aria-describedby="error-family_name-newsletter" aria-invalid="true"' in page.text


def test_100_characters_are_not_too_many(world: World) -> None:
    assert world.sign_up(ANNE, NEWS, family_name="ü" * 100).status_code == 202


@pytest.mark.parametrize(
    ("slug", "member"), [(OFFERS, "name"), (EVENTS, "family_name"), (OFFERS, "company"), (NEWS, "fields")]
)
def test_a_member_that_the_list_does_not_have_is_unknown(world: World, slug: str, member: str) -> None:
    answer = world.sign_up(ANNE, slug, **{member: "Anne"})
    assert answer.status_code == 422
    [problem] = answer.get_json()["errors"]
    assert (problem["pointer"], problem["detail"]) == (f"/{member}", "This member is not known here.")


def test_a_field_sent_twice_or_as_a_number_is_refused(world: World) -> None:
    assert world.post(f"/subscribe/{NEWS}", data={"email": ANNE, "company": ["a", "b"]}).status_code == 422
    assert world.sign_up(ANNE, NEWS, company=1).status_code == 422
    assert world.registrations() == []


def exported(world: World, kind: str) -> str:
    return world.get(f"/api/v1/lists/{NEWS}/export?format={kind}", headers=bearer("export")).text


def test_the_fields_stand_behind_the_usual_columns_and_the_name_is_put_together(world: World) -> None:
    world.subscribe(ANNE, NEWS, **TOLD)
    head, row = csv.reader(exported(world, "csv").splitlines())
    assert head[:3] == ["email", "name", "list"] and head[6:8] == ["unsubscribe_url", "wording_id"]
    assert row[:3] == [ANNE, "Anne Example", NEWS]
    assert {key: cell for key, cell in zip(head[8:], row[8:], strict=True) if cell} == TOLD


def test_jsonl_and_the_listing_tell_every_field(world: World) -> None:
    world.subscribe(ANNE, NEWS, **TOLD)
    line = json.loads(exported(world, "jsonl"))
    assert (line["name"], line["fields"]) == (None, TOLD)
    listed = world.get(f"/api/v1/lists/{NEWS}/subscriptions", headers=bearer("read")).get_json()["subscriptions"]
    assert [(one["name"], one["fields"]) for one in listed] == [(None, TOLD)]


def test_a_list_that_has_only_a_name_is_listed_as_ever(world: World) -> None:
    world.subscribe(ANNE, EVENTS, name="Anne")
    [one] = world.get(f"/api/v1/lists/{EVENTS}/subscriptions", headers=bearer("read")).get_json()["subscriptions"]
    assert "fields" not in one


def test_an_erasure_takes_them_from_every_row(world: World) -> None:
    world.subscribe(ANNE, NEWS, **TOLD)
    key = world.subscriptions()[0].key
    erase.ask(key, world.clock.now(), world.parts.policy, "test")
    erase.finish(key, world.clock.now(), world.parts.policy)
    assert [row.fields for row in world.registrations()] == [None]
    assert [row.fields for row in world.subscriptions()] == [None]


def test_explain_names_the_fields_that_were_filled_and_not_with_what(world: World) -> None:
    world.subscribe(ANNE, NEWS, name="Anne E.", **TOLD)
    told = "\n".join(story(world.subscriptions()[0].key))
    assert told.count("Also filled in: name, salutation, given_name") == 2 and "Anne" not in told
