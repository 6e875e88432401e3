"""Rows written past the program: people who have confirmed, mails that are owed, a token; for any version's schema."""

import hashlib
import secrets
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import click
import sqlalchemy as sa

from bench.place import Place, connect
from bench.server import settings
from subscriptions.clock import Clock
from subscriptions.store.types import sqlite_text

AT_ONCE = 5000


def make_schema(place: Place) -> None:
    """By the version itself, with its lists: a command that needs the database makes both."""
    command = [place.version.python, "-m", "flask", "lists", "show"]
    environ = place.version.environ(settings(place, 9))
    done = subprocess.run(  # noqa: S603 – our own program
        command, cwd=place.version.folder, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise click.ClickException(f"{place.version.name} does not make its tables:\n{done.stderr.strip()}")


def add_subscriptions(place: Place, number: int) -> None:
    """Confirmed, all on the first list."""
    now = Clock.real_now()
    with _filling(place) as (connection, list_id, _):
        _insert(connection, "subscriptions", (
            _person(n, list_id, now) | {"state": "confirmed", "confirmed_at": now, "restricted": False}
            for n in range(number)
        ))  # fmt: skip


def add_owed(place: Place, number: int, first: int = 1) -> None:
    """Confirmation mails, each with the registration that it is about; numbered from `first`."""
    now = Clock.real_now()
    until = {"confirm_by": now + timedelta(hours=24), "purge_at": now + timedelta(days=30)}
    ids = range(first, first + number)
    with _filling(place) as (connection, list_id, wording):
        _insert(connection, "registrations", (
            _person(n, list_id, now) | until
            | {"id": n, "ref": secrets.token_bytes(16), "state": "pending", "wording_id": wording, "vouched": True}
            for n in ids
        ))  # fmt: skip
        _insert(connection, "outbox", (
            {"mail": "confirm", "mid": secrets.token_hex(16), "registration_id": n, "owed_at": now, "due_at": now,
             "drop_at": until["confirm_by"], "tries": 0}
            for n in ids
        ))  # fmt: skip


def add_token(place: Place, scope: str) -> str:
    secret = f"yt_{secrets.token_urlsafe(32)}"
    row = {"name": "bench", "hash": hashlib.sha256(secret.encode()).digest(), "scope": scope}
    with _filling(place) as (connection, _, _):
        _insert(connection, "tokens", [row | {"made_at": Clock.real_now()}])
    return secret


@contextmanager
def _filling(place: Place) -> Iterator[tuple[sa.Connection, int, str]]:
    """A transaction, the first list and its wording."""
    engine = connect(place.url)
    with engine.begin() as connection:
        wording, list_id = connection.execute(sa.text("SELECT id, list_id FROM wordings ORDER BY list_id")).all()[0]
        yield connection, list_id, wording
    engine.dispose()


def _person(n: int, list_id: int, now: datetime) -> dict[str, Any]:
    return {
        "list_id": list_id, "key": secrets.token_bytes(16), "address": f"person{n}@example{n % 997}.org",
        "name": "Ada", "locale": "en", "registered_at": now,
    }  # fmt: skip


def _insert(connection: sa.Connection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    """As the driver takes them, into the columns that this version's table has."""
    known = {column["name"] for column in sa.inspect(connection).get_columns(table)}
    left = iter(_plain(connection, rows))
    while some := list(islice(left, AT_ONCE)):
        names = [name for name in some[0] if name in known]
        marks = ", ".join(f":{name}" for name in names)
        connection.execute(sa.text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"), some)  # noqa: S608


def _plain(connection: sa.Connection, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        if connection.dialect.name == "sqlite":
            yield {name: sqlite_text(value) if isinstance(value, datetime) else value for name, value in row.items()}
        else:
            yield row
