"""The figures of lists are counted with each act, whatever ends or begins a subscription; and once from the rows."""

from datetime import date
from importlib import util
from pathlib import Path

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from subscriptions.actions import erase, suppress
from subscriptions.domain.address import parse
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.store import counters, figures, migrate
from subscriptions.store.engine import reading
from subscriptions.store.models import Counter, Subscription, db
from tests.builders import ANNE, BART, CRIS, NEWS, OFFERS, World

FILE = Path(migrate.__file__).parent / "migrations" / "versions" / "0018_figures.py"
Counted = dict[tuple[int, str, str], int]


def counted() -> Counted:
    """Of lists, by list, day and name."""
    columns = Counter.list_id, Counter.day, Counter.name
    which = sa.select(*columns, sa.func.sum(Counter.value)).where(Counter.list_id > 0).group_by(*columns)
    with reading() as session:
        return {(list_id, day, name): int(number) for list_id, day, name, number in session.execute(which)}


def of(world: World, slug: str = NEWS) -> dict[str, int]:
    row = world.parts.catalogue.by_slug(slug)
    assert row is not None
    return {f"{name} {day}".strip(): number for (list_id, day, name), number in counted().items() if list_id == row.id}


def key(world: World, who: str) -> bytes:
    return world.parts.links.key(parse(who).folded)


def test_what_comes_of_a_sign_up_counts_for_its_day_and_people_for_the_day_that_they_come_and_go(world: World) -> None:
    world.clock.forward(hours=11, minutes=50)
    world.sign_up(ANNE)
    link = world.confirm_link(ANNE)
    assert of(world) == {"asked 2026-11-23": 1, "mailed 2026-11-23": 1}
    world.clock.forward(minutes=20)
    for _ in range(2):
        world.post(link)
    joined = {"asked 2026-11-23": 1, "mailed 2026-11-23": 1, "confirmed.04 2026-11-23": 1, "joined 2026-11-24": 1}
    assert of(world) == joined | {"joined": 1}
    world.clock.forward(days=1)
    for _ in range(2):
        world.post(world.leave_link(ANNE))
    assert of(world) == joined | {"joined": 1, "left 2026-11-23": 1, "gone 2026-11-25": 1, "gone": 1}


def test_nothing_is_counted_of_who_is_not_signed_up_again_or_not_at_all(world: World) -> None:
    world.subscribe(BART)
    for who in (BART, ANNE, ANNE):
        world.sign_up(who)
    assert of(world)["asked 2026-11-23"] == 2


def live(world: World) -> None:
    """A little of everything that begins or ends a subscription."""
    for who, slug in ((ANNE, NEWS), (ANNE, OFFERS), (BART, NEWS), (CRIS, NEWS), ("dora@example.org", NEWS)):
        world.subscribe(who, slug)
    world.clock.forward(days=3)
    world.post(world.leave_link(ANNE))
    world.subscribe(ANNE)
    now, policy = world.clock.now(), world.parts.policy
    suppress.suppress(key(world, BART), SuppressionScope.ALL, "asked for", now, policy, "root")
    erase.ask(key(world, CRIS), now, policy, "root")
    world.clock.forward(hours=2)
    world.run("deliver")
    for who in ("eve@example.org", "fred@example.org"):
        world.sign_up(who)
    world.post(world.confirm_link("eve@example.org"))
    world.post(world.not_me_link("eve@example.org"))


def test_there_are_as_many_people_as_open_subscriptions_whatever_has_happened(world: World) -> None:
    live(world)
    which = sa.select(Subscription.list_id, sa.func.count()).where(Subscription.state == "confirmed")
    with reading() as session:
        open_ = dict(session.execute(which.group_by(Subscription.list_id)).all())
        found = figures.read(session, open_, date(2026, 11, 1))
    assert {id_: of_list.people for id_, of_list in found.items()} == open_ and sum(open_.values()) == 3


def test_what_was_there_before_is_counted_from_its_rows_as_it_would_have_been(world: World) -> None:
    live(world)
    by_acts = counted()
    spec = util.spec_from_file_location("figures_of_rows", FILE)
    assert spec and spec.loader
    migration = util.module_from_spec(spec)
    spec.loader.exec_module(migration)
    with db.engine.begin() as connection:
        connection.execute(sa.delete(Counter).where(Counter.list_id > 0))
        with Operations.context(MigrationContext.configure(connection)):
            migration.count()
    assert counted() == by_acts
    with reading() as session:
        assert figures.since(session) is not None


def test_the_counters_of_the_service_leave_those_of_lists_out(world: World) -> None:
    live(world)
    with reading() as session:
        totals = counters.totals(session)
        assert totals.keys() == set(counters.NAMES)
        assert totals["confirmations"] == 7 and counters.total(session, "joined") == 0
