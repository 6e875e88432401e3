"""How often what has happened, kept so that processes do not wait for each other."""

import os
import threading
from collections import Counter as Counts
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Generic, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from subscriptions.store.models import Counter
from subscriptions.store.trips import Trip, trip

T = TypeVar("T")
SHARDS = 64
NAMES = (
    "sign_ups limited not_mailable disposable preferences batches confirmations withdrawals disowned cancelled blocked "
    "purged proofs_purged erased mails_sent mails_given_up mails_dropped suspected proof_asked passed bad_signatures"
).split()

_COLUMNS = {"name": "text", "shard": "int", "value": "bigint"}


def add(session: Session, counts: Mapping[str, int]) -> None:
    """Add to counters, each process to its own shard."""
    with trip(session) as out:
        write(out, counts)


def write(out: Trip, *counts: Mapping[str, int]) -> None:
    """The same on the trip of an act; counts of several may be of the same."""
    shard, sums = os.getpid() % SHARDS, Counts[str]()
    for some in counts:
        sums.update(some)
    rows = sorted((name, shard, value) for name, value in sums.items() if value)
    if rows:
        added = "ON CONFLICT (name, shard) DO UPDATE SET value = c.value + excluded.value"
        out.insert("counters AS c", _COLUMNS, rows, added)


def totals(session: Session) -> dict[str, int]:
    """Every counter, also those at nought: an alarm has to see the first step from there."""
    return dict.fromkeys(NAMES, 0) | dict(
        session.execute(select(Counter.name, func.sum(Counter.value)).group_by(Counter.name)).all()
    )


def total(session: Session, name: str) -> int:
    return session.scalar(select(func.sum(Counter.value)).where(Counter.name == name)) or 0


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
