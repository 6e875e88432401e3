"""One form for several lists: a choice for each, a registration and evidence for each, one mail for all (L-02)."""

from collections.abc import Callable
from itertools import permutations

import pytest
from flask import Flask

from subscriptions.settings import Limits
from subscriptions.store.models import Letter
from tests.builders import ANNE, NEWS, OFFERS, Movable, World, owed, text_of
from tests.several import EVENTS, LISTS, ask, ask_by_form, evidence_of, facts, slugs_of, states, wording_of, world
from tests.support.cases import each

__all__ = ["world"]


def test_the_form_has_a_choice_for_each_public_list_and_none_is_made(world: World) -> None:
    page = world.get("/subscribe").text
    assert [f'name="lists" value="{slug}"' in page for slug in (NEWS, OFFERS, EVENTS, "hidden")] == [True] * 3 + [False]
    assert "checked" not in page


def test_beside_each_choice_stands_its_own_wording_and_its_id(world: World) -> None:
    page = world.get("/subscribe").text
    for slug, text in (
        (NEWS, "Yes to the newsletter."),
        (OFFERS, "Yes to the offers."),
        (EVENTS, "Yes to the events."),
    ):
        assert text in page
        assert f'name="wording-{slug}" value="{wording_of(world, slug)}"' in page


def test_the_address_of_the_page_may_name_the_lists_hidden_ones_too(world: World) -> None:
    page = world.get(f"/subscribe?lists={OFFERS},hidden").text
    assert [f'value="{slug}"' in page for slug in (OFFERS, "hidden", NEWS)] == [True, True, False]
    assert world.get("/subscribe?lists=nowhere").status_code == 404


def test_a_single_list_has_its_form_where_it_always_was(world: World) -> None:
    assert world.get(f"/subscribe?lists={OFFERS}").location.endswith(f"/subscribe/{OFFERS}")


def test_a_form_leads_to_the_inbox_and_names_what_was_chosen(world: World) -> None:
    answer = ask_by_form(world, NEWS, EVENTS)
    assert answer.status_code == 303
    page = world.get(answer.location).text
    assert "Newsletter and Events" in page
    assert "Offers" not in page


def test_each_choice_is_a_registration_of_its_own_with_its_own_evidence(world: World) -> None:
    ask_by_form(world, NEWS, EVENTS)
    rows = world.registrations()
    assert slugs_of(world, rows) == [NEWS, EVENTS]
    assert len({row.id for row in rows}) == 2
    assert len({row.ref for row in rows}) == 1
    for row, slug in zip(rows, (NEWS, EVENTS), strict=True):
        [proof] = evidence_of(world, row)
        assert (proof.fact, proof.ip) == ("registered", "203.0.113.7")
        assert proof.details["wording"] == row.wording_id == wording_of(world, slug)


def test_one_choice_of_many_is_a_sign_up_like_any_other(world: World) -> None:
    ask_by_form(world, OFFERS)
    [row] = world.registrations()
    assert slugs_of(world, [row]) == [OFFERS]


def test_nothing_chosen_is_told_at_the_choices_and_what_was_typed_is_kept(world: World) -> None:
    answer = ask_by_form(world, name="Anne Example")
    assert answer.status_code == 422
    assert 'href="#lists-several"' in answer.text
    assert 'aria-describedby="error-lists-several"' in answer.text
    assert f'value="{ANNE}"' in answer.text
    assert 'value="Anne Example"' in answer.text
    assert world.registrations() == []


def test_nothing_chosen_and_a_wrong_address_are_told_together(world: World) -> None:
    answer = ask_by_form(world, address="anne@example")
    assert [f'href="#{field}-several"' in answer.text for field in ("lists", "email")] == [True, True]


def test_a_wrong_address_keeps_what_was_ticked(world: World) -> None:
    answer = ask_by_form(world, EVENTS, address="anne@example")
    assert answer.status_code == 422
    assert answer.text.count("checked") == 1
    assert 'href="#email-several"' in answer.text


