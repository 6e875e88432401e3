"""Trips to the database: statements that go to the driver itself, on PostgreSQL all of one trip at once.

It is the driver's own pipeline, so what a statement gives can be read only when the trip is over. On SQLite, which is
no way off, they run one after the other.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from subscriptions.store import arrays
from subscriptions.store.engine import Unavailable, begin_sqlite, lost_before_commit, shorter_wait, translated, turn
from subscriptions.store.models import db

T = TypeVar("T")
Connected = Session | Connection
Later = Callable[[], T]  # what is known once the trip is over
Columns = Mapping[str, str]  # with PostgreSQL's type of each
Rows = Sequence[Sequence[Any]]


class Trip:
    """One way there and back."""

    def __init__(self, connection: Connection) -> None:
        self.is_postgres = _is_postgres(connection)
        self._driver: Any = connection.connection.driver_connection

    def ask(self, statement: str, values: Sequence[Any] = ()) -> Later[list[Any]]:
        """Send a statement of ours on its way, with a `?` for each value; its rows are there later."""
        cursor = self._driver.cursor()
        cursor.execute(_of_psycopg(statement) if self.is_postgres else statement, values)
        if self.is_postgres:
            return cursor.fetchall  # type: ignore[no-any-return]
        rows = cursor.fetchall()  # SQLite commits nothing while rows wait to be read
        return lambda: rows

    def with_rows(self, columns: Columns, rows: Rows, statement: str, *more: Any) -> Later[list[Any]]:
        """A statement on the rows `n`, which have these columns; `more`: its other values."""
        if self.is_postgres:
            marks = ", ".join(f"?::{type_}[]" for type_ in columns.values())
            given, values = f"SELECT * FROM unnest({marks})", arrays.by_column(columns, rows)  # noqa: S608 names of ours
        else:
            mark = f"({', '.join('?' * len(columns))})"
            given, values = f"VALUES {', '.join([mark] * len(rows))}", [*chain.from_iterable(rows)]
        return self.ask(f"WITH n({', '.join(columns)}) AS ({given}) {statement}", (*values, *more))

    def insert(self, table: str, columns: Columns, rows: Rows, then: str, *more: Any) -> Later[list[Any]]:
        """Insert rows. `then`: what becomes of one that is there already; `more`: the values of that."""
        into = f"INSERT INTO {table} ({', '.join(columns)})"
        return self.with_rows(columns, rows, f"{into} SELECT * FROM n WHERE true {then}", *more)  # noqa: S608

    def upsert(self, table: str, columns: Columns, rows: Rows, then: str, *more: Any, gives: str) -> Later[list[Any]]:
        """The same, and what the rows are now: the key, which is their first column, and the columns in `gives`.

        SQLite gives them all in one: at each row the driver lets another thread go first.
        """
        if self.is_postgres:
            return self.insert(table, columns, rows, f"{then} RETURNING key, {gives}", *more)
        self.insert(table, columns, rows, then, *more)
        marks = ", ".join("?" * len(rows))
        every = f"SELECT json_group_array(json_array(hex(key), {gives})) FROM {table} WHERE key IN ({marks})"  # noqa: S608
        found = self.ask(every, [row[0] for row in rows])
        return lambda: [(bytes.fromhex(key), *values) for key, *values in json.loads(found()[0][0])]


@lru_cache(256)
def _of_psycopg(statement: str) -> str:
    return statement.replace("?", "%s")


@contextmanager
def in_trips() -> Iterator[Connection]:
    """A transaction that may write, of trips alone: the first begins it, and the last one commits.

    Raises Unavailable or Contention where the database was the cause.
    """
    with translated(), turn(), db.engine.connect() as connection, _by_hand(connection), lost_before_commit():
        yield connection


@contextmanager
def trip(of: Connected, *, last: bool = False) -> Iterator[Trip]:
    """`last`: nothing is asked after it, and that of `in_trips` takes the COMMIT along.

    The first error of all is the one that is told: PostgreSQL passes over what comes behind it, the COMMIT too.
    """
    if isinstance(of, Session):
        of.flush()
    connection = of.connection() if isinstance(of, Session) else of
    driver: Any = connection.connection.driver_connection
    going, by_hand = Trip(connection), isinstance(of, Connection)
    with _told(connection, commits=last and by_hand), driver.pipeline() if going.is_postgres else nullcontext():
        if by_hand:
            _begin(going, connection)
        yield going
        if by_hand and last:
            going.ask("COMMIT")


def _is_postgres(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


@contextmanager
def _by_hand(connection: Connection) -> Iterator[None]:
    """We say BEGIN and COMMIT ourselves: the driver of PostgreSQL would wait for the answer to each."""
    driver: Any = connection.connection.driver_connection
    is_postgres = _is_postgres(connection)
    if is_postgres:
        driver.autocommit = True
    try:
        yield
    finally:
        if not connection.invalidated:
            try:
                driver.rollback()  # nothing, where it is committed
                if is_postgres:
                    driver.autocommit = False
            except connection.dialect.loaded_dbapi.Error:
                connection.invalidate()


def _begin(going: Trip, connection: Connection) -> None:
    """The first trip of a batch, which looks for a few rows, each by an index.

    As long as PostgreSQL has no statistics (after an installation, and while the first flood runs) it would rather
    read whole tables, which grow meanwhile.
    """
    driver: Any = connection.connection.driver_connection
    if not going.is_postgres:
        if not driver.in_transaction:
            begin_sqlite(connection, going.ask)
    elif driver.info.transaction_status.name == "IDLE":
        for statement in ("BEGIN", "SET LOCAL enable_seqscan = off", *shorter_wait()):
            going.ask(statement)


@contextmanager
def _told(connection: Connection, *, commits: bool) -> Iterator[None]:
    """The driver's errors as SQLAlchemy tells them; a connection that is still in its pipeline is thrown away."""
    driver: Any = connection.connection.driver_connection
    of_driver = connection.dialect.loaded_dbapi.Error
    try:
        yield
    except of_driver as error:
        first = _first(error, of_driver)
        is_lost = connection.dialect.is_disconnect(first, driver, None)
        told = DBAPIError.instance(None, None, first, of_driver, connection_invalidated=is_lost)
        if is_lost:
            with suppress(DBAPIError):
                connection.exec_driver_sql("SELECT 1")  # SQLAlchemy sees it for itself, and empties its pool
        if is_lost and commits:
            raise Unavailable("unknown outcome") from told
        raise told from error
    finally:
        if _is_postgres(connection) and not connection.invalidated and driver.info.pipeline_status.name != "OFF":
            connection.invalidate()


def _first(error: Exception, of_driver: Any) -> Any:
    """What went wrong first: what the driver says on its way out came of it."""
    while isinstance(error.__context__, of_driver):
        error = error.__context__
    return error
