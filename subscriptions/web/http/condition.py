"""How the service is: what stands in its way, and how jobs, outbox and breaker are."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from flask import request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from subscriptions import clock as clocks
from subscriptions.domain.breaker import Opening
from subscriptions.domain.policy import BACKED_UP_EVERY
from subscriptions.domain.refusals import Refusal
from subscriptions.domain.texts import Sentence, marked
from subscriptions.inbound import poll
from subscriptions.jobs import problems
from subscriptions.jobs.jobs import NAMED, late_after
from subscriptions.parts import current_parts
from subscriptions.store import figures, holds, jobs, journal, meta, migrate, outbox, refusals, requests, traffic
from subscriptions.store.engine import Contention, Unavailable, reading
from subscriptions.web.http.headers import ARRIVED
from subscriptions.web.http.problems import GUESSING, MANY_GUESSES

OVERDUE = "legal holds whose review is overdue: {} (yestwice hold show): decide whether they go on"


def look() -> tuple[list[str], dict[str, Any]]:
    """One look serves all who were waiting when it began: strangers who ask all at once keep nobody from an answer."""
    parts = current_parts()
    if parts.look is None or parts.look[0] < request.environ.get(ARRIVED, clocks.Clock.ticks()):
        parts.look = clocks.Clock.ticks(), *_look()
    _, found, details = parts.look
    return found, details


def guesses() -> list[str]:
    """As far as this process has seen any."""
    most = current_parts().guesses.most(current_parts().clock.now())
    return [Sentence(GUESSING, num=most)] if most >= MANY_GUESSES else []


def reviews() -> list[str]:
    """Holds that nobody reviews; without a database that is what /readyz says."""
    try:
        with reading() as session:
            number = holds.number_overdue(session, current_parts().clock.now())
    except (Unavailable, Contention, DBAPIError):
        return []
    return [OVERDUE.format(number)] if number else []


_AWAY = marked("the mailbox in [inbound] has been unreadable since %(time)s: %(why)s")


def mailbox() -> list[str]:
    """That nobody reads what comes; without a database that is what /readyz says."""
    with suppress(Unavailable, Contention, DBAPIError):
        fault = poll.fault() if current_parts().settings.inbound.imap_host else None
        return [Sentence(_AWAY, time=clocks.text(fault.since), why=fault.why)] if fault else []
    return []


_OVERDUE = "requests of people about their data are overdue: {}; the law gives a month (GDPR, Article 12(3))"


def overdue() -> list[str]:
    """As a finding, where there are any."""
    number = look()[1].get("requests", {}).get("overdue", 0)
    return [_OVERDUE.format(number)] if number else []


def warnings() -> list[str]:
    """What is allowed and will hurt, and what has risen in the last days."""
    return [*current_parts().warnings, *guesses(), *overdue(), *mailbox(), *backups(),
            *look()[1].get("returns", ())]  # fmt: skip


NO_BACKUP = marked("there is no backup yet: run yestwice backup every day")
OLD_BACKUP = marked("the last backup was made at %(time)s: run yestwice backup every day")
UNNOTED = marked(
    "at %(time)s the deletion journal could not be written (%(why)s), so a restore of an earlier backup would not know "
    "who said no then: see to its folder, then make a backup"
)


def backups() -> list[str]:
    """What a restore would lack; without a database that is what /readyz says. Nobody restores what was made up."""
    if not current_parts().catalogue.is_live:
        return []
    try:
        with reading() as session:
            last, first = meta.last_backup(session), next((at for at, _ in meta.versions(session)), None)
            failed, _, why = (meta.get(session, journal.FAILED) or "").partition(" ")
    except (Unavailable, Contention, DBAPIError):
        return []
    said: list[str] = []
    if (since := last or first) and since < current_parts().clock.now() - BACKED_UP_EVERY:
        said.append(Sentence(OLD_BACKUP, time=clocks.text(last)) if last else Sentence(NO_BACKUP))
    if failed and (last is None or last < datetime.fromisoformat(failed)):
        said.append(Sentence(UNNOTED, time=failed, why=why))
    return said


def _look() -> tuple[list[str], dict[str, Any]]:
    now = current_parts().clock.now()
    try:
        if migrate.current() != migrate.HEAD:
            return [Sentence(marked("the database schema is not up to date: run yestwice migrate"))], {}
        with reading() as session:
            return problems.found(session, current_parts(), now, late_after()), _details(session, now)
    except (Unavailable, Contention, DBAPIError):
        return [Sentence(marked("the database does not answer"))], {}


def _details(session: Session, now: datetime) -> dict[str, Any]:
    waiting, oldest = outbox.waiting(session)
    return {
        "jobs": {job.name: {"ended_at": clocks.text(job.ended_at) if job.ended_at else None, "count": job.count}
                 for job in jobs.all_of(session) if job.name in NAMED},
        "outbox": {"waiting": waiting, "oldest_seconds": age(oldest, now),
                   "set_aside": refusals.number(session, Refusal.ASIDE)},
        "returns": figures.risen(session, current_parts().catalogue.slugs, now),
        "requests": dict(zip(("due", "overdue"), requests.number_due(session, now.date()), strict=True)),
        "breaker": [Sentence(marked("%(what)s; on until %(time)s"), what=current_parts().watch.sentence(opening.excess),
                             time=clocks.text(opening.until)) for opening in on(session, now)],
    }  # fmt: skip


def on(session: Session, now: datetime) -> list[Opening]:
    return [opening for opening in traffic.openings(session).values() if opening.is_on(now)]


def age(since: datetime | None, now: datetime) -> float:
    return max(0.0, round((now - since).total_seconds(), 1)) if since else 0.0
