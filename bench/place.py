"""Where a run happens: a version of the program, an empty database and a folder of its own."""

import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import sqlalchemy as sa

from bench.commands import Common
from bench.versions import Version
from subscriptions.store.engine import engine_options, prepare_engine

Databases = Callable[[Path], AbstractContextManager[str]]


@dataclass(frozen=True, slots=True)
class Place:
    """One version on one empty database."""

    version: Version
    url: str
    folder: Path
    common: Common


@contextmanager
def places(common: Common) -> Iterator[Callable[[Version], AbstractContextManager[Place]]]:
    """Makes places, one after the other, each empty."""
    with _databases(common) as database:

        @contextmanager
        def place(version: Version) -> Iterator[Place]:
            with tempfile.TemporaryDirectory(prefix="bench-") as name, database(Path(name)) as url:
                yield Place(version, url, Path(name), common)

        yield place


def connect(url: str) -> sa.Engine:
    """The database beside the server, from outside."""
    engine = sa.create_engine(url, **engine_options(url, 2))
    prepare_engine(engine)
    return engine


@contextmanager
def _databases(common: Common) -> Iterator[Databases]:
    if common.postgres:
        with _postgres() as databases:
            yield databases
    elif common.database:
        url = common.database
        _refuse_used(url)
        yield lambda folder: _emptied_after(url)
    else:
        yield _in_folder


@contextmanager
def _in_folder(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder}/bench.db"


@contextmanager
def _emptied_after(url: str) -> Iterator[str]:
    try:
        yield url
    finally:
        empty(url)


def _refuse_used(url: str) -> None:
    """Before a server starts on it, whose jobs would purge what is due there, and before anything is dropped."""
    try:
        engine = connect(url)
        tables = sa.inspect(engine).get_table_names()
        engine.dispose()
    except sa.exc.DBAPIError as error:
        raise click.ClickException(f"The database does not answer: {type(error.orig).__name__}.") from error
    except sa.exc.ArgumentError:
        raise click.ClickException("--database is no URL of a database.") from None
    if tables:
        raise click.ClickException(f"The database holds {len(tables)} tables; the benchmark wants an empty one.")


def empty(url: str) -> None:
    """Drop what a run has made in a database that was empty before it."""
    engine = connect(url)
    postgres = engine.dialect.name == "postgresql"
    with engine.connect() as connection:
        found = sa.inspect(connection).get_table_names()
        functions = connection.exec_driver_sql(_FUNCTIONS).scalars().all() if postgres else []
        connection.rollback()
        if not postgres:
            connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
        for table in found:
            connection.exec_driver_sql(f'DROP TABLE "{table}"{" CASCADE" if postgres else ""}')
        for name in functions:
            connection.exec_driver_sql(f"DROP FUNCTION {name}")
        connection.commit()
    engine.dispose()


_FUNCTIONS = """
SELECT DISTINCT t.tgfoid::regprocedure::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace
"""


@contextmanager
def _postgres() -> Iterator[Databases]:
    """A real one with its data on the disk, by the programs that the tests use or those of the system."""
    try:
        from tests.support.postgres import PostgresServer
    except ImportError:
        raise click.ClickException("--postgres needs the folder tests/ of the repository.") from None
    server = PostgresServer(durable=True)
    try:
        server.start()
    except RuntimeError as error:
        server.remove()
        raise click.ClickException(f"--postgres cannot start one: {error}") from None
    numbers = itertools.count()

    @contextmanager
    def database(folder: Path) -> Iterator[str]:
        name = f"bench_{next(numbers)}"
        yield server.create_database(name)
        server.drop_database(name)

    try:
        yield database
    finally:
        server.remove()
