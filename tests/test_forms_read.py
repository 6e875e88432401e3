"""What a form says, as the intake reads it: a sign-up, or what is wrong with which field."""

from dataclasses import replace

import pytest
from werkzeug.datastructures import MultiDict

from subscriptions.actions.subscribe import ListChoice, SignUp
from subscriptions.domain.address import parse
from subscriptions.store.models import List
from subscriptions.web.http.problem import Problem
from subscriptions.web.intake.fields import shown_fields
from subscriptions.web.intake.parse import carried, from_form, taken
from tests.builders import ANNE, NEWS, OFFERS, World
from tests.several import EVENTS, world

__all__ = ["world"]
pytestmark = pytest.mark.parametrize("database", ["sqlite"])  # nothing of it is stored

Fields = list[tuple[str, str]]
NO_SUCH_LIST = Problem("lists", "One of these lists does not exist. Please reload the form.")
NONE_CHOSEN = Problem("lists", "Please choose at least one list.")
NO_SIGN = Problem("email", "The @ sign is missing. An email address looks like name@example.org.", code="no_at")
NOT_ITS = "This consent text does not belong to this list. Please reload the form."
NO_TAG = Problem("locale", 'The locale must be a language tag such as "en" or "de-AT".')


def row_of(world: World, slug: str = NEWS) -> List:
    row = world.parts.catalogue.by_slug(slug)
    assert row is not None
    return row


def chosen(world: World, slug: str, field: str) -> ListChoice:
    """With the wording that is in force."""
    row = row_of(world, slug)
    return ListChoice(row, world.parts.catalogue.wordings[row.wording_id], field=field)


def read(world: World, fields: Fields, slug: str | None = NEWS, locale: str | None = None) -> SignUp | list[Problem]:
    row = row_of(world, slug) if slug else None
    return from_form(MultiDict([("email", ANNE), *fields]), row, world.parts.catalogue, locale)


def test_a_form_of_one_list_says_all_that_a_sign_up_holds(world: World) -> None:
    filled = [("name", " Anne E. "), ("given_name", "Anne"), ("company", "Club"), ("salutation", " "), ("other", "x"),
              ("locale", "de-AT"), ("wording", row_of(world).wording_id), ("ip", "192.0.2.1"), ("altcha", "x"),
              ("lists", OFFERS)]  # fmt: skip
    assert read(world, filled) == SignUp(
        parse(ANNE), (chosen(world, NEWS, "wording"),), "Anne E.", "de-AT", {"given_name": "Anne", "company": "Club"},
        {"ip": "192.0.2.1"}, "x",
    )  # fmt: skip
    assert read(world, []) == SignUp(
        parse(ANNE), (replace(chosen(world, NEWS, "wording"), vouched=False),), None, "en", None, {}, ""
    )


def test_a_form_of_several_lists_says_which_and_the_wording_beside_each(world: World) -> None:
    ids = [(f"wording-{slug}", row_of(world, slug).wording_id) for slug in (NEWS, EVENTS)]
    lists = tuple(chosen(world, slug, f"wording-{slug}") for slug in (NEWS, EVENTS))
    assert read(world, [("lists", EVENTS), ("lists", NEWS), *ids], None) == SignUp(parse(ANNE), lists, None, "en", None)


def test_the_locale_is_the_forms_own_or_the_pages_or_the_lists(world: World) -> None:
    found = [read(world, [("locale", own)], NEWS, usual) for own, usual in (("fr", "es"), ("", "es"), ("", None))]
    assert [said.locale for said in found if isinstance(said, SignUp)] == ["fr", "es", "en"]


def twice(name: str) -> Problem:
    return Problem(name, "The field %(name)s was sent more than once.", {"name": name})


WRONG: list[tuple[Fields, str | None, list[Problem]]] = [
    ([], None, [NONE_CHOSEN]),
    ([("lists", "nowhere")], None, [NO_SUCH_LIST]),
    ([("lists", NEWS), ("lists", "nowhere")], None, [NO_SUCH_LIST]),
    ([("lists", NEWS), ("lists", NEWS)], None, [NO_SUCH_LIST]),
    *(([(name, "x"), (name, "x")], NEWS, [twice(name)]) for name in ("locale", "name", "company", "wording")),
    ([("email", ANNE), ("name", "x"), ("name", "x")], NEWS, [twice("email")]),
    ([("lists", EVENTS), ("wording-events", "x"), ("wording-events", "x")], None, [twice("wording-events")]),
    ([("wording", "x"), ("locale", "x y")], NEWS, [NO_TAG, Problem("wording", NOT_ITS)]),
    ([("lists", EVENTS), ("wording-events", "x")], None, [Problem("wording-events", NOT_ITS)]),
    ([("name", "x" * 101)], NEWS,
     [Problem("name", "%(label)s: at most %(most)d characters.", {"label": "Name", "most": 100})]),
    ([("company", "x\x00y")], NEWS,
     [Problem("company", "%(label)s: it contains a character that is not allowed.", {"label": "Company or club"})]),
]  # fmt: skip


def test_each_mistake_is_told_at_its_field(world: World) -> None:
    assert [(fields, slug, read(world, fields, slug)) for fields, slug, _ in WRONG] == WRONG


def test_a_wrong_address_is_told_beside_what_else_is_wrong(world: World) -> None:
    form = MultiDict([("email", "anne"), ("locale", "x y")])
    assert from_form(form, row_of(world), world.parts.catalogue) == [NO_SIGN, NO_TAG]
    assert from_form(form, None, world.parts.catalogue) == [NONE_CHOSEN, NO_SIGN]


def test_a_form_that_comes_again_carries_what_was_filled_and_vouched_for(world: World) -> None:
    names = ["wording-newsletter", "email", "locale", "lang", "return_url", "lists", "wording", "hint_seen", "name",
             "company", "lists"]  # fmt: skip
    others = ["website", "t", "step", "altcha", "use", "ip", "wording-events"]
    form = MultiDict([(name, str(number)) for number, name in enumerate([*names, *others])])
    assert sorted(carried(form, [row_of(world)])) == sorted(zip(names, map(str, range(11)), strict=True))


def test_a_program_is_told_the_lists_in_the_member_by_which_it_named_them(world: World) -> None:
    one = SignUp(parse(ANNE), (chosen(world, NEWS, "wording"),), None, "en")
    many = one._replace(lists=(chosen(world, NEWS, "wordings"), chosen(world, EVENTS, "wordings")))
    waits = {"status": "pending_confirmation", "registration": "handle"}
    assert [taken(one, "handle"), taken(many, "handle")] == [
        {**waits, "list": NEWS},
        {**waits, "lists": [NEWS, EVENTS]},
    ]


def test_the_address_of_a_form_may_name_its_fields_in_either_way_and_shows_all_where_it_names_none(
    world: World,
) -> None:
    rows = [row_of(world), row_of(world, EVENTS)]
    every = ("name", "salutation", "given_name", "family_name", "company: Company or club")
    asked: dict[str, Fields] = {
        "none": [], "nothing": [("fields", "")], "one after the other": [("fields", "company"), ("fields", "name")],
        "between commas": [("fields", "company,,name,nothing")], "unknown": [("fields", "nothing")],
    }  # fmt: skip
    assert {how: shown_fields(rows, MultiDict(query)) for how, query in asked.items()} == {
        "none": every, "nothing": every, "one after the other": (every[0], every[4]),
        "between commas": (every[0], every[4]), "unknown": (),
    }  # fmt: skip
