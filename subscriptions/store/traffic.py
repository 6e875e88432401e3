"""Sign-ups by minute, over all processes, and what the breaker has made of them."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from subscriptions.domain.breaker import HOUR, MINUTE, SETTLES, Cause, Excess, Opening, Openings, Scope, lately
from subscriptions.store import counters, meta
from subscriptions.store.engine import BLIND
from subscriptions.store.models import Meta, Traffic
from subscriptions.store.trips import trip

KEPT = timedelta(days=1)
_OPENINGS, _MAILED_AT, _TOTAL = "openings", "alarm_mailed_at", "total"
Minutes = Mapping[datetime, Mapping[Cause, int]]


def minute_of(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def add(session: Session, minutes: Minutes) -> None:
    """Add what one process has counted."""
    counted = ((minute, *cause, count) for minute, counts in minutes.items() for cause, count in counts.items())
    _put(session, sorted(counted), "t.count + excluded.count")


def _put(session: Session, rows: Sequence[tuple[datetime, str, str, int]], count: str) -> None:
    columns = {"minute": "timestamptz", "kind": "text", "name": "text", "count": "int"}
    if rows:
        with trip(session) as out:
            out.insert("traffic AS t", columns, rows, f"ON CONFLICT (kind, name, minute) DO UPDATE SET count = {count}")


def window(session: Session, now: datetime) -> dict[Cause, int]:
    """Sign-ups of the last 60 seconds by cause, over all processes."""
    current = minute_of(now)
    both = select(Traffic).where(Traffic.minute.in_([current, current - MINUTE]), Traffic.kind != _TOTAL)
    parts: dict[Cause, list[int]] = {}
    for row in session.scalars(both):
        parts.setdefault((Scope(row.kind), row.name), [0, 0])[row.minute == current] += row.count
    return {cause: lately(before, this, now) for cause, (before, this) in parts.items()}


def by_minute(session: Session, since: datetime) -> dict[Cause, dict[datetime, int]]:
    """Sign-ups of each minute from then on, by cause."""
    found: dict[Cause, dict[datetime, int]] = {}
    which = select(Traffic).where(Traffic.minute >= since, Traffic.kind != _TOTAL).order_by(Traffic.minute)
    for row in session.scalars(which):
        found.setdefault((Scope(row.kind), row.name), {})[row.minute] = row.count
    return found


def settled_hour(session: Session, now: datetime) -> tuple[int, int]:
    """Sign-ups of the hour that ended ten minutes ago, and the confirmations since it began.

    From what the counters said then, which is noted on the way: no index and no row of a person is asked.
    """
    totals = counters.totals(session)
    for name in ("sign_ups", "confirmations"):
        if totals[name] != _total_at(session, name, now):
            _put(session, [(minute_of(now), _TOTAL, name, totals[name])], "excluded.count")
    begin, end = now - SETTLES - HOUR, now - SETTLES
    signed_up = (_total_at(session, "sign_ups", end) or 0) - (_total_at(session, "sign_ups", begin) or 0)
    return signed_up, totals["confirmations"] - (_total_at(session, "confirmations", begin) or 0)


def _total_at(session: Session, name: str, at: datetime) -> int | None:
    mine = select(Traffic.count).where(Traffic.kind == _TOTAL, Traffic.name == name)
    found = session.scalar(mine.where(Traffic.minute <= at).order_by(Traffic.minute.desc()).limit(1))
    return found if found is not None else session.scalar(mine.order_by(Traffic.minute).limit(1))


def forget_old(session: Session, now: datetime) -> None:
    over = or_(Traffic.minute <= now - KEPT, Traffic.minute > now)
    session.execute(delete(Traffic).where(over), execution_options=BLIND)


def ensure(session: Session) -> None:
    """Make the row that `hold_openings` holds."""
    if meta.get(session, _OPENINGS) is None:
        meta.put(session, _OPENINGS, "[]")


def openings(session: Session) -> dict[Cause, Opening]:
    """What is on, and what was on lately."""
    return _read(meta.get(session, _OPENINGS))


def hold_openings(session: Session) -> dict[Cause, Opening]:
    """The same, held until the transaction ends: processes decide one after the other."""
    return _read(session.scalar(select(Meta.value).where(Meta.name == _OPENINGS).with_for_update()))


def keep_openings(session: Session, them: Openings) -> None:
    meta.put(session, _OPENINGS, json.dumps([_written(opening) for opening in them.values()]))


def mailed_at(session: Session) -> datetime | None:
    found = meta.get(session, _MAILED_AT)
    return datetime.fromisoformat(found) if found else None


def note_mailed(session: Session, now: datetime) -> None:
    meta.put(session, _MAILED_AT, now.isoformat())


def _written(opening: Opening) -> list[object]:
    excess, times = opening.excess, (opening.since.isoformat(), opening.until.isoformat())
    return [excess.scope.value, excess.name, excess.count, excess.limit, *times, opening.told]


def _read(value: str | None) -> dict[Cause, Opening]:
    found = {}
    for scope, name, count, limit, since, until, told in json.loads(value or "[]"):
        excess = Excess(Scope(scope), name, count, limit)
        times = datetime.fromisoformat(since), datetime.fromisoformat(until)
        found[excess.cause] = Opening(excess, *times, told)
    return found
