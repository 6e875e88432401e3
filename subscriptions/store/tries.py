"""Wrong codes, counted by keyed hash until their time is over."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, or_, select, text, update
from sqlalchemy.orm import Session

from subscriptions.store.models import Try
from subscriptions.store.types import UtcDateTime

_SPEND = text("""
INSERT INTO tries (key, since, count) VALUES (:key, :now, 1) ON CONFLICT (key) DO UPDATE SET
  since = CASE WHEN tries.since <= :edge THEN excluded.since ELSE tries.since END,
  count = CASE WHEN tries.since <= :edge THEN 1 ELSE tries.count + 1 END
RETURNING count
""").bindparams(bindparam("now", type_=UtcDateTime()), bindparam("edge", type_=UtcDateTime()))


def spend(session: Session, key: bytes, now: datetime, period: timedelta) -> int:
    """Count one more in its current period, and hold the count until the transaction ends; how many with this one."""
    return int(session.scalar(_SPEND, {"key": key, "now": now, "edge": now - period}) or 0)


def since(session: Session, key: bytes) -> datetime:
    """When the current period of a count began."""
    return session.scalars(select(Try.since).where(Try.key == key)).one()


def give_back(session: Session, key: bytes) -> None:
    """One that was right was none."""
    session.execute(update(Try).where(Try.key == key).values(count=Try.count - 1))


def forget(session: Session, now: datetime, period: timedelta) -> None:
    """Delete the counts whose period is over; those that somebody counts in just now are left for the next run."""
    over = or_(Try.since <= now - period, Try.since > now)
    free = select(Try.key).where(over).with_for_update(skip_locked=True)
    session.execute(delete(Try).where(Try.key.in_(free)), execution_options={"synchronize_session": False})
