"""How we talk to the two databases: connections, transactions, and what their errors mean."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolIsEmpty
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from subscriptions import deadline
from subscriptions.store import sqlite
from subscriptions.store.models import db

P = ParamSpec("P")
T = TypeVar("T")

BLIND = {"synchronize_session": False}  # an execution option, for what changes in bulk rows that no session holds
# a server that is gone without a word: the first with something on its way to it, the others while it is waited for
_GONE = {"tcp_user_timeout": 5000, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
WAITS_MS = 4000  # for a lock; nobody waits longer than 5 s for an answer


class Unavailable(Exception):
    """The database cannot be used now: no connection, no room on the disk, or a COMMIT whose outcome is unknown."""


class WentLive(Unavailable):
    """The database was for trying out when this process began, and is not any more."""


class Contention(Exception):
    """Another transaction was in the way; the same again may succeed."""


class _Pool(QueuePool):
    """Waits for a free connection no longer than the act at hand may."""

    @property
    def _timeout(self) -> float:
        return deadline.left(self._at_most)

    @_timeout.setter
    def _timeout(self, seconds: float) -> None:
        self._at_most = seconds


def engine_options(url: str, connections: int) -> dict[str, Any]:
    """Arguments of create_engine for `url`, with room for `connections` at once."""
    # the connection used last first: its pages and prepared statements are warm
    pool: dict[str, Any] = {
        "poolclass": _Pool, "pool_size": connections, "max_overflow": 4, "pool_timeout": 5, "pool_use_lifo": True,
    }  # fmt: skip
    if make_url(url).get_backend_name() == "sqlite":
        # the module's own timeout waits in sqlite3_busy_timeout, like the pragma; the statements of a batch differ by
        # its size, and to prepare those of twelve sign-ups anew takes 130 us
        arguments = {"check_same_thread": False, "cached_statements": 256}
        return pool | {"module": sqlite.sqlite_module(), "connect_args": arguments}
    options = f"-c lock_timeout={WAITS_MS} -c idle_in_transaction_session_timeout=60000 -c timezone=UTC"
    return pool | {"connect_args": {"connect_timeout": 3, "options": options, **_GONE}}


def prepare_engine(engine: Engine) -> None:
    """No wait for a lock is longer than the act at hand may take; SQLite durable, its writers announced first."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "do_connect", sqlite.keep_private)
        event.listen(engine, "connect", lambda connection, _: sqlite.make_ready(connection, WAITS_MS))
        event.listen(engine, "begin", _sqlite_begin)
    else:
        from subscriptions.store import postgres  # here: its driver is needed with this database alone

        event.listen(engine, "do_connect", postgres.connect)
        event.listen(engine, "begin", _postgres_begin)


def _sqlite_begin(connection: Connection) -> None:
    how = connection.get_execution_options().get("sqlite_begin", "IMMEDIATE")
    if how != "NONE":
        begin_sqlite(connection, connection.exec_driver_sql, how)


def begin_sqlite(connection: Connection, run: Callable[[str], object], how: str = "IMMEDIATE") -> None:
    """A transaction waits for the others until the deadline; one that writes says so at once."""
    wait = _wait_ms()
    if wait != connection.info.get("busy_timeout", WAITS_MS):  # it stays so until it is said anew
        run(f"PRAGMA busy_timeout={wait}")
        connection.info["busy_timeout"] = wait
    run(f"BEGIN {how}")


def _postgres_begin(connection: Connection) -> None:
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":  # there is no transaction
        for statement in shorter_wait():
            connection.exec_driver_sql(statement)


def shorter_wait() -> Iterator[str]:
    """What a transaction of PostgreSQL begins with where its deadline is near."""
    wait = _wait_ms()
    if wait < WAITS_MS:
        yield f"SET LOCAL lock_timeout = {wait}"


def _wait_ms() -> int:
    """How long a lock may be waited for now; at least a moment, since PostgreSQL takes 0 for ever."""
    return max(1, round(deadline.left(WAITS_MS / 1000) * 1000))


@contextmanager
def transaction() -> Iterator[Session]:
    """One transaction that may write: commits at the end, rolls back on any exception.

    Raises Unavailable or Contention where the database was the cause.
    """
    session = Session(db.engine, expire_on_commit=False)
    with translated(), turn(), session, session.begin(), lost_before_commit():
        yield session


@contextmanager
def lost_before_commit() -> Iterator[None]:
    """Nothing is written, and a new connection may serve."""
    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Contention("connection lost") from error
        raise


_writing = threading.Lock()


@contextmanager
def turn() -> Iterator[None]:
    """SQLite has one writer: threads of this process queue here, where waiting is being woken.

    Its own way is to sleep and look again, up to 100 ms at a time (measured: p95 of sign-ups 125 ms, then 40).
    """
    if db.engine.dialect.name != "sqlite":
        yield
        return
    if not _writing.acquire(timeout=deadline.left(WAITS_MS / 1000)):
        raise Contention("busy")
    try:
        yield
    finally:
        _writing.release()


def repeated(action: Callable[P, T]) -> Callable[P, T]:
    """An action that is tried once more, whole, where another transaction was in the way."""

    @wraps(action)
    def tried(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return action(*args, **kwargs)
        except Contention as error:
            if not deadline.left(1):
                raise Unavailable(str(error)) from error
        try:
            return action(*args, **kwargs)
        except Contention as error:
            raise Unavailable(str(error)) from error

    return tried


@contextmanager
def reading() -> Iterator[Session]:
    """One transaction that only reads; on SQLite it holds up no writer."""
    engine = db.engine.execution_options(sqlite_begin="DEFERRED")
    with translated(), Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def outside_transaction() -> Iterator[Connection]:
    """A connection in autocommit, for VACUUM and pragmas."""
    # SQLAlchemy's AUTOCOMMIT would leave SQLite's module in another mode than ours when the connection goes back
    how = {"sqlite_begin": "NONE"} if db.engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
    with translated(), db.engine.connect() as connection:
        yield connection.execution_options(**how)


@contextmanager
def translated() -> Iterator[None]:
    """Database errors as what they mean for us: Unavailable, Contention, or themselves."""
    try:
        yield
    except PoolIsEmpty as error:
        raise Unavailable("all connections are in use") from error
    except DBAPIError as error:
        meaning = meaning_of(error)
        if meaning is None:
            raise
        raise meaning from error


_BUSY = ("database is locked", "database table is locked")
_SQLITE_GONE = (
    "disk i/o error", "disk is full", "unable to open database file", "readonly database", "malformed",
    "file is not a database",
)  # fmt: skip


def meaning_of(error: DBAPIError) -> Exception | None:
    """Unavailable or Contention where the database is the cause, None where the data is."""
    state = getattr(error.orig, "sqlstate", None)
    if state in ("40001", "40P01", "55P03"):
        return Contention(state)
    # 08 connection, 53 resources (disk full, too many connections), 57P shutdown, 58 system error
    if error.connection_invalidated or (state or "").startswith(("08", "53", "57P", "58")):
        return Unavailable(state or type(error.orig).__name__)
    said = str(error.orig).lower()
    if any(words in said for words in _BUSY):
        return Contention("busy")
    if any(words in said for words in _SQLITE_GONE) or (state is None and _lost(error)):
        return Unavailable(type(error.orig).__name__)
    return None


def _lost(error: DBAPIError) -> bool:
    """psycopg's errors without a state: no connection could be made, or it broke."""
    orig = error.orig
    lost = ("OperationalError", "ConnectionTimeout", "InterfaceError")
    return type(orig).__module__.startswith("psycopg") and type(orig).__name__ in lost
