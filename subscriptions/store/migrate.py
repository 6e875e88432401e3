"""Bringing the schema up to date: by one process at a time, and never backwards."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flask import Flask
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from subscriptions.store.engine import Contention, translated
from subscriptions.store.models import db

FOLDER = Path(__file__).parent / "migrations"
HEAD = "0026"  # a test compares it with the files
WAITS_MS = 600_000  # for another process that is migrating: a million sign-ups take a minute or two
_LOCK = 7_215_541  # of PostgreSQL's advisory locks; any number that nothing else here uses


class SchemaTooNew(Exception):
    """A newer version of the program has been at this database."""


def init_app(app: Flask) -> None:
    """For `flask db`, which developers use; a server does without its imports."""
    from flask_migrate import Migrate

    Migrate(app, db, directory=str(FOLDER), render_as_batch=True)


def versions() -> set[str]:
    """Of the schema, as far as this program knows them."""
    return {path.name.partition("_")[0] for path in (FOLDER / "versions").glob("0*.py")}


def current() -> str | None:
    """The version of the schema, or None where there is none yet."""
    with translated():
        try:
            with db.engine.connect() as connection:
                return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        except DBAPIError as error:
            if _is_missing(error):
                return None
            raise


def _is_missing(error: DBAPIError) -> bool:
    return "no such table" in str(error.orig) or getattr(error.orig, "sqlstate", None) == "42P01"


def upgrade() -> bool:
    """Run what is missing; whether anything was. Raises SchemaTooNew."""
    with suppress(Contention):  # a rollback journal lets nobody read while another process migrates: wait below
        if current() == HEAD:
            return False
    to_version("head")
    return True


def to_version(version: str, connection: Connection | None = None) -> None:
    """Up to that one; on a connection that is `alone` already, or one of its own. Raises SchemaTooNew."""
    from alembic import command  # here: a start with nothing to do need not load it
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER))
    try:
        command.upgrade(config, version)
    except CommandError as error:
        raise SchemaTooNew("The database was made by a newer version of this program; nothing was changed.") from error


@contextmanager
def alone() -> Iterator[Connection]:
    """What Alembic runs on, whoever calls it: one transaction, of one process at a time.

    On SQLite without foreign keys: Alembic rebuilds tables, and a cascade would delete the rows of their children.
    There a rename also looks at every trigger, and refuses while a table of one is away, unless it is the old one.
    """
    with translated(), db.engine.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        if is_sqlite:
            raw = connection.connection.driver_connection
            assert raw is not None
            for pragma in ("foreign_keys=OFF", "legacy_alter_table=ON", f"busy_timeout={WAITS_MS}"):
                raw.execute(f"PRAGMA {pragma}")  # before the transaction begins: in one it would do nothing
        try:
            with connection.begin():
                one_at_a_time(connection)
                yield connection
                broken = connection.execute(text("PRAGMA foreign_key_check")).all() if is_sqlite else []
                if broken:
                    raise RuntimeError(f"the migration broke {len(broken)} references; it was undone")
        finally:
            connection.invalidate()  # the next one has its foreign keys on


def one_at_a_time(connection: Connection) -> None:
    """Of processes that start at once each waits here, until the transaction of the one before has ended."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = {WAITS_MS}"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        connection.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
    else:
        connection.execute(text("SELECT 1"))  # BEGIN IMMEDIATE waits
