"""How often what has happened, kept so that processes do not wait for each other."""

import os
import threading
from collections import Counter as Counts
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Generic, NamedTuple, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from subscriptions.store.models import Counter
from subscriptions.store.trips import Trip, trip

T = TypeVar("T")
SHARDS = 64
NAMES = (
    "sign_ups limited not_mailable disposable preferences batches confirmations withdrawals disowned cancelled blocked "
    "purged proofs_purged erased mails_sent mails_given_up mails_dropped suspected proof_asked passed bad_signatures "
    "returned bounced complaints journal_failures"
).split()

_COLUMNS = {"list_id": "int", "day": "text", "name": "text", "shard": "int", "value": "bigint"}


class Daily(NamedTuple):
    """What is counted of one list on one day (UTC), or in all where the day is empty."""

    list_id: int
    day: str
    name: str


Noted = Mapping[str, int] | Mapping[Daily, int]  # a mere name is counted of the whole service
_OF_ALL = Counter.list_id == 0, Counter.day == ""


def add(session: Session, *counts: Noted) -> None:
    """Add to counters, each process to its own shard."""
    with trip(session) as out:
        write(out, *counts)


def write(out: Trip, *counts: Noted) -> None:
    """The same on the trip of an act; counts of several may be of the same."""
    shard, sums = os.getpid() % SHARDS, Counts[Daily]()
    for some in counts:
        for key, value in some.items():
            sums[key if isinstance(key, Daily) else Daily(0, "", key)] += value
    rows = sorted((*key, shard, value) for key, value in sums.items() if value)
    if rows:
        added = "ON CONFLICT (list_id, day, name, shard) DO UPDATE SET value = c.value + excluded.value"
        out.insert("counters AS c", _COLUMNS, rows, added)


def totals(session: Session) -> dict[str, int]:
    """Every counter of the whole service, also those at nought: an alarm has to see the first step from there."""
    of_all = select(Counter.name, func.sum(Counter.value)).where(*_OF_ALL).group_by(Counter.name)
    return dict.fromkeys(NAMES, 0) | dict(session.execute(of_all).all())


def total(session: Session, name: str) -> int:
    return session.scalar(select(func.sum(Counter.value)).where(*_OF_ALL, Counter.name == name)) or 0


class Tally(Generic[T]):
    """Counts of what leaves no other trace, in memory until the next write of this process takes them along.

    A program that is turned away a thousand times a second must not cost us a thousand commits.
    """

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Also in a forked child: its parent writes what it has counted."""
        self._counts: Counts[T] = Counts()
        self._guard = threading.Lock()

    def note(self, name: T) -> None:
        with self._guard:
            self._counts[name] += 1

    def waiting(self) -> dict[T, int]:
        with self._guard:
            return dict(self._counts)

    @contextmanager
    def taken(self) -> Iterator[dict[T, int]]:
        """What waits, for a transaction to write; it waits again if that fails."""
        with self._guard:
            counts, self._counts = self._counts, Counts()
        try:
            yield dict(counts)
        except BaseException:
            with self._guard:
                self._counts += counts
            raise
