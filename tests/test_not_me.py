""" "This was not me": the button, a mail program's one-click, and the undo."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from subscriptions.store import suppressions
from subscriptions.store.engine import reading
from tests.builders import ANNE, NEWS, OFFERS, World, rows_of_every_table
from tests.support.cases import BY_DAY_ON_SQLITE, crossed
from tests.test_unsubscribe import SHAPES

pytestmark = BY_DAY_ON_SQLITE

ONE_CLICK: dict[str, Any] = {"data": {"List-Unsubscribe": "One-Click"}}
MULTIPART: dict[str, Any] = ONE_CLICK | {"content_type": "multipart/form-data"}
PRESSES: dict[str, dict[str, Any]] = {"button": {}, "one-click": ONE_CLICK, "one-click in multipart": MULTIPART}
PRESS = pytest.mark.parametrize("press", PRESSES)


def pending(world: World) -> None:
    """As it was made."""


def blocked(world: World) -> None:
    world.clock.forward(hours=24)
    world.block()


def overdue(world: World) -> None:
    world.clock.forward(hours=24)


def confirmed(world: World) -> None:
    world.post(world.confirm_link(ANNE))


def left(world: World) -> None:
    confirmed(world)
    world.post(world.leave_link(ANNE))


def purged(world: World) -> None:
    world.clock.forward(days=30)
    world.run("purge")


STATES = [pending, blocked, overdue, confirmed, left, purged]
EACH = pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)


def mailed(world: World, state: Callable[[World], None] = pending) -> str:
    world.sign_up(ANNE)
    link = world.not_me_link(ANNE)
    state(world)
    return link


def scopes(world: World) -> list[tuple[str, bool, bool]]:
    """Of what stands against the address now: scope, for one list only, for good."""
    with reading() as session:
        return [
            (one.scope, one.list_id is not None, one.until is None)
            for one in suppressions.all_active(session, world.clock.now())
        ]


def mails_after(world: World, slug: str = NEWS) -> int:
    """How many mails one more sign-up causes, the budget open."""
    world.clock.forward(days=1)
    before = len(world.mails(ANNE))
    world.sign_up(ANNE, slug)
    return len(world.mails(ANNE)) - before


@crossed(state=STATES, press=PRESSES)
def test_a_press_is_answered_alike_in_every_state(world: World, state: Callable[[World], None], press: str) -> None:
    link = mailed(world, state)
    answers = [world.post(link, **PRESSES[press]), world.post(f"{link}/", **PRESSES[press])]
    assert [one.status_code for one in answers] == [200, 200]
    assert all("/undo" in one.text for one in answers)


@EACH
def test_looking_at_the_page_changes_nothing(world: World, state: Callable[[World], None]) -> None:
    link = mailed(world, state)
    before = rows_of_every_table()
    assert (world.get(link).status_code, world.client.head(link).status_code) == (200, 200)
    assert world.get(f"{link}/undo").status_code == 405
    assert rows_of_every_table() == before


@crossed(state=[pending, blocked, overdue], press=PRESSES)
def test_what_was_not_confirmed_is_erased(world: World, state: Callable[[World], None], press: str) -> None:
    world.post(mailed(world, state), **PRESSES[press])
    assert (world.registrations(), world.evidence(), world.subscriptions()) == ([], [], [])


@PRESS
def test_what_was_confirmed_ends_as_unsubscribed_with_its_evidence(world: World, press: str) -> None:
    world.post(mailed(world, confirmed), **PRESSES[press])
    [subscription] = world.subscriptions()
    assert (subscription.state, subscription.ended_at) == ("unsubscribed", world.clock.now())
    facts = {one.fact: one.channel for one in world.evidence()[-2:]}
    assert facts == dict.fromkeys(("disowned", "unsubscribed"), "button" if press == "button" else "one-click")


@EACH
def test_the_button_asks_no_more_for_good_and_for_every_list(world: World, state: Callable[[World], None]) -> None:
    world.post(mailed(world, state))
    assert scopes(world) == [("confirmations", False, True)]
    assert (mails_after(world, NEWS), mails_after(world, OFFERS)) == (0, 0)
    world.clock.forward(days=400)
    assert mails_after(world) == 0


@EACH
def test_one_click_asks_no_more_for_this_list_for_thirty_days(world: World, state: Callable[[World], None]) -> None:
    world.post(mailed(world, state), **ONE_CLICK)
    assert scopes(world) == [("confirmations", True, False)]
    assert (mails_after(world, NEWS), mails_after(world, OFFERS)) == (0, 1)
    world.clock.forward(days=28)
    assert mails_after(world) == 1


@pytest.mark.parametrize("shape", [one for one in SHAPES if one != "the button"])
def test_whatever_is_not_the_form_of_our_page_is_the_weaker_act(world: World, shape: str) -> None:
    answer = world.post(mailed(world), **SHAPES[shape])
    assert (answer.status_code, scopes(world)) == (200, [("confirmations", True, False)])
    assert "For 30 days, nobody can make us send" in answer.text


def test_the_form_of_the_page_says_that_it_is_one(world: World) -> None:
    link = mailed(world, confirmed)
    told = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)">', world.get(link).text))
    answer = world.post(link, data=told)
    assert scopes(world) == [("confirmations", False, True)] and "Nobody can make us send" in answer.text
    disowned = next(one for one in world.evidence() if one.fact == "disowned")
    assert (disowned.channel, disowned.details) == ("button", {"by": "the page's form"})


def test_one_click_lasts_to_the_last_second_of_thirty_days(world: World) -> None:
    world.post(mailed(world), **ONE_CLICK)
    world.clock.forward(days=30, seconds=-1)
    assert len(scopes(world)) == 1
    world.clock.forward(seconds=1)
    assert scopes(world) == []


def test_a_second_one_click_prolongs_nothing(world: World) -> None:
    link = mailed(world)
    world.post(link, **ONE_CLICK)
    world.clock.forward(days=20)
    world.post(link, **ONE_CLICK)
    world.clock.forward(days=10)
    assert scopes(world) == []


@PRESS
def test_another_list_of_the_same_person_stays(world: World, press: str) -> None:
    world.subscribe(ANNE, OFFERS)
    world.post(mailed(world), **PRESSES[press])
    assert [one.state for one in world.subscriptions()] == ["confirmed"]


@PRESS
def test_no_mail_leaves_that_still_waited(world: World, press: str) -> None:
    link = mailed(world)
    world.sign_up(ANNE, OFFERS)
    world.post(link, **PRESSES[press])
    world.clock.forward(minutes=15)
    assert len(world.mails(ANNE)) == (0 if press == "button" else 1)


def undo(world: World, link: str) -> TestResponse:
    return world.post(f"{link}/undo")


@crossed(state=STATES, press=PRESSES)
def test_the_undo_lifts_what_this_link_has_set(world: World, state: Callable[[World], None], press: str) -> None:
    link = mailed(world, state)
    world.post(link, **PRESSES[press])
    assert (undo(world, link).status_code, undo(world, f"{link}/undo/..").status_code) == (200, 404)
    assert scopes(world) == [] and mails_after(world) == 1


def test_the_undo_brings_no_subscription_back(world: World) -> None:
    link = mailed(world, confirmed)
    world.post(link)
    undo(world, link)
    assert [one.state for one in world.subscriptions()] == ["unsubscribed"]


def test_the_undo_lifts_nothing_that_another_link_has_set(world: World) -> None:
    first = mailed(world)
    world.clock.forward(minutes=15)
    second = mailed(world)
    world.post(first)
    assert (undo(world, second).status_code, scopes(world)) == (200, [("confirmations", False, True)])
    assert (undo(world, first).status_code, scopes(world)) == (200, [])


def test_the_undo_of_nothing_is_a_success_that_stores_nothing(world: World) -> None:
    link = mailed(world)
    before = rows_of_every_table()
    assert (undo(world, link).status_code, rows_of_every_table()) == (200, before)


def test_the_confirm_link_of_a_disowned_sign_up_is_dead(world: World) -> None:
    world.sign_up(ANNE)
    confirm, not_me = world.confirm_link(), world.not_me_link()
    world.post(not_me)
    undo(world, not_me)
    assert (world.post(confirm).status_code, world.subscriptions()) == (410, [])


def test_the_confirmation_mail_names_this_link_for_one_click(world: World) -> None:
    world.sign_up(ANNE)
    [mail] = world.mails(ANNE)
    assert mail["List-Unsubscribe"] == f"<{world.not_me_link()}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_forged_link_is_not_found(world: World) -> None:
    token = mailed(world).rpartition("/")[2]
    for forged in (token[1:], token[:-1], token.swapcase(), "x", "%00", token + "/x"):
        assert [world.post(f"/not-me/{forged}{end}").status_code for end in ("", "/undo")] == [404, 404]
    assert (len(world.registrations()), scopes(world)) == (1, [])
