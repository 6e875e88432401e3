"""Bringing the schema up to date: by one process at a time, and never backwards."""

from flask import Flask
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from subscriptions.store.engine import meaning_of
from subscriptions.store.models import db

FOLDER = "subscriptions/store/migrations"
HEAD = "0001"  # a test compares it with the files
_LOCK = 7_215_541  # of PostgreSQL's advisory locks; any number that nothing else here uses


class SchemaTooNew(Exception):
    """A newer version of the program has been at this database (O-06)."""


def init_app(app: Flask) -> None:
    """For `flask db`, which developers use; a server does without its imports."""
    from flask_migrate import Migrate

    Migrate(app, db, directory=f"{app.root_path}/{FOLDER}", render_as_batch=True)


def current() -> str | None:
    """The version of the schema, or None where there is none yet."""
    try:
        with db.engine.connect() as connection:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except (OperationalError, ProgrammingError) as error:
        if _is_missing(error):
            return None
        raise meaning_of(error) or error from error


def _is_missing(error: DBAPIError) -> bool:
    return "no such table" in str(error.orig) or getattr(error.orig, "sqlstate", None) == "42P01"


def upgrade() -> bool:
    """Run what is missing; whether anything was. Raises SchemaTooNew."""
    if current() == HEAD:
        return False
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # before the transaction begins: Alembic rebuilds tables, and a cascade would delete their children
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                _upgrade(connection)
        finally:
            connection.invalidate()  # the next one has its foreign keys on
    return True


def _upgrade(connection: Connection) -> None:
    from alembic import command  # here: a start with nothing to do need not load it
    from alembic.config import Config
    from alembic.util import CommandError

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    else:
        connection.execute(text("SELECT 1"))  # BEGIN IMMEDIATE: a second process waits here
    config = Config()
    config.set_main_option("script_location", str(_folder()))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise SchemaTooNew("The database was made by a newer version of this program; nothing was changed.") from error
    if connection.dialect.name == "sqlite":
        broken = connection.execute(text("PRAGMA foreign_key_check")).all()
        if broken:
            raise RuntimeError(f"the migration broke {len(broken)} references; it was undone")


def _folder() -> str:
    from pathlib import Path

    return str(Path(__file__).parent / "migrations")
