"""What guards the sign-up, by hash: what is counted, and what works once.

Each key counts in a period of its own that begins with its first count. What works once is noted when it is used, so
that it is refused afterwards, until it would have expired anyway.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from subscriptions.domain.policy import CLOCKS_DIFFER
from subscriptions.store.engine import BLIND
from subscriptions.store.models import Counted, CountedKey, UsedOnce
from subscriptions.store.trips import Later, Trip, trip
from subscriptions.store.types import time_of

_COLUMNS = {"key": "bytea", "kind": "text", "since": "timestamptz", "count": "int"}
_COUNTED = """
ON CONFLICT (key) DO UPDATE SET
  since = CASE WHEN c.since <= ? THEN excluded.since ELSE c.since END,
  count = CASE WHEN c.since <= ? THEN excluded.count ELSE c.count + excluded.count END
"""
Count = tuple[datetime, int]  # since when the current period of a key is, and how many in it


def add(
    out: Trip, kind: Counted, counts: Mapping[bytes, int], now: datetime, period: timedelta
) -> Later[dict[bytes, Count]]:
    """Count so many more of each key, held until the transaction ends; gives what they come to with these."""
    rows, edge = [(key, kind.value, now, counts[key]) for key in sorted(counts)], now - period  # sorted: no deadlock
    known = out.upsert("counted_keys AS c", _COLUMNS, rows, _COUNTED, edge, edge, gives="since, count")
    return lambda: {bytes(key): (time_of(since) or now, count) for key, since, count in known()}


def add_one(session: Session, kind: Counted, key: bytes, now: datetime, period: timedelta) -> Count:
    """The same for one key, at once."""
    with trip(session) as out:
        count = add(out, kind, {key: 1}, now, period)
    return count()[key]


def give_back(session: Session, key: bytes) -> None:
    """What was counted before it was known to be none."""
    session.execute(update(CountedKey).where(CountedKey.key == key).values(count=CountedKey.count - 1))


def busy_until(session: Session, key: bytes, now: datetime, period: timedelta, at_least: int) -> datetime | None:
    """When the period of a key with so many is over; None where there were fewer."""
    row = session.get(CountedKey, key)
    if row is None or row.count < at_least or row.since > now or row.since + period <= now:
        return None
    return row.since + period


def busiest(session: Session, kind: Counted, now: datetime, period: timedelta, at_least: int) -> tuple[int, int]:
    """How many keys have so many in their current period, and the most that one has; whose they are, nobody can say."""
    many, most = func.count().filter(CountedKey.count >= at_least), func.coalesce(func.max(CountedKey.count), 0)
    which = CountedKey.kind == kind, CountedKey.since > now - period, CountedKey.since <= now
    reached, highest = session.execute(select(many, most).where(*which)).one()
    return reached, highest


def forget(session: Session, kind: Counted, now: datetime, period: timedelta) -> None:
    """Delete those whose period is over; what somebody counts in just now is left for the next run."""
    # what was counted while this waited for its turn is not from a clock that has gone back
    over = or_(CountedKey.since <= now - period, CountedKey.since > now + CLOCKS_DIFFER)
    free = select(CountedKey.key).where(CountedKey.kind == kind, over).with_for_update(skip_locked=True)
    session.execute(delete(CountedKey).where(CountedKey.key.in_(free)), execution_options=BLIND)


_USED = {"hash": "bytea", "until": "timestamptz"}


def use(out: Trip, hashes: Mapping[bytes, datetime]) -> Later[set[bytes]]:
    """Use these up, each until its time; which of them were fresh. Of two at the same moment one wins."""
    if not hashes:
        return set
    ordered = sorted(hashes.items())  # no deadlock
    rows = out.insert("used_once", _USED, ordered, "ON CONFLICT (hash) DO NOTHING RETURNING hash")
    return lambda: {bytes(hash_) for (hash_,) in rows()}


def is_used(session: Session, hash_: bytes) -> bool:
    return session.scalar(select(UsedOnce.hash).where(UsedOnce.hash == hash_)) is not None


def forget_used(session: Session, now: datetime) -> None:
    session.execute(delete(UsedOnce).where(UsedOnce.until <= now), execution_options=BLIND)
