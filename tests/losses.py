"""A hold, and each way to lose data that it stops."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import sqlalchemy as sa

from subscriptions.actions import cancel, holds
from subscriptions.actions.cancel import Window
from subscriptions.actions.holds import Wanted
from subscriptions.domain.evidence import Channel
from subscriptions.store.audit import Act
from subscriptions.store.engine import reading
from subscriptions.store.models import ActorKind, Registration, Subscription
from tests.builders import ANNE, BART, World
from tests.test_audit import key
from tests.test_commands import run

REVIEW = date(2027, 3, 1)


def act(world: World, name: str = "hold add") -> Act:
    return Act(world.clock.now(), ActorKind.COMMAND, "operator", name)


def hold(world: World, address: str = ANNE, slug: str | None = None) -> datetime | None:
    row = world.parts.catalogue.by_slug(slug) if slug else None
    review_on = max(REVIEW, world.clock.now().date().replace(year=world.clock.now().year + 1, day=1))
    wanted = Wanted(row.id if row else None, "a dispute", review_on)
    return holds.place(key(world, address), wanted, Channel.COMMAND, act(world))


def lift(world: World, address: str = ANNE) -> int:
    return holds.lift(key(world, address), None, "it is over", Channel.COMMAND, act(world, "hold lift"))


def count(table: type[Registration | Subscription], address: str) -> int:
    with reading() as session:
        which = sa.select(sa.func.count()).select_from(table).where(table.address == address)
        return session.scalar(which) or 0


# Each way to lose data: how somebody comes to it, what does it, and how much of it there is.


def waits(world: World, who: str) -> None:
    world.sign_up(who)
    world.deliver()


def subscribes(world: World, who: str) -> None:
    world.sign_up(who)
    world.post(world.confirm_link(who))


def leaves(world: World, who: str) -> None:
    subscribes(world, who)
    world.post(world.leave_link(who))


def month_over(world: World) -> None:
    world.clock.forward(days=31)
    world.run("block")


def years_over(world: World) -> None:
    world.clock.forward(days=4 * 366)


def disowned(world: World) -> None:
    for who in (ANNE, BART):
        world.post(world.not_me_link(who))


def one_clicked_by(world: World, who: str) -> None:
    world.post(world.not_me_link(who), data={"List-Unsubscribe": "One-Click"})


def one_clicked(world: World) -> None:
    for who in (ANNE, BART):
        one_clicked_by(world, who)


def attacked(world: World) -> None:
    window = Window(datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    list(cancel.cancel(window, world.clock.now(), "operator"))


def objected(world: World) -> None:
    for who in (ANNE, BART):
        run(world, "suppressions", "add", who, "--scope", "all", "--reason", "x", "--yes")


def erased(world: World) -> None:
    for who in (ANNE, BART):
        run(world, "erase", who, "--yes")
    world.parts.sender.begin_anew()
    world.clock.forward(hours=2)


LOSSES: dict[str, tuple[Callable[[World, str], None], Callable[[World], None], type[Registration | Subscription]]] = {
    "the month is over": (waits, month_over, Registration),
    "this was not me": (waits, disowned, Registration),
    "one-click on the confirmation mail": (waits, one_clicked, Registration),
    "an attack is cancelled": (waits, attacked, Registration),
    "an objection": (waits, objected, Registration),
    "an erasure of who waits": (waits, erased, Registration),
    "an erasure of who is subscribed": (subscribes, erased, Subscription),
    "an erasure, of the sign-up behind a subscription": (subscribes, erased, Registration),
    "the proof period is over": (leaves, years_over, Subscription),
    "the proof period is over, of the sign-up": (leaves, years_over, Registration),
}


def sweep(world: World) -> None:
    for job in ("deliver", "purge", "tidy"):
        world.run(job)
