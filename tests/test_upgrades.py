"""Every version after 0.2.0 is upgraded in one go: nobody is lost, and what was handed out works."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from app import create_app
from subscriptions import start
from subscriptions.store import migrate
from subscriptions.store.models import Removal, db
from tests.builders import ANNE, BART, CRIS, World, link_in
from tests.conftest import make_settings
from tests.support.sql import number, rows
from tests.support.upgrade import LATER, load_dump
from tests.test_commands import good, logging_as_it_was

__all__ = ["logging_as_it_was"]
DORA = "dora@example.org"
NOT_LESS = ("subscriptions", "registrations", "suppressions", "evidence", "lists", "letters")
STATES = "SELECT address, list_id, state FROM subscriptions ORDER BY id"


# by day the first, which runs what the others run, and the last, by night all
BY_DAY = (LATER[0], "sqlite"), (LATER[-1], "postgresql")
EACH = [
    pytest.param(kind, folder, id=f"{folder.name}-{kind}",
                 marks=[] if (folder, kind) in BY_DAY else pytest.mark.drill)
    for folder in LATER for kind in ("sqlite", "postgresql")
]  # fmt: skip


@pytest.fixture
def old(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> str:
    """The URL of a database as that version left it."""
    url = f"sqlite:///{tmp_path / 'old.db'}"
    if database == "postgresql":
        url = request.getfixturevalue("postgres").create_database(f"old_{uuid.uuid4().hex}")
    load_dump(database, url, request.param)
    return url


@pytest.mark.parametrize(("database", "old"), EACH, indirect=True)
def test_each_version_is_upgraded_in_one_go_and_nobody_is_lost(old: str, tmp_path: Path, clock: Any) -> None:
    clock.forward(hours=2)
    count = "SELECT count(*) FROM {}"
    before, states = {table: number(old, count.format(table)) for table in NOT_LESS}, rows(old, STATES)
    app = create_app(make_settings(old, tmp_path), clock)
    start.prepare(app)
    assert {table: number(old, count.format(table)) for table in NOT_LESS} == before and rows(old, STATES) == states
    with app.app_context():
        assert not migrate.upgrade()
        with db.engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), db.metadata) == []
        world = World(app, app.test_client(), clock)
        assert _acts_as_before(world) == [BART, CRIS, None, DORA]
        world.run("seal")
        verdict = json.loads(good(world, "evidence", "verify", "--json"))
        events = len(world.evidence()) + world.count(Removal)
        assert (verdict["wrong"], verdict["unsealed"], verdict["events"]) == (None, 0, events)
        db.engine.dispose()


def _acts_as_before(world: World) -> list[str | None]:
    """A link of then confirms, another ends, who said no gets nothing; whose subscriptions there are."""
    assert world.post(link_in(world.mails(DORA)[0], "confirm")).status_code == 200
    assert world.post(world.leave_link(BART)).status_code == 200
    number_of_mails = len(world.mails())
    for address in (ANNE, "fritz@example.org"):
        world.sign_up(address)
    assert len(world.mails()) == number_of_mails
    return list(dict.fromkeys(row.address for row in world.subscriptions()))


def test_each_version_since_0_2_0_has_left_a_database(tmp_path: Path) -> None:
    """0.2.1 has the schema of 0.2.0, which has tests of its own."""
    released = {"v0_3_0", "v0_4_0", "v0_5_0", "v0_6_0"}
    assert {folder.name for folder in LATER} >= released
