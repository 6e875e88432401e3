"""How the service is: what stands in its way, and how jobs, outbox and breaker are."""

from datetime import datetime
from typing import Any

from flask import request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from subscriptions import clock as clocks
from subscriptions.domain.breaker import Opening
from subscriptions.domain.refusals import Refusal
from subscriptions.jobs.jobs import NAMED
from subscriptions.parts import current_parts
from subscriptions.store import jobs, migrate, outbox, refusals, traffic
from subscriptions.store.engine import Contention, Unavailable, reading
from subscriptions.store.models import Job
from subscriptions.web.http.headers import ARRIVED
from subscriptions.web.http.problems import GUESSING, MANY_GUESSES


def look() -> tuple[list[str], dict[str, Any]]:
    """One look serves all who were waiting when it began: strangers who ask all at once keep nobody from an answer."""
    parts = current_parts()
    if parts.look is None or parts.look[0] < request.environ.get(ARRIVED, clocks.Clock.ticks()):
        parts.look = clocks.Clock.ticks(), *_look()
    _, problems, details = parts.look
    return problems, details


def guesses() -> list[str]:
    """As far as this process has seen any."""
    most = current_parts().guesses.most(current_parts().clock.now())
    return [GUESSING.format(most)] if most >= MANY_GUESSES else []


def _look() -> tuple[list[str], dict[str, Any]]:
    now = current_parts().clock.now()
    try:
        if migrate.current() != migrate.HEAD:
            return ["the database schema is not up to date: run yestwice migrate"], {}
        with reading() as session:
            return _problems(session, now), _details(session, now)
    except (Unavailable, Contention, DBAPIError):
        return ["the database does not answer"], {}


def _problems(session: Session, now: datetime) -> list[str]:
    found = []
    if why := current_parts().watch.unwritable:
        found.append(f"the database cannot be written to ({why}): is its disk full?")
    for job in jobs.all_of(session):
        if job.pause_until is not None and job.error:
            found.append(f"{job.name} is paused: {job.error}")
        elif job.name in NAMED and _is_late(job, now):
            ran = f"it last succeeded at {clocks.text(job.ended_at)}" if job.ended_at else "it has never succeeded"
            found.append(f"{job.name} is late: {job.error or ran}")
    return found


def _is_late(job: Job, now: datetime) -> bool:
    """A service that has just started is given the time that a job needs, unless that has been tried and did not do."""
    over, began = now - NAMED[job.name].late_after, current_parts().began
    return (job.ended_at is None or job.ended_at < over) and (job.error is not None or began < over)


def _details(session: Session, now: datetime) -> dict[str, Any]:
    waiting, oldest = outbox.waiting(session)
    return {
        "jobs": {job.name: {"ended_at": clocks.text(job.ended_at) if job.ended_at else None, "count": job.count}
                 for job in jobs.all_of(session) if job.name in NAMED},
        "outbox": {"waiting": waiting, "oldest_seconds": age(oldest, now),
                   "set_aside": refusals.number(session, Refusal.ASIDE)},
        "breaker": [f"{current_parts().watch.sentence(opening.excess)}; on until {clocks.text(opening.until)}"
                    for opening in on(session, now)],
    }  # fmt: skip


def on(session: Session, now: datetime) -> list[Opening]:
    return [opening for opening in traffic.openings(session).values() if opening.is_on(now)]


def age(since: datetime | None, now: datetime) -> float:
    return max(0.0, round((now - since).total_seconds(), 1)) if since else 0.0
