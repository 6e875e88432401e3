"""Each test finds the world as if it were the first, although application and database are those of the test before."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from subscriptions.busy import BusyNetworks
from subscriptions.settings import Abuse
from subscriptions.store.models import db
from tests.builders import ANNE, BART, World, rows_of_every_table
from tests.conftest import NOON, ManualClock
from tests.support.applications import Applications
from tests.support.relay import Relay

TURNS = pytest.mark.parametrize("turn", ["one", "another"])  # whichever runs first, the other finds nothing of it
ROWS_OF_A_START = {"alembic_version", "jobs", "lists", "meta", "traffic", "wordings"}


@TURNS
def test_a_test_finds_nothing_of_the_one_before_it(world: World, tmp_path: Path, turn: str) -> None:
    parts, busy = world.parts, world.parts.busy
    assert {name for name, count in rows_of_every_table().items() if count} <= ROWS_OF_A_START
    assert (world.clock.now(), parts.clock.ahead, parts.tally.waiting(), len(busy)) == (NOON, timedelta(0), {}, 0)
    assert parts.policy.confirm_within == timedelta(hours=24) and not parts.watch.is_on(1, "example.org")
    assert [one.name for one in tmp_path.iterdir() if not one.name.startswith("subscriptions.db")] == []
    world.sign_up()
    assert [(one.id, one.registered_at) for one in world.registrations()] == [(1, NOON)]  # ids begin anew, too
    assert len(world.mails()) == 1
    _leave_traces(world, busy, tmp_path)


def _leave_traces(world: World, busy: BusyNetworks, folder: Path) -> None:
    world.subscribe()
    world.clock.forward(days=3)
    world.parts.clock.ahead = timedelta(days=30)
    world.parts.tally.note("limited")
    busy.note(b"a network", world.clock.now())
    world.parts.watch = None  # type: ignore[assignment]
    (folder / "left.txt").write_text("left")


@TURNS
def test_a_changed_configuration_is_gone_with_its_test(
    make_app: Callable[..., Flask], clock: ManualClock, turn: str
) -> None:
    with (plain := make_app()).app_context():
        assert World(plain, plain.test_client(), clock).sign_up(BART).status_code == 202
    with (app := make_app(abuse=Abuse(proof_of_work="always"))).app_context():
        assert World(app, app.test_client(), clock).sign_up(ANNE).status_code == 422


@TURNS
def test_a_test_may_break_its_database_for_itself(world: World, database: str, turn: str) -> None:
    assert world.sign_up().status_code == 202
    with db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE registrations ADD COLUMN more INTEGER")
        connection.exec_driver_sql("DROP TABLE outbox" + (" CASCADE" if database == "postgresql" else ""))


@TURNS
def test_a_relay_listens_where_the_last_one_did_and_knows_nothing_of_it(relay: Relay, turn: str) -> None:
    assert (relay.mails, relay.connections, relay.commands) == ([], 0, [])
    relay.offers.smtputf8 = False


def test_an_application_is_one_tests_alone_as_long_as_it_has_it(
    make_app: Callable[..., Flask], applications: Applications
) -> None:
    one, other = make_app(), make_app()
    assert one is not other