@each(
    ("body", "status", "pointers"),
    [
        ({"lists": ["newsletter", "nowhere"]}, 404, []),
        ({"lists": []}, 422, ["/lists"]),
        ({"lists": "newsletter"}, 422, ["/lists"]),
        ({"lists": [1]}, 422, ["/lists"]),
        ({"lists": ["newsletter", "newsletter"]}, 422, ["/lists"]),
        ({"lists": ["newsletter"], "list": "newsletter"}, 422, ["/list"]),
        ({"lists": ["newsletter"], "wording": "x"}, 422, ["/wording"]),
        ({"lists": ["newsletter"], "wordings": []}, 422, ["/wordings"]),
        ({"lists": ["newsletter"], "wordings": {"newsletter": 1}}, 422, ["/wordings"]),
        ({"lists": ["newsletter"], "wordings": {"newsletter": "0123456789abcdef"}}, 422, ["/wordings"]),
        ({"wordings": {}}, 422, ["/lists"]),
    ],
)
def test_a_body_that_names_its_lists_in_another_way_is_refused(
    world: World, body: dict[str, object], status: int, pointers: list[str]
) -> None:
    answer = world.post("/api/v1/subscriptions", json={"email": ANNE, **body})
    assert answer.status_code == status
    assert [one["pointer"] for one in answer.get_json().get("errors", [])] == pointers
    assert world.registrations() == []


def test_the_answer_by_json_names_the_lists_in_our_order(world: World) -> None:
    answer = ask(world, EVENTS, NEWS)
    assert (answer.status_code, answer.get_json()["lists"]) == (202, [NEWS, EVENTS])
    assert ask(world, OFFERS, address="bart@example.org").get_json()["lists"] == [OFFERS]


def test_whatever_the_order_of_the_lists_it_is_one_compiled_mail(world: World) -> None:
    orders = [*permutations((NEWS, OFFERS, EVENTS))]
    for number, order in enumerate(orders):
        (ask, ask_by_form)[number % 2](world, *order, address=f"visitor-{number}@example.org")
    mails = world.mails()
    known = sorted(slugs_of(world, world.registrations()[:3]), key=(NEWS, OFFERS, EVENTS).index)
    assert known == slugs_of(world, world.registrations()[:3]) and len(mails) == len(orders)
    assert len({one.details["template"] for one in world.evidence() if one.fact == "mailed"}) == 1
    assert world.count(Letter) == 1


def test_in_a_frame_the_page_after_the_form_names_what_was_chosen_and_no_other_list(world: World) -> None:
    frame = f"/embed/{EVENTS}/frame?lists={NEWS},{OFFERS}"
    for chosen, names in (([EVENTS, NEWS], "Newsletter and Events"), ([OFFERS], "Offers")):
        answer = world.post(frame, data={"email": ANNE, "lists": chosen})
        assert f"<strong>{names}</strong>" in world.get(answer.location).text


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"wording-events": "0123456789abcdef"}, "wording-events"),
        ({"wording-events": "offers"}, "wording-events"),
        ({"lists": "nowhere"}, "lists"),
    ],
)
def test_a_choice_that_the_form_never_offered_is_refused(world: World, fields: dict[str, str], field: str) -> None:
    if fields.get("wording-events") == "offers":
        fields = {"wording-events": wording_of(world, OFFERS)}
    answer = world.post("/subscribe", data={"email": ANNE, "lists": EVENTS, **fields})
    assert answer.status_code == 422
    assert f'href="#{field}-several"' in answer.text
    assert world.registrations() == []


def test_a_field_sent_twice_is_refused_and_so_is_a_list(world: World) -> None:
    twice = {"email": [ANNE, ANNE], "lists": EVENTS}
    assert world.post("/subscribe", data=twice).status_code == 422
    assert world.post("/subscribe", data={"email": ANNE, "lists": [EVENTS, EVENTS]}).status_code == 422
    assert world.registrations() == []


