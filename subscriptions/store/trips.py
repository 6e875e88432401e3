"""Trips to the database: statements that go to the driver itself, on PostgreSQL all of one trip at once.

It is the driver's own pipeline, so what a statement gives can be read only when the trip is over. On SQLite, which is
no way off, they run one after the other.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from subscriptions.store.engine import Unavailable, shorter_wait

T = TypeVar("T")
Later = Callable[[], T]  # what is known once the trip is over


class Trip:
    """One way there and back."""

    def __init__(self, connection: Connection) -> None:
        self.is_postgres = connection.dialect.name == "postgresql"
        self._driver: Any = connection.connection.driver_connection

    def ask(self, statement: str, values: Sequence[Any] = ()) -> Later[list[Any]]:
        """Send a statement of ours on its way; its rows are there later."""
        cursor = self._driver.cursor()
        cursor.execute(statement, values)
        return cursor.fetchall  # type: ignore[no-any-return]


@contextmanager
def trip(session: Session, *, commits: bool = False) -> Iterator[Trip]:
    """`commits`: the last one of `engine.in_trips`, which takes the COMMIT along.

    The first error of all is the one that is told: PostgreSQL passes over what comes behind it, the COMMIT too.
    """
    session.flush()
    connection = session.connection()
    going, driver = Trip(connection), connection.connection.driver_connection
    with _told(connection, commits=commits and going.is_postgres):
        if not going.is_postgres:
            yield going
            return
        with driver.pipeline():  # type: ignore[union-attr]
            _begin(going, driver)
            yield going
            if commits:
                going.ask("COMMIT")


def _begin(going: Trip, driver: Any) -> None:
    """Where the driver does not do so by itself, and wait for the answer."""
    if driver.autocommit and driver.info.transaction_status.name == "IDLE":
        for statement in ("BEGIN", *shorter_wait()):
            going.ask(statement)


@contextmanager
def _told(connection: Connection, *, commits: bool) -> Iterator[None]:
    """The driver's errors as SQLAlchemy tells them."""
    driver: Any = connection.connection.driver_connection
    of_driver = connection.dialect.loaded_dbapi.Error
    try:
        yield
    except of_driver as error:
        first = _first(error, of_driver)
        if not connection.dialect.is_disconnect(first, driver, None):
            raise DBAPIError.instance(None, None, first, of_driver) from error
        try:
            connection.exec_driver_sql("SELECT 1")  # SQLAlchemy sees it for itself, and drops what it has in the pool
        except DBAPIError as lost:
            if commits:
                raise Unavailable("unknown outcome") from lost
            raise
    finally:
        _throw_away_if_unfinished(connection)


def _first(error: Exception, of_driver: Any) -> Any:
    """What went wrong first: what the driver says on its way out came of it."""
    while isinstance(error.__context__, of_driver):
        error = error.__context__
    return error


def _throw_away_if_unfinished(connection: Connection) -> None:
    """A connection that could not leave its pipeline is of no use to anybody."""
    if connection.invalidated or connection.dialect.name != "postgresql":
        return
    driver: Any = connection.connection.driver_connection
    if driver.info.pipeline_status.name != "OFF":
        connection.invalidate()
