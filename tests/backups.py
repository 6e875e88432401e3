"""Backups as an operator makes and restores them."""

import json
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result

from subscriptions.backup import archive
from subscriptions.store import tables
from tests.builders import ANNE, BART, CRIS, OFFERS, World
from tests.support.sql import connected
from tests.test_commands import good, run

LEFT_OUT = tables.LEFT_OUT.keys()
WRITTEN_ANEW = {"outbox", "audit", "meta"}  # by a restore


def save(world: World, name: str = "today.backup", *args: str) -> Path:
    """The file of a backup that is made now."""
    path = world.parts.settings.data_dir / "subscriptions.db.backups" / name
    path.parent.mkdir(exist_ok=True)
    result = run(world, "backup", str(path), *args)
    assert result.exit_code == 0, result.output
    return path


def restore(world: World, path: Path, *args: str) -> Result:
    return run(world, "restore", str(path), "--yes", *args)


def restored(world: World, path: Path, *args: str) -> str:
    result = restore(world, path, *args)
    assert result.exit_code == 0, result.output
    return result.stdout


def everything(url: str) -> dict[str, list[list[Any]]]:
    """Every row that a backup has, as it writes them."""
    with connected(url) as connection:
        connection.exec_driver_sql("SELECT 1" if url.startswith("sqlite") else "SET timezone = 'UTC'")
        found = {name: [list(row) for batch in tables.rows(connection, table) for row in batch]
                 for name, table in tables.tables(connection).items()}  # fmt: skip
    plain = {name: [json.loads(json.dumps(row, default=tables.plain)) for row in rows] for name, rows in found.items()}
    return {name: sorted(rows, key=str) for name, rows in plain.items()}


def of_people(url: str) -> dict[str, list[list[Any]]]:
    return {name: rows for name, rows in everything(url).items() if name not in WRITTEN_ANEW}


def read(world: World) -> World:
    """One person is subscribed: enough for what is not about the rows."""
    world.subscribe(BART)
    return world


def peopled(world: World) -> World:
    """Bart reads two lists, Cris has left, Anne waits, Dora was not herself; all of it is sealed."""
    world.subscribe(BART, name="Bärt 'quoted' \N{GRINNING FACE}")
    world.clock.forward(hours=1)
    world.subscribe(BART, OFFERS)
    world.subscribe(CRIS)
    world.post(world.leave_link(CRIS))
    world.sign_up("dora@example.org")
    world.post(world.not_me_link("dora@example.org"))
    world.sign_up(ANNE)
    world.deliver()
    world.run("seal")
    return world


def elsewhere(kind: str, folder: Path, request: pytest.FixtureRequest) -> str:
    """The URL of an empty database."""
    if kind == "sqlite":
        return f"sqlite:///{folder / 'subscriptions.db.elsewhere'}"
    url: str = request.getfixturevalue("postgres").create_database(f"elsewhere_{uuid.uuid4().hex}")
    return url


def verified(world: World) -> bool:
    world.run("seal")
    verdict = json.loads(good(world, "evidence", "verify", "--json"))
    return bool(verdict["wrong"] is None and verdict["unsealed"] == 0)


def manifest(path: Path, key: bytes | None = None) -> archive.Manifest:
    with archive.opened(path, key) as reader:
        return reader.manifest


def taken_at(path: Path) -> datetime:
    return datetime.fromisoformat(manifest(path).taken_at)


def next_number(url: str, table: str) -> int:
    """The number that the next row of a table gets."""
    with connected(url) as connection:
        if url.startswith("sqlite"):
            asked = "SELECT seq FROM sqlite_sequence WHERE name = :name"
        else:
            asked = "SELECT nextval(pg_get_serial_sequence(:name, 'id')) - 1"
        return 1 + int(connection.scalar(sa.text(asked), {"name": table}) or 0)
