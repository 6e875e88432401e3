"""Blocked after 24 hours, deleted after a month, by the row and the clock alone (F-01 … F-08, M-17)."""

from collections.abc import Callable

import pytest
from flask import Flask

from subscriptions.actions import sweep
from subscriptions.settings import Mail
from subscriptions.store import outbox
from subscriptions.store.engine import reading
from tests.builders import ANNE, BART, NEWS, OFFERS, Movable, Office, World, at, rows_of_every_table
from tests.support.relay import Relay

LATER = 24 * 3600


def test_a_sign_up_alone_is_nowhere_but_in_the_count(world: World) -> None:
    world.sign_up(ANNE)
    assert Office(world).listed(NEWS) == Office(world).exported(NEWS) == []
    assert Office(world).counts(NEWS) == {"pending": 1, "blocked": 0, "confirmed": 0, "unsubscribed": 0, "bounced": 0}


@pytest.mark.parametrize(("seconds", "status"), [(LATER - 1, 200), (LATER, 410), (LATER + 1, 410)])
def test_a_link_works_until_the_last_second_of_24_hours(world: World, seconds: int, status: int) -> None:
    world.sign_up(ANNE)
    link = world.confirm_link(ANNE)
    world.clock.forward(seconds=seconds)
    assert world.get(link).status_code == status
    assert world.post(link).status_code == status
    assert len(world.subscriptions()) == (status == 200)


def test_24_hours_count_from_the_registration_and_not_from_the_mail(world: World) -> None:
    world.sign_up(ANNE)
    world.clock.forward(hours=20)
    link = world.confirm_link(ANNE)
    world.clock.forward(hours=4)
    assert world.post(link).status_code == 410


def test_a_later_sign_up_prolongs_no_earlier_link(world: World) -> None:
    world.sign_up(ANNE)
    first = world.confirm_link(ANNE)
    world.clock.forward(hours=23)
    world.sign_up(ANNE)
    second = world.confirm_link(ANNE)
    world.clock.forward(hours=1)
    assert [world.post(link).status_code for link in (first, second)] == [410, 200]


def test_who_comes_too_late_is_offered_a_fresh_mail_which_confirms(world: World) -> None:
    world.sign_up(ANNE)
    link = world.confirm_link(ANNE)
    world.clock.forward(hours=25)
    assert b"/again" in world.post(link).data
    assert world.post(link + "/again").status_code == 303
    assert world.post(world.confirm_link(ANNE)).status_code == 200


def test_without_a_scheduler_a_late_one_is_counted_as_blocked(world: World) -> None:
    world.sign_up(ANNE)
    world.clock.forward(hours=24)
    assert Office(world).counts(NEWS)["blocked"] == 1
    assert Office(world).counts(NEWS)["pending"] == 0


def test_the_sweep_blocks_what_is_late_and_nothing_else(world: World) -> None:
    world.sign_up(ANNE)
    world.clock.forward(hours=1)
    world.sign_up(BART)
    world.clock.forward(hours=23)
    assert world.run("block") == 1
    assert [one.state for one in world.registrations()] == ["blocked", "pending"]
    assert world.run("block") == 0


@pytest.mark.parametrize("swept", [False, True])
def test_a_blocked_one_appears_nowhere(world: World, swept: bool) -> None:
    world.sign_up(ANNE, name="Anne")
    world.clock.forward(hours=24)
    if swept:
        world.run("block")
    assert Office(world).listed(NEWS) == Office(world).exported(NEWS) == []
    for page in ("/", f"/subscribe/{NEWS}", "/api/v1/lists", "/readyz", "/metrics"):
        assert ANNE not in Office(world).get(page).get_data(as_text=True)


def test_a_blocked_one_gets_no_mail(world: World) -> None:
    world.sign_up(ANNE)
    world.clock.forward(hours=24)
    assert world.mails(ANNE) == []
    with reading() as session:
        assert outbox.waiting(session)[0] == 0


def test_a_mail_that_waited_for_the_budget_is_dropped_at_24_hours(world: World) -> None:
    world.sign_up(ANNE, NEWS)
    world.deliver()
    world.sign_up(ANNE, OFFERS)
    world.clock.forward(hours=24)
    assert len(world.mails(ANNE)) == 1


@pytest.mark.parametrize(("hours", "mails"), [(2, 1), (25, 0)])
def test_a_relay_that_comes_back_gets_the_mail_once_or_never(
    make_app: Callable[..., Flask], clock: Movable, hours: int, mails: int
) -> None:
    with Relay() as relay, (app := make_app(mail=Mail("smtp", relay.host, relay.port))).app_context():
        world = World(app, app.test_client(), clock)
        relay.stop()
        world.sign_up(ANNE)
        world.deliver()
        world.clock.forward(hours=hours)
        relay.start()
        world.deliver()
        world.deliver()
        assert len(relay.mails) == mails
        world.parts.sender.stop()


