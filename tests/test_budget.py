"""The mail budget of an address, over all lists together (B-01, B-02), through the whole application."""

from collections.abc import Callable

import pytest
from flask import Flask

from subscriptions.settings import Lifecycle, Limits, ListSettings
from subscriptions.store import counters
from subscriptions.store.engine import reading
from tests.builders import ANNE, HIDDEN, NEWS, OFFERS, Movable, World, at, rows_of_every_table
from tests.support.cases import BY_DAY_ON_SQLITE

FIFTY = tuple(ListSettings(slug=f"list-{n}", name=f"List {n}") for n in range(50))
REFUSED_QUIETLY = {"addresses", "counted_keys", "counters"}


def stored(world: World) -> dict[str, int]:
    """Rows of everything but the counters."""
    return {name: rows for name, rows in rows_of_every_table().items() if name not in REFUSED_QUIETLY}


def bomb(world: World) -> None:
    for n, one in enumerate(FIFTY):
        assert world.sign_up(ANNE, one.slug, remote_addr=f"198.51.100.{n}").status_code == 202


def test_one_address_on_fifty_lists_from_fifty_networks_gets_one_mail_in_15_minutes(
    make_app: Callable[..., Flask], clock: Movable
) -> None:
    app = make_app(lists=FIFTY)
    with app.app_context():
        world = World(app, app.test_client(), clock)
        counts = []
        bomb(world)
        for _ in range(6):
            counts.append(len(world.mails(ANNE)))
            clock.forward(minutes=15)
    assert counts == [1, 2, 3, 3, 3, 3]


@BY_DAY_ON_SQLITE
def test_fifty_lists_every_day_for_a_month_cause_five_mails(make_app: Callable[..., Flask], clock: Movable) -> None:
    app = make_app(lists=FIFTY)
    with app.app_context():
        world = World(app, app.test_client(), clock)
        for _ in range(29):
            bomb(world)
            clock.forward(hours=12)
            world.deliver()
            clock.forward(hours=12)
        assert counter(world, "mails_sent") == 5


def erased(world: World) -> None:
    world.app.test_cli_runner().invoke(args=["erase", ANNE, "--yes"])
    world.run("deliver")


@pytest.mark.parametrize(
    ("lifecycle", "then"),
    [({}, None), ({"purge_after_days": 2}, None), ({}, erased)], ids=["February", "purged soon", "erased each day"],
)  # fmt: skip
def test_five_mails_in_30_days_are_the_most_also_where_rows_go_earlier(
    make_app: Callable[..., Flask], clock: Movable, lifecycle: dict[str, int], then: Callable[[World], None] | None
) -> None:
    app = make_app(lifecycle=Lifecycle(**lifecycle))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        at(world, "2027-01-31T12:00")
        mails = 0
        for _ in range(30):
            before = len(world.registrations())
            world.sign_up(f"Anne+{mails}@example.org" if then is None else ANNE)
            mails += len(world.registrations()) > before
            if then:
                then(world)
            clock.forward(days=1)
            for job in ("block", "purge"):
                world.run(job)
        assert mails == 5
        world.sign_up(ANNE)
        assert [row.state for row in world.registrations()][-1:] == ["pending"]


def counter(world: World, name: str) -> int:
    with reading() as session:
        return counters.totals(session).get(name, 0)


def test_ten_sign_ups_in_a_minute_cause_one_mail_and_ten_equal_answers(world: World) -> None:
    answers = [world.sign_up(ANNE) for _ in range(10)]
    assert len(world.mails(ANNE)) == 1
    assert {answer.status_code for answer in answers} == {202}
    assert {(answer.json["status"], answer.json["list"]) for answer in answers if answer.json} == {
        ("pending_confirmation", NEWS)
    }
    assert len({answer.json["registration"] for answer in answers if answer.json}) == 10


def test_after_the_interval_a_sign_up_causes_one_more_mail_and_a_registration_of_its_own(world: World) -> None:
    world.sign_up(ANNE)
    world.deliver()
    world.clock.forward(minutes=15)
    world.sign_up(ANNE)
    assert len(world.mails(ANNE)) == 2
    first, second = world.registrations()
    assert (second.registered_at - first.registered_at).total_seconds() == 15 * 60
    assert first.ref != second.ref


@pytest.mark.parametrize(("seconds", "mails"), [(15 * 60 - 1, 1), (15 * 60, 2)])
def test_the_budget_opens_at_the_end_of_the_fifteenth_minute(world: World, seconds: int, mails: int) -> None:
    world.sign_up(ANNE)
    world.clock.forward(seconds=seconds)
    world.sign_up(ANNE)
    assert len(world.mails(ANNE)) == mails


@pytest.mark.parametrize(("hours", "registrations"), [(23.9, 3), (24, 4)])
def test_three_mails_in_24_hours_are_the_most(world: World, hours: float, registrations: int) -> None:
    for _ in range(3):
        world.sign_up(ANNE)
        world.clock.forward(minutes=15)
    world.clock.forward(hours=hours - 0.75)
    world.sign_up(ANNE)
    assert len(world.registrations()) == registrations


