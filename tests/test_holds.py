"""A legal hold stops every deletion of what it holds, and lets no mail out (GDPR 17(3)(e), 18(2))."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from subscriptions.actions import correct
from subscriptions.domain.evidence import Cause
from subscriptions.store import registrations, subscriptions
from subscriptions.store.engine import transaction
from subscriptions.store.models import (
    Address,
    Captured,
    Evidence,
    Hold,
    Registration,
    Subscription,
    Suppression,
    db,
)
from tests.builders import ANNE, BART, CRIS, NEWS, OFFERS, Office, World
from tests.losses import (
    LOSSES,
    REVIEW,
    attacked,
    count,
    disowned,
    hold,
    leaves,
    lift,
    month_over,
    objected,
    one_clicked,
    one_clicked_by,
    subscribes,
    sweep,
    waits,
)
from tests.test_audit import key
from tests.test_commands import logging_as_it_was, run

__all__ = ["logging_as_it_was"]


def ips(world: World) -> int:
    return world.count(Evidence, Evidence.ip.is_not(None))


@pytest.mark.parametrize("loss", LOSSES)
def test_what_is_held_stays_what_is_not_goes_and_once_lifted_goes_as_well(world: World, loss: str) -> None:
    begin, lose, table = LOSSES[loss]
    for who in (ANNE, BART):
        begin(world, who)
    hold(world)
    lose(world)
    sweep(world)
    assert (count(table, ANNE), count(table, BART)) == (1, 0)
    assert Office(world).exported(NEWS) == []  # a hold never lets mail out
    before = len(world.mails(ANNE))
    world.clock.forward(days=40)
    sweep(world)
    assert (count(table, ANNE), len(world.mails(ANNE))) == (1, before)
    assert lift(world) == 1
    sweep(world)
    assert count(table, ANNE) == 0


def test_the_ips_of_what_is_held_stay_until_the_hold_is_lifted(world: World) -> None:
    for who in (ANNE, BART):
        subscribes(world, who)
    hold(world)
    world.clock.forward(days=366)
    sweep(world)
    assert ips(world) == 2  # of the sign-up and the confirmation
    lift(world)
    sweep(world)
    assert ips(world) == 0


@pytest.mark.parametrize("lose", [disowned, one_clicked, attacked, objected])
def test_who_said_no_is_protected_at_once_and_the_link_is_dead_though_the_data_stays(
    world: World, lose: Callable[[World], None]
) -> None:
    for who in (ANNE, BART):
        waits(world, who)
    hold(world)
    link = world.confirm_link(ANNE)
    lose(world)
    assert world.post(link).status_code == 410
    assert world.count(Suppression, Suppression.key == key(world, ANNE)) == 1
    assert [row.state for row in world.registrations()] == ["blocked"]


def test_a_sweep_that_looked_before_the_hold_came_deletes_nothing_of_it(world: World) -> None:
    leaves(world, ANNE)
    waits(world, BART)
    for who in (ANNE, BART):
        hold(world, who)
    ids, waiting = [row.id for row in world.subscriptions()], [world.registrations()[-1].id]
    with transaction() as session:
        subscriptions.remove(session, ids, Cause.PROOFS, world.clock.now())
        assert registrations.remove(session, waiting, Cause.UNCONFIRMED, world.clock.now()) == waiting
    assert (world.count(Subscription), world.count(Registration)) == (1, 2)


def test_a_held_suppression_whose_time_is_over_stays_as_a_row_and_stops_nothing_any_more(world: World) -> None:
    waits(world, ANNE)
    hold(world)
    one_clicked_by(world, ANNE)
    world.clock.forward(days=31)
    sweep(world)
    assert world.count(Suppression) == 1
    before = len(world.mails(ANNE))
    world.sign_up(ANNE)
    assert len(world.mails(ANNE)) == before + 1
    lift(world)
    sweep(world)
    assert world.count(Suppression) == 0


def test_a_held_suppression_that_is_lifted_stops_nothing_any_more_and_stays_as_a_row(world: World) -> None:
    waits(world, ANNE)
    hold(world)
    world.post(world.not_me_link(ANNE))
    run(world, "suppressions", "lift", ANNE, "--reason", "she asked")
    assert "no such suppression" in run(world, "suppressions", "lift", ANNE, "--reason", "again").stderr
    assert world.count(Suppression) == 1
    lift(world)
    sweep(world)
    assert world.count(Suppression) == 0


def test_the_times_of_emails_to_who_is_held_stay(world: World) -> None:
    for who in (ANNE, BART):
        waits(world, who)
    hold(world)
    world.clock.forward(days=31)
    sweep(world)
    assert world.count(Address, Address.last_mail_at.is_not(None)) == 1
    lift(world)
    sweep(world)
    assert world.count(Address) == 0


def test_a_hold_on_one_list_holds_that_list_alone(world: World) -> None:
    for slug in (NEWS, OFFERS):
        world.sign_up(ANNE, slug)
        world.clock.forward(minutes=16)
    hold(world, slug=NEWS)
    month_over(world)
    sweep(world)
    [left] = world.registrations()
    assert left.list_id == world.parts.catalogue.by_slug(NEWS).id  # type: ignore[union-attr]


def test_a_hold_on_who_is_not_known_yet_holds_what_comes_and_keeps_no_row_of_the_address(world: World) -> None:
    assert hold(world) is None
    assert world.count(Address) == 0
    waits(world, ANNE)
    month_over(world)
    sweep(world)
    assert count(Registration, ANNE) == 1


def test_a_lifted_hold_goes_with_the_last_that_is_known_of_the_person(world: World) -> None:
    waits(world, ANNE)
    hold(world)
    lift(world)
    sweep(world)
    assert world.count(Hold) == 1
    world.clock.forward(days=62)
    sweep(world)
    assert (world.count(Registration), world.count(Hold)) == (0, 0)


def test_a_name_that_is_emptied_goes_from_the_subscription_and_from_the_held_sign_up_once_that_is_lifted(
    world: World,
) -> None:
    world.sign_up(ANNE, name="Anne")
    world.post(world.confirm_link(ANNE))
    hold(world)
    news = world.parts.catalogue.by_slug(NEWS)
    assert news is not None
    correct.correct(key(world, ANNE), {"name": ""}, None, {news.id: ["name"]}, world.clock.now())
    assert [world.subscriptions()[0].name, world.registrations()[0].name] == [None, "Anne"]
    lift(world)
    assert world.registrations()[0].name is None


def test_copies_in_the_mailbox_of_who_is_held_stay(world: World) -> None:
    for who in (ANNE, BART):
        waits(world, who)
    hold(world)
    with transaction() as session:
        session.execute(sa.update(Captured).values(real_at=datetime(2020, 1, 1, tzinfo=UTC)))
    sweep(world)
    assert [mail["To"] for mail in world.mails()] == [ANNE]


def test_with_thousands_of_holds_a_sweep_is_still_a_few_statements(world: World) -> None:
    waits(world, CRIS)
    with transaction() as session:
        at = world.clock.now()
        rows = [{"key": number.to_bytes(16), "reason": "x", "review_on": REVIEW, "placed_at": at, "placed_by": "x"}
                for number in range(5000)]  # fmt: skip
        session.execute(sa.insert(Hold), rows)
    hold(world, CRIS)
    month_over(world)
    said: list[str] = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    assert world.run("purge") == 0
    assert len(said) < 40 and count(Registration, CRIS) == 1
