"""One runner among many processes: a run begins with a claim in the database and ends with its release."""

import logging
from datetime import datetime

from subscriptions.clock import Clock
from subscriptions.domain.policy import CLOCK_JUMP
from subscriptions.jobs.jobs import Job, Run
from subscriptions.parts import Parts
from subscriptions.store import audit
from subscriptions.store import jobs as store
from subscriptions.store.audit import Act
from subscriptions.store.engine import transaction

log = logging.getLogger(__name__)


class ClockJumped(Exception):
    """The clock is so far past the last run that deleting now needs a person's word."""


class Running(Exception):
    """Somebody else is running this job."""


def run(job: Job, parts: Parts, *, asked: bool = False, confirmed: bool = False, act: Act | None = None) -> int | None:
    """Run a job if it is ours to run: its count, or None when this slot is done or another runs it.

    `asked`: by a person, whatever the slot; raises Running while another runs it. `confirmed`: although
    the clock has jumped; otherwise raises ClockJumped for a job that deletes. `act`: for the audit.
    """
    name, now = job.name, parts.clock.now()
    slot = None if asked else int(now.timestamp() // job.every.total_seconds())
    with transaction() as session:
        epoch = store.claim(session, name, now, slot)
    if epoch is None:
        if asked:
            raise Running(name)
        return None
    count, fault = 0, "it was interrupted"
    try:
        if job.deletes and not confirmed:
            _refuse_a_jump(name, now)
        count, fault = job.work(Run(parts, now, lambda: _still_mine(name, epoch, parts.clock), asked)), ""
    except Exception as error:
        fault = str(error) if isinstance(error, ClockJumped) else type(error).__name__
        raise
    finally:
        with transaction() as session:
            store.release(session, name, epoch, now, count, fault or None)
            audit.write(session, act and act.of(count, **({"error": fault} if fault else {})))
    return count


def _refuse_a_jump(name: str, now: datetime) -> None:
    with transaction() as session:
        job = store.find(session, name)
    if job and job.ended_at and now - job.ended_at > CLOCK_JUMP:
        raise ClockJumped(
            f"The clock is {(now - job.ended_at).days} days past the last run of {name}: nothing was deleted. "
            f"If the clock is right, run: yestwice jobs run {name} --confirm"
        )


def _still_mine(name: str, epoch: int, clock: Clock) -> bool:
    with transaction() as session:
        return store.renew(session, name, epoch, clock.now())
