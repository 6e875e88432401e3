"""The confirm link: its page shows, its button acts, and both answer with the same status."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from subscriptions.actions.leave import Withdrawal, leave
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Event
from tests.builders import ANNE, BART, NEWS, World, rows_of_every_table
from tests.read_mails import timed
from tests.support.cases import BY_DAY_ON_SQLITE

pytestmark = BY_DAY_ON_SQLITE

DAY = timedelta(hours=24)


def mailed(world: World) -> str:
    world.sign_up(ANNE, name="Anne")
    return world.confirm_link(ANNE)


def waiting(world: World) -> str:
    return mailed(world)


def subscribed(world: World) -> str:
    link = mailed(world)
    world.post(link)
    return link


def too_late(world: World) -> str:
    link = mailed(world)
    world.clock.forward(hours=24)
    return link


def blocked(world: World) -> str:
    link = too_late(world)
    assert world.block() == 1
    return link


def unsubscribed_since(world: World) -> str:
    link = subscribed(world)
    world.post(world.leave_link(ANNE))
    return link


def bounced_since(world: World) -> str:
    link = subscribed(world)
    [subscription] = world.subscriptions()
    leave(subscription.key, None, Withdrawal(Event.BOUNCE, Channel.RELAY, "550"), world.clock.now(), world.parts.policy)
    return link


def disowned(world: World) -> str:
    link = mailed(world)
    world.post(world.not_me_link(ANNE))
    return link


def purged(world: World) -> str:
    link = mailed(world)
    world.clock.forward(days=30)
    world.run("purge")
    return link


def due_to_be_purged(world: World) -> str:
    link = mailed(world)
    world.clock.forward(days=30)
    return link


def never_there(world: World) -> str:
    return world.parts.links.confirm_url(b"\0" * 16)


def expired(world: World) -> str:
    link = mailed(world)
    world.clock.forward(days=64)
    return link


STANDINGS: dict[Callable[[World], str], tuple[int, bool]] = {
    waiting: (200, False), subscribed: (200, False), too_late: (410, True), blocked: (410, True),
    unsubscribed_since: (410, True), bounced_since: (410, True), disowned: (410, False), purged: (410, False),
    due_to_be_purged: (410, False), never_there: (410, False), expired: (410, False),
}  # fmt: skip
EACH = pytest.mark.parametrize("standing", STANDINGS, ids=lambda one: one.__name__)


@EACH
def test_a_page_answers_like_its_button(world: World, standing: Callable[[World], str]) -> None:
    link = standing(world)
    status, _ = STANDINGS[standing]
    assert [world.get(link).status_code, world.client.head(link).status_code] == [status, status]
    assert [world.post(link).status_code, world.post(link).status_code] == [status, status]


@EACH
def test_a_fresh_mail_is_offered_where_a_row_is_left(world: World, standing: Callable[[World], str]) -> None:
    link = standing(world)
    assert ("/again" in world.get(link).text) is STANDINGS[standing][1]
    assert ("/again" in world.post(link).text) is STANDINGS[standing][1]


@EACH
def test_looking_at_the_page_changes_nothing(world: World, standing: Callable[[World], str]) -> None:
    link = standing(world)
    before = rows_of_every_table(), [one.state for one in world.registrations()]
    for headers in ({}, {"Sec-Purpose": "prefetch"}, {"User-Agent": "scanner"}, {"Accept": "image/*"}):
        world.get(link, headers=headers)
        world.client.head(link, headers=headers)
        world.client.options(link, headers=headers)
    assert (rows_of_every_table(), [one.state for one in world.registrations()]) == before


@EACH
def test_nothing_but_a_waiting_link_opens_a_subscription(world: World, standing: Callable[[World], str]) -> None:
    link = standing(world)
    before = len(world.subscriptions())
    world.post(link)
    world.post(f"{link}/")
    assert len(world.subscriptions()) == before + (standing is waiting)


@pytest.mark.parametrize(("age", "status"), [(DAY - timedelta(seconds=1), 200), (DAY, 410)])
def test_the_button_works_until_the_last_second_of_24_hours(world: World, age: timedelta, status: int) -> None:
    link = mailed(world)
    world.clock.forward(seconds=age.total_seconds())
    assert (world.get(link).status_code, world.post(link).status_code) == (status, status)
    assert len(world.subscriptions()) == (status == 200)


def test_both_halves_of_the_evidence_are_four_separate_values(world: World) -> None:
    world.sign_up(ANNE, remote_addr="192.0.2.1")
    link, asked = world.confirm_link(ANNE), world.clock.now()
    confirmed = world.clock.forward(hours=2)
    world.post(link, environ_base={"REMOTE_ADDR": "2001:db8::2"})
    halves = {one.fact: (one.at, one.ip) for one in world.evidence()}
    assert halves["registered"] == (asked, "192.0.2.1")
    assert halves["confirmed"] == (confirmed, "2001:db8::2")
    [subscription] = world.subscriptions()
    assert (subscription.registered_at, subscription.confirmed_at) == (asked, confirmed)


def test_a_second_press_overwrites_no_evidence(world: World) -> None:
    link = subscribed(world)
    before = [(one.fact, one.at, one.ip) for one in world.evidence()]
    world.clock.forward(hours=30)
    answer = world.post(link, environ_base={"REMOTE_ADDR": "192.0.2.99"})
    assert "You are subscribed" in answer.text
    assert [(one.fact, one.at, one.ip) for one in world.evidence()] == before


def test_who_is_subscribed_finds_the_way_out_on_the_page(world: World) -> None:
    found = re.search(r'href="(/unsubscribe/[^"]+)"', world.get(subscribed(world)).text)
    assert found is not None
    assert world.post(found[1]).status_code == 200
    assert world.subscriptions()[0].state == "unsubscribed"


def test_the_page_shows_what_is_agreed_to_until_when_and_the_way_back(world: World) -> None:
    page = world.get(waiting(world)).text
    assert ANNE in page and timed("24 November 2026, 12:00 (UTC)") in page
    assert world.parts.catalogue.configured[0].name in page and "/not-me/" in page
    assert page.count("<button") == 1


def test_a_link_years_later_still_says_that_one_is_subscribed(world: World) -> None:
    link = subscribed(world)
    world.clock.forward(days=800)
    assert (world.get(link).status_code, world.post(link).status_code) == (200, 200)
    assert "You are subscribed" in world.get(link).text


def test_a_clock_a_little_behind_the_senders_refuses_nobody(world: World) -> None:
    link = mailed(world)
    world.clock.forward(seconds=-2)
    assert world.post(link).status_code == 200


@pytest.mark.parametrize("standing", [too_late, blocked, unsubscribed_since], ids=lambda one: one.__name__)
def test_again_is_a_fresh_registration_with_a_clock_of_its_own(world: World, standing: Callable[[World], str]) -> None:
    link = standing(world)
    world.clock.forward(minutes=15)
    answer = world.post(f"{link}/again")
    assert answer.status_code == 303 and answer.location.startswith(f"/subscribe/{NEWS}/check-inbox?r=")
    fresh = world.registrations()[-1]
    assert (fresh.address, fresh.name, fresh.registered_at) == (ANNE, "Anne", world.clock.now())
    assert world.post(world.confirm_link(ANNE)).status_code == 200


@pytest.mark.parametrize("standing", [purged, due_to_be_purged, disowned, never_there, expired])
def test_again_brings_nobody_back_who_is_gone(world: World, standing: Callable[[World], str]) -> None:
    link = standing(world)
    before = [one.id for one in world.registrations()]
    assert world.post(f"{link}/again").status_code == 410
    assert [one.id for one in world.registrations()] == before


def test_again_stays_within_the_budget(world: World) -> None:
    link = too_late(world)
    for _ in range(3):
        assert world.post(f"{link}/again").status_code == 303
    assert len(world.mails(ANNE)) == 2


def test_a_later_registration_prolongs_no_earlier_link(world: World) -> None:
    first = mailed(world)
    world.clock.forward(hours=23)
    world.sign_up(ANNE)
    second = world.confirm_link(ANNE)
    world.clock.forward(hours=1)
    assert (world.post(first).status_code, world.post(second).status_code) == (410, 200)


def test_both_links_work_until_one_is_used_and_then_say_the_same(world: World) -> None:
    first = mailed(world)
    world.clock.forward(minutes=15)
    world.sign_up(ANNE)
    assert (world.post(world.confirm_link(ANNE)).status_code, world.post(first).status_code) == (200, 200)
    assert len(world.subscriptions()) == 1


def test_a_forged_link_is_not_found(world: World) -> None:
    link, other = mailed(world), world.leave_link(BART)
    token = link.rpartition("/")[2]
    forged = [
        token[:-1],
        token + "x",
        token[::-1],
        other.rpartition("/")[2],
        "x",
        "%00",
        "a" * 300,
        token.replace(".", "..", 1),
    ]
    for path in [f"/confirm/{one}{end}" for one in forged for end in ("", "/again")]:
        assert world.post(path).status_code == 404
        assert path.endswith("again") or world.get(path).status_code == 404
    assert world.subscriptions() == []