def test_signing_up_again_after_the_block_is_a_new_registration(world: World) -> None:
    world.sign_up(ANNE, name="First")
    world.deliver()
    world.clock.forward(days=2)
    world.run("block")
    world.sign_up(ANNE, name="Second")
    world.post(world.confirm_link(ANNE))
    assert [one.name for one in world.subscriptions()] == ["Second"]
    assert [one.state for one in world.registrations()] == ["blocked", "confirmed"]


# the earlier of 30 days and one calendar month, in UTC
MONTHS = [
    ("2026-11-23T12:00", "2026-12-23T12:00"),  # November has 30 days: both agree
    ("2026-12-23T12:00", "2027-01-22T12:00"),  # December has 31: 30 days
    ("2027-01-30T12:00", "2027-02-28T12:00"),  # February has no 30th: its last day
    ("2027-02-01T00:00", "2027-03-01T00:00"),  # 28 days
    ("2028-01-31T23:59", "2028-02-29T23:59"),  # a leap year
]


@pytest.mark.parametrize(("registered", "purged"), MONTHS)
def test_a_registration_is_deleted_at_the_earlier_of_30_days_and_a_month(
    world: World, registered: str, purged: str
) -> None:
    at(world, registered)
    world.sign_up(ANNE)
    at(world, purged)
    world.clock.forward(seconds=-1)
    assert world.run("purge") == 0
    world.clock.forward(seconds=1)
    assert world.run("purge") == 1
    assert world.registrations() == []


@pytest.mark.parametrize("zone", ["unconfirmed", "blocked"])
def test_the_purge_needs_no_block_before_it(world: World, zone: str) -> None:
    world.sign_up(ANNE)
    world.clock.forward(days=30)
    if zone == "blocked":
        world.run("block")
    assert world.run("purge") == 1


def test_a_later_sign_up_prolongs_no_earlier_one(world: World) -> None:
    world.sign_up(ANNE)
    world.clock.forward(days=29)
    world.sign_up(ANNE)
    world.clock.forward(days=1)
    assert world.run("purge") == 1
    assert len(world.registrations()) == 1
    world.clock.forward(days=29)
    assert world.run("purge") == 1


def test_the_purge_leaves_the_confirmed_alone(world: World) -> None:
    world.subscribe(BART)
    world.clock.forward(days=400)
    assert world.run("purge") == 0
    assert len(world.registrations()) == len(world.subscriptions()) == 1


def test_a_blocked_sign_up_beside_a_subscription_goes_without_touching_it(world: World) -> None:
    world.subscribe(BART)
    world.post(world.leave_link(BART))
    world.sign_up(BART)
    world.clock.forward(days=30)
    evidence = len(world.evidence())
    assert world.run("purge") == 1
    assert [one.state for one in world.subscriptions()] == ["unsubscribed"]
    assert len(world.evidence()) == evidence - 1


def test_after_the_purge_no_table_has_a_row_of_the_person(world: World) -> None:
    before = rows_of_every_table()
    world.sign_up(ANNE)
    world.deliver()
    world.clock.forward(days=30)
    world.run("purge")
    world.run("tidy")
    after = rows_of_every_table()
    assert {name for name in after if after[name] != before[name]} <= {"counters", "letters", "meta", "removals"}


def test_two_months_without_the_service_are_caught_up(world: World) -> None:
    for n in range(5):
        world.sign_up(f"person{n}@example.org")
    world.clock.forward(days=61)
    assert [world.run(job) for job in ("block", "purge")] == [5, 5]


def test_what_is_overdue_is_invisible_before_any_sweep(world: World) -> None:
    world.sign_up(ANNE)
    link = world.confirm_link(ANNE)
    world.clock.forward(days=30)
    assert Office(world).counts(NEWS)["blocked"] == 0
    page = world.post(link)
    assert page.status_code == 410
    assert ANNE.encode() not in page.data
    assert b"/again" not in page.data


def test_an_overdue_registration_gives_no_fresh_mail(world: World) -> None:
    world.sign_up(ANNE)
    link = world.confirm_link(ANNE)
    world.clock.forward(days=30)
    assert world.post(link + "/again").status_code == 410
    assert world.deliver() == 0


@pytest.mark.parametrize("job", ["block", "purge"])
def test_sweeps_go_batch_by_batch_until_nothing_is_due(world: World, job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "BATCH", 2)
    for n in range(5):
        world.sign_up(f"person{n}@example.org")
    world.clock.forward(days=30)
    step = {"block": sweep.block, "purge": sweep.purge}[job]
    assert [step(world.clock.now()) for _ in range(4)] == [2, 2, 1, 0]


def test_a_sweep_whose_lease_is_lost_stops_after_its_batch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "BATCH", 2)
    for n in range(5):
        world.sign_up(f"person{n}@example.org")
    world.clock.forward(days=30)
    assert sweep.whole(sweep.purge, world.clock.now(), lambda: False) == 2
