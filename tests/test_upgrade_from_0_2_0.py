"""A service on 0.2.0 is upgraded: every link, code, handle and token of its mails and answers acts as before."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask_migrate.cli import db as flask_db

from app import create_app
from subscriptions.store import migrate
from subscriptions.store.models import db
from tests.fixtures.v0_2_0.replay import BASE, Player
from tests.support.relay import Relay
from tests.support.sql import connected, number, rows
from tests.support.upgrade import V0_2_0, Left, settings_of
from tests.upgraded import Upgraded

COUNTED = {"sign-ups": "networks", "tries": "tries"}
THINGS = json.loads((V0_2_0 / "things.json").read_text("utf-8"))
WALKS = {one["walk"]: one["steps"] for one in json.loads((V0_2_0 / "walks.json").read_text("utf-8"))}


# By day each walk on one database, and a few on the other: the tables of both are upgraded in the tests below.
ON_BOTH = [*WALKS][::5]
PLAYED = [
    pytest.param(kind, walk, marks=[] if kind == "sqlite" or walk in ON_BOTH else pytest.mark.drill)
    for kind in ("sqlite", "postgresql")
    for walk in WALKS
]


@pytest.mark.parametrize(("database", "walk"), PLAYED, indirect=["database"])
def test_what_0_2_0_handed_out_does_what_it_did(walk: str, upgraded: Upgraded, clock: Any, relay: Relay) -> None:
    did = Player(upgraded, clock, relay, THINGS["API tokens"]).play(WALKS[walk])
    before = [told(step, step["did"]) for step in WALKS[walk]]
    assert [told(step, now) for step, now in zip(WALKS[walk], did, strict=True)] == before


def told(step: dict[str, Any], did: dict[str, Any]) -> dict[str, Any]:
    """With the step, so that a difference says of what it is one."""
    return {"at": step["at"], "do": step["do"], **did}


def test_the_upgraded_schema_is_what_the_models_say(upgraded: Upgraded) -> None:
    with upgraded().app_context(), db.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), db.metadata) == []


def test_an_upgrade_adds_nobody_and_loses_nobody(left_url: str, upgraded: Upgraded) -> None:
    tables = ("addresses", "subscriptions", "evidence", "suppressions", "outbox", "used_once", "audit", "wordings")
    before = {table: number(left_url, f"SELECT count(*) FROM {table}") for table in tables}  # noqa: S608
    before["wordings"] += 1  # of the list that has no text of its own: the shipped one says more since 0.4.0
    upgraded()
    assert {table: number(left_url, f"SELECT count(*) FROM {table}") for table in tables} == before  # noqa: S608


Command = Callable[..., None]


@pytest.fixture
def command(left_url: str, tmp_path: Path, clock: Any, relay: Relay) -> Command:
    """Runs a command of `flask db` on what 0.2.0 left."""
    app = create_app(settings_of(left_url, tmp_path, relay), clock)
    migrate.init_app(app)

    def run(*args: str) -> None:
        app.test_cli_runner().invoke(flask_db, args)
        with app.app_context():
            db.engine.dispose()

    return run


def stored(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, as text: databases compare their own types in their own ways."""
    with connected(url) as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        found = {name: connection.execute(sa.text(f"SELECT * FROM {name}")) for name in tables.tables}  # noqa: S608
        return {name: sorted(tuple(map(str, row)) for row in result) for name, result in found.items()}


def test_flask_db_upgrades_as_flask_migrate_does(
    database: str, left: Left, left_url: str, command: Command, tmp_path: Path, clock: Any, relay: Relay
) -> None:
    before, other = stored(left_url), left.database(database)
    command("upgrade")
    with create_app(settings_of(other, tmp_path, relay), clock).app_context():
        migrate.upgrade()
        db.engine.dispose()
    after = stored(left_url)
    assert after == stored(other)
    kept = before.keys() & after.keys()
    assert {name: len(after[name]) for name in kept} == {name: len(before[name]) for name in kept}


@pytest.mark.parametrize("args", [["stamp", "0002"], ["downgrade"], ["upgrade", "--sql"], ["current"], ["check"]])
def test_the_other_commands_of_flask_db_change_nothing(left_url: str, command: Command, args: list[str]) -> None:
    before = stored(left_url)
    command(*args)
    assert stored(left_url) == before


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_migration_runs_while_a_cascade_could_delete(
    left_url: str, command: Command, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = stored(left_url)
    monkeypatch.setattr(migrate, "alone", lambda: db.engine.connect())
    command("upgrade")
    assert "foreign keys are on" in caplog.text
    assert stored(left_url) == before


def test_what_was_counted_goes_on_counting_each_kind_by_itself(left_url: str, upgraded: Upgraded) -> None:
    before = {kind: rows(left_url, f"SELECT key, since, count FROM {table}") for kind, table in COUNTED.items()}  # noqa: S608
    upgraded()
    kept = "SELECT key, since, count FROM counted_keys WHERE kind = '{}'"
    assert all(before.values())
    assert {kind: rows(left_url, kept.format(kind)) for kind in COUNTED} == before


def test_who_asked_not_to_be_asked_gets_no_confirmations(left_url: str, upgraded: Upgraded) -> None:
    by_scope = "SELECT scope, count(*) FROM suppressions GROUP BY scope"
    before = dict(rows(left_url, by_scope))
    upgraded()
    assert dict(rows(left_url, by_scope)) == {"confirmations": before["ask"], "all": before["all"]}


def test_a_second_start_finds_nothing_to_upgrade(upgraded: Upgraded) -> None:
    upgraded()
    answer = upgraded().test_client().get("/subscribe/newsletter", base_url=BASE)
    assert answer.status_code == 200 and THINGS["wordings"]["newsletter"] in answer.text