@pytest.mark.parametrize(("days", "registrations"), [(29.9, 5), (30, 6)])
def test_five_mails_in_30_days_are_the_most(world: World, days: float, registrations: int) -> None:
    for _ in range(5):
        world.sign_up(ANNE)
        world.clock.forward(days=1)
    world.clock.forward(days=days - 5)
    world.sign_up(ANNE)
    assert len(world.registrations()) == registrations


def test_while_the_budget_is_closed_nothing_changes_but_the_counter(world: World) -> None:
    world.sign_up(ANNE)
    before = stored(world), world.registrations()[0].purge_at, len(world.evidence())
    world.clock.forward(minutes=14)
    world.sign_up(ANNE, name="Another Name")
    assert (stored(world), world.registrations()[0].purge_at, len(world.evidence())) == before
    assert [one.name for one in world.registrations()] == [None]
    assert counter(world, "sign_ups") == 2


def test_a_first_sign_up_for_another_list_is_registered_and_its_mail_waits_for_the_15_minutes(world: World) -> None:
    world.sign_up(ANNE, NEWS)
    world.clock.forward(minutes=5)
    world.sign_up(ANNE, OFFERS)
    assert len(world.registrations()) == 2
    assert len(world.mails(ANNE)) == 1
    world.clock.forward(minutes=10)
    assert len(world.mails(ANNE)) == 2


def test_the_waiting_mail_confirms_by_the_clock_of_its_own_registration(world: World) -> None:
    world.sign_up(ANNE, NEWS)
    world.clock.forward(minutes=5)
    world.sign_up(ANNE, OFFERS)
    world.clock.forward(minutes=10)
    link = world.confirm_link(ANNE)
    world.clock.forward(hours=23, minutes=50)
    assert world.post(link).status_code == 410


def test_the_exception_is_for_another_list_only(world: World) -> None:
    world.sign_up(ANNE, NEWS)
    world.sign_up(ANNE, OFFERS)
    world.sign_up(ANNE, OFFERS)
    world.sign_up(ANNE, NEWS)
    assert len(world.registrations()) == 2


def test_mails_that_wait_count_as_sent(world: World) -> None:
    for slug in (NEWS, OFFERS, HIDDEN):
        world.sign_up(ANNE, slug)
    world.clock.forward(minutes=45)
    world.sign_up(ANNE, NEWS)
    assert len(world.registrations()) == 3


def test_two_spellings_of_an_address_share_one_budget(world: World) -> None:
    world.sign_up("Anne@Example.org")
    world.sign_up("anne@example.ORG")
    assert len(world.mails()) == 1


def test_two_addresses_have_two_budgets(world: World) -> None:
    world.sign_up(ANNE)
    world.sign_up("another@example.org")
    assert len(world.mails()) == 2


def test_you_are_already_subscribed_counts_in_the_budget(world: World) -> None:
    world.subscribe(ANNE)
    world.sign_up(ANNE)
    world.clock.forward(minutes=14)
    world.sign_up(ANNE, OFFERS)
    assert len(world.mails(ANNE)) == 2
    world.clock.forward(minutes=1)
    assert len(world.mails(ANNE)) == 3


def test_you_are_already_subscribed_is_not_sent_while_the_budget_is_closed(world: World) -> None:
    world.sign_up(ANNE)
    world.post(world.confirm_link(ANNE))
    world.sign_up(ANNE)
    assert len(world.mails(ANNE)) == 1
    assert world.subscriptions()[0].notified_at is None


@pytest.mark.parametrize(("days", "mails"), [(29.99, 2), (30, 3)])
def test_you_are_already_subscribed_is_told_once_in_30_days(world: World, days: float, mails: int) -> None:
    world.subscribe(ANNE)
    world.sign_up(ANNE)
    world.deliver()
    world.clock.forward(days=days)
    world.sign_up(ANNE)
    world.deliver()
    assert counter(world, "mails_sent") == mails


def test_a_sign_up_of_a_subscriber_leaves_the_subscription_as_it_is(world: World) -> None:
    world.subscribe(ANNE, name="Anne")
    world.sign_up(ANNE, name="Not Anne", locale="de")
    assert [(one.name, one.locale, one.state) for one in world.subscriptions()] == [("Anne", "en", "confirmed")]
    assert len(world.registrations()) == 1


def test_a_suppressed_address_stores_nothing_and_gets_nothing(world: World) -> None:
    world.sign_up(ANNE)
    world.post(world.not_me_link(ANNE))
    world.clock.forward(days=2)
    before = stored(world)
    assert world.sign_up(ANNE, OFFERS).status_code == 202
    assert stored(world) == before
    assert world.deliver() == 0


def test_without_limits_every_sign_up_causes_a_mail(make_app: Callable[..., Flask], clock: Movable) -> None:
    app = make_app(limits=Limits(confirmations_per_address=(), signups_per_network=""))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        for _ in range(12):
            world.sign_up(ANNE)
        assert len(world.mails(ANNE)) == 12
