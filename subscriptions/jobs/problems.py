"""What stands in the way of the service now, and since when nothing has."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from subscriptions import clock
from subscriptions.domain.texts import Sentence, marked
from subscriptions.parts import Parts
from subscriptions.store import jobs, meta
from subscriptions.store.models import Job

_LAST = "last_problem"  # when there was one, within a minute
LateAfter = Mapping[str, timedelta]  # by the name of the job


def found(
    session: Session, parts: Parts, now: datetime, late_after: LateAfter, began: datetime | None = None
) -> list[str]:  # fmt: skip
    """`began`: when the service did, where this process is another."""
    said: list[str] = []
    if why := parts.watch.unwritable:
        said.append(Sentence(marked("the database cannot be written to (%(why)s): is its disk full?"), why=why))
    for job in jobs.all_of(session):
        if job.pause_until is not None and job.error:
            said.append(Sentence(marked("%(job)s is paused: %(why)s"), job=job.name, why=job.error))
        elif job.name in late_after and _is_late(job, now - late_after[job.name], began or parts.began):
            said.append(Sentence(marked("%(job)s is late: %(why)s"), job=job.name, why=job.error or _ran(job)))
    return said


def _ran(job: Job) -> Sentence:
    if job.ended_at is None:
        return Sentence(marked("it has never succeeded"))
    return Sentence(marked("it last succeeded at %(time)s"), time=clock.text(job.ended_at))


def are_emails_paused(said: Iterable[str]) -> bool:
    """Whether one of these is that the mail server refuses them."""
    return any(one.startswith("deliver is paused") for one in said)


def _is_late(job: Job, over: datetime, began: datetime) -> bool:
    """A service that has just started is given the time that a job needs, unless that has been tried and did not do."""
    return (job.ended_at is None or job.ended_at < over) and (job.error is not None or began < over)


def note(session: Session, parts: Parts, now: datetime, late_after: LateAfter) -> None:
    """Write down that not all is well: something stands in the way, or for a while no process was there to look."""
    tidied = jobs.find(session, "tidy")
    was_away = tidied and tidied.ended_at and tidied.ended_at < now - late_after["tidy"]
    if was_away or found(session, parts, now, late_after):
        meta.put(session, _LAST, clock.text(now))


def well_since(session: Session) -> datetime | None:
    """When the last problem ended, or when the service first ran; none: that was before it was noted."""
    last, versions = meta.get(session, _LAST), meta.versions(session)
    return datetime.fromisoformat(last) if last else versions[0][0] if versions else None
