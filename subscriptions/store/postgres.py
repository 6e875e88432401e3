"""Connections to PostgreSQL that wait for an answer no longer than the act at hand may."""

from math import inf
from typing import Any, cast

from psycopg import Connection
from psycopg.abc import RV, PQGen
from psycopg.errors import _WaitTimeout
from sqlalchemy.engine.interfaces import DBAPIConnection

from subscriptions import deadline

GRACE = 1.0  # seconds past it, in which the server may say itself that a lock was waited for in vain


class Timely(Connection[Any]):
    """A server that stands still keeps its connections, and says nothing on them: its kernel takes what we say."""

    def wait(self, gen: PQGen[RV], *args: Any, **options: Any) -> RV:
        """Raises OperationalError where it took too long; what comes then would be the answer to something else."""
        if (left := deadline.left(inf)) == inf:
            return super().wait(gen, *args, **options)
        try:
            return super().wait(gen, *args, **{"timeout": left + GRACE} | options)
        except _WaitTimeout:
            self.close()
            raise

    def __del__(self, *_: Any) -> None:
        """A pool that is disposed of while a thread holds one of its connections lets go of it when it comes back."""
        if hasattr(self, "pgconn"):
            self.pgconn.finish()


def connect(_dialect: object, _record: object, arguments: Any, options: Any) -> DBAPIConnection:
    """For SQLAlchemy's event `do_connect`."""
    return cast(DBAPIConnection, Timely.connect(*arguments, **options))
