"""SQLite: which one, and what each connection of it is told first."""

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
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


def files_of(database: str | None) -> list[Path]:
    """The file of a database, and those beside it, as far as they are there."""
    if database in (None, "", ":memory:"):
        return []
    return [path for end in ("", "-wal", "-shm", "-journal") if (path := Path(f"{database}{end}")).is_file()]


def keep_private(_dialect: object, _record: object, arguments: Any, _options: object) -> None:
    """For SQLAlchemy's event `do_connect`: for this user's eyes alone, whatever the umask says or another has set.

    SQLite gives the files beside it the same rights. None is opened that is there: to close it would end locks on it.
    """
    database = str(arguments[0])
    with suppress(OSError):  # what cannot be made is said by whoever connects; what stays open to others, by a finding
        if database and database != ":memory:" and not Path(database).exists():
            os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        for path in lax(files_of(database)):
            path.chmod(0o600)


def lax(paths: Iterable[Path]) -> list[Path]:
    """Those which others than their user may read or write."""
    return [path for path in paths if path.stat().st_mode & 0o077]


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
    # 16 MB before what was written is copied: under load the same pages are written again and again (4 % of a sign-up)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF", "secure_delete=ON",
                   "wal_autocheckpoint=4000"):  # fmt: skip
        connection.execute(f"PRAGMA {pragma}")
