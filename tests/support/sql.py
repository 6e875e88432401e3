"""The database seen from outside, beside whoever works on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from subscriptions.store.sqlite import sqlite_module


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    """A connection of our own, in a transaction that commits at the end."""
    options: dict[str, Any] = {"module": sqlite_module()} if url.startswith("sqlite") else {}
    engine = sa.create_engine(url, poolclass=sa.NullPool, **options)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def rows(url: str, sql: str, **values: object) -> list[sa.Row[Any]]:
    with connected(url) as connection:
        return list(connection.execute(sa.text(sql), values))


def number(url: str, sql: str, **values: object) -> int:
    return int(rows(url, sql, **values)[0][0] or 0)


def registered(url: str) -> set[str]:
    """The addresses that have signed up."""
    return {str(address) for (address,) in rows(url, "SELECT address FROM registrations")}


def execute(url: str, sql: str, **values: object) -> None:
    with connected(url) as connection:
        connection.execute(sa.text(sql), values)


def emptied(url: str) -> str:
    """The URL of a database without any table, in place of this one."""
    if url.startswith("sqlite"):
        return url.replace(".db", "-empty.db")
    with connected(url) as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    return url
