"""SQLite: which one, and what each connection of it is told first."""

from datetime import datetime
from types import ModuleType
from typing import Any

from subscriptions.store.types import sqlite_text


def sqlite_module() -> ModuleType:
    """The newest SQLite at hand: pysqlite3 brings one that is free of the WAL-reset bug (libraries.md 0.3)."""
    try:
        import pysqlite3

        return pysqlite3  # type: ignore[no-any-return]
    except ImportError:
        import sqlite3

        return sqlite3


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Whether this SQLite is free of the WAL-reset corruption bug of 3.7.0 to 3.51.2."""
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


def make_ready(connection: Any, waits_ms: int) -> None:
    """A new connection behaves: durable, foreign keys on, what is deleted overwritten."""
    sqlite_module().register_adapter(datetime, sqlite_text)
    connection.isolation_level = None  # we say BEGIN ourselves
    connection.execute(f"PRAGMA busy_timeout={waits_ms}")
    safe = wal_is_safe(sqlite_module().sqlite_version_info)
    connection.execute(f"PRAGMA journal_mode={'WAL' if safe else 'DELETE'}")
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