def test_the_trap_of_the_form_asks_once_more_and_the_button_goes_on_with_every_choice(world: World) -> None:
    answer = ask_by_form(world, NEWS, EVENTS, website="https://example.org")
    assert answer.status_code == 422
    assert world.registrations() == []
    assert answer.text.count('name="lists"') == 2
    assert "Newsletter and Events" in answer.text
    assert 'name="website"' not in answer.text


def test_one_mail_names_every_list_and_every_wording(world: World) -> None:
    ask(world, NEWS, OFFERS, EVENTS)
    [mail] = world.mails(ANNE)
    assert mail["Subject"] == "Please confirm: Newsletter, Offers, and Events"
    assert "List-Id" not in mail  # they are of several controllers
    for kind in ("plain", "html"):
        text = text_of(mail, kind)
        assert all(one in text for one in ("Newsletter", "Offers", "Events"))
        assert all(f"Yes to the {one}." in text for one in ("newsletter", "offers", "events"))


def test_the_mail_counts_once_in_the_budget(world: World) -> None:
    for _ in range(3):
        ask(world, NEWS, OFFERS, EVENTS)
        world.clock.forward(minutes=15)
    assert len(world.mails(ANNE)) == 3
    assert len(world.registrations()) == 9
    ask(world, NEWS, OFFERS, EVENTS)
    assert len(world.registrations()) == 9


def test_what_waits_already_is_not_asked_for_again_while_the_15_minutes_run(world: World) -> None:
    ask(world, NEWS)
    ask(world, NEWS, OFFERS)
    assert slugs_of(world, world.registrations()) == [NEWS, OFFERS]
    assert [mail["Subject"] for mail in world.mails(ANNE)] == ["Please confirm: Newsletter"]
    [waits] = owed()
    assert waits.due_at == world.clock.forward(minutes=15)
    assert world.mails(ANNE)[-1]["Subject"] == "Please confirm: Offers"


def test_what_is_subscribed_already_is_left_out_of_the_mail(world: World) -> None:
    world.subscribe(ANNE, NEWS)
    ask(world, NEWS, OFFERS, EVENTS)
    assert slugs_of(world, world.registrations()) == [NEWS, OFFERS, EVENTS]
    assert world.mails(ANNE)[-1]["Subject"] == "Please confirm: Offers and Events"


def test_where_all_is_subscribed_already_one_mail_says_so(world: World) -> None:
    for slug in (NEWS, OFFERS):
        world.subscribe(ANNE, slug)
    known = len(world.mails(ANNE))
    ask(world, NEWS, OFFERS)
    assert len(owed()) == 1
    assert [mail["Subject"] for mail in world.mails(ANNE)[known:]] == ["You are already subscribed: Newsletter"]


def test_one_mail_says_so_where_mails_are_not_limited_either(make_app: Callable[..., Flask], clock: Movable) -> None:
    app = make_app(lists=LISTS, limits=Limits(confirmations_per_address=()))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        for slug in (NEWS, OFFERS):
            world.subscribe(ANNE, slug)
        world.deliver()
        ask(world, NEWS, OFFERS)
        assert [one.mail for one in owed()] == ["already_subscribed"]


def test_a_list_for_which_this_address_is_not_to_be_asked_is_left_out(world: World) -> None:
    world.sign_up(ANNE, NEWS)
    world.post(world.not_me_link(ANNE), data={"List-Unsubscribe": "One-Click"})
    ask(world, NEWS, OFFERS, EVENTS)
    assert states(world) == {OFFERS: "pending", EVENTS: "pending"}


def test_a_list_that_is_stopped_while_the_mail_waits_is_not_named_in_it(world: World) -> None:
    world.sign_up(ANNE, EVENTS)
    older = world.not_me_link(ANNE)
    world.clock.forward(minutes=15)
    ask(world, EVENTS, OFFERS)
    world.post(older, data={"List-Unsubscribe": "One-Click"})
    assert world.mails(ANNE)[-1]["Subject"] == "Please confirm: Offers"
    assert (facts(world, EVENTS), facts(world, OFFERS)) == (["registered"], ["registered", "mailed"])
