"""The schema: one way up, the same as the models, and evidence that only grows."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask

from subscriptions.store import migrate
from subscriptions.store.engine import Contention, transaction
from subscriptions.store.models import db
from tests.builders import World

VERSIONS = Path(migrate.__file__).parent / "migrations" / "versions"


def test_the_newest_migration_is_the_one_that_the_server_wants() -> None:
    assert max(path.name.partition("_")[0] for path in VERSIONS.glob("0*.py")) == migrate.HEAD


def test_the_migrated_schema_is_what_the_models_say(app: Flask) -> None:
    with db.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), db.metadata) == []


def test_a_start_waits_for_another_that_migrates_where_nobody_may_read_meanwhile(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited, wait = [], migrate.one_at_a_time

    def busy() -> str | None:
        raise Contention("busy")

    monkeypatch.setattr(migrate, "current", busy)
    monkeypatch.setattr(migrate, "one_at_a_time", lambda connection: waited.append(wait(connection)))
    assert migrate.upgrade()
    assert len(waited) == 1


@pytest.mark.parametrize("change", ["fact = 'x'", "at = at, actor = 'x'", "ip = '192.0.2.1'", "channel = 'x'"])
def test_the_database_refuses_a_change_of_evidence(world: World, change: str) -> None:
    world.sign_up()
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), transaction() as session:
        session.execute(sa.text(f"UPDATE evidence SET {change}"))  # noqa: S608


def test_an_ip_may_go_when_its_time_is_over(world: World) -> None:
    world.sign_up()
    with transaction() as session:
        session.execute(sa.text("UPDATE evidence SET ip = NULL"))
    assert world.evidence()[0].ip is None
