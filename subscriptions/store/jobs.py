"""Who runs a job now, and how its last run went: one conditional update decides."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from subscriptions.store.models import Job

LEASE = timedelta(seconds=60)


def ensure(session: Session, names: Sequence[str]) -> None:
    known = set(session.scalars(select(Job.name)))
    session.add_all(Job(name=name, slot=0, epoch=0, count=0) for name in names if name not in known)


def claim(session: Session, name: str, now: datetime, slot: int | None) -> int | None:
    """Take a job for this slot, or None: somebody runs it, or has run it. No slot: a run asked for by a person.

    The result is the epoch: it stands in the WHERE of what the run does last, so that a run whose lease
    was lost cannot end the run of another.
    """
    # a lease further ahead than one can be was set by a clock that has gone back since
    free = or_(Job.lease_until.is_(None), Job.lease_until <= now, Job.lease_until > now + LEASE)
    mine = update(Job).where(Job.name == name, free)
    values: dict[str, object] = {"lease_until": now + LEASE, "epoch": Job.epoch + 1}
    if slot is not None:
        mine = mine.where(or_(Job.slot < slot, Job.slot > slot + 1))
        values["slot"] = slot
    return session.scalar(mine.values(**values).returning(Job.epoch))


def renew(session: Session, name: str, epoch: int, now: datetime) -> bool:
    mine = update(Job).where(Job.name == name, Job.epoch == epoch).values(lease_until=now + LEASE)
    return session.scalar(mine.returning(Job.epoch)) is not None


def release(session: Session, name: str, epoch: int, now: datetime, count: int, error: str | None) -> None:
    """End a run. One that failed leaves the time of the last good one, and its slot, to be tried again."""
    values: dict[str, object] = {"lease_until": None, "error": error, "count": count}
    values |= {"ended_at": now} if error is None else {"slot": Job.slot - 1}
    session.execute(update(Job).where(Job.name == name, Job.epoch == epoch).values(**values))


def find(session: Session, name: str) -> Job | None:
    return session.get(Job, name)


def all_of(session: Session) -> Sequence[Job]:
    return session.scalars(select(Job).order_by(Job.name)).all()


def hold(session: Session, name: str) -> Job | None:
    """The same as `find`, held until the transaction ends."""
    return session.get(Job, name, with_for_update=True, populate_existing=True)


def pause(session: Session, name: str, until: datetime | None, error: str | None) -> bool:
    """Pause, or go on (`until` none); whether that changes anything, so that it is said once."""
    job = hold(session, name)
    if job is None:
        return False
    changes = (job.pause_until is None) is not (until is None)
    job.pause_until, job.error = until, error
    session.flush()
    return changes


def allowance(session: Session, now: datetime, per_minute: int) -> int:
    """How many more mails may leave in this minute, over all processes; holds the count until the transaction ends."""
    relay = session.scalars(select(Job).where(Job.name == "relay").with_for_update()).one()
    minute = int(now.timestamp() // 60)
    if relay.slot != minute:
        relay.slot, relay.count = minute, 0
        session.flush()
    return max(0, per_minute - relay.count)


def spend(session: Session, number: int) -> None:
    """Count mails that leave in this minute."""
    session.execute(update(Job).where(Job.name == "relay").values(count=Job.count + number))


def note(session: Session, name: str, now: datetime, count: int) -> None:
    """Note a good run of a job that needs no lease; at most once a minute when it had nothing to do."""
    stale = or_(Job.ended_at.is_(None), Job.ended_at < now - timedelta(minutes=1), Job.ended_at > now)
    which = update(Job).where(Job.name == name)
    session.execute((which if count else which.where(stale)).values(ended_at=now, count=count))
