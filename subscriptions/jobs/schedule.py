"""What runs when. The only file that knows APScheduler."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from subscriptions.clock import Clock
from subscriptions.jobs.jobs import Job

Scheduler = BackgroundScheduler
EPOCH = datetime.fromtimestamp(0, UTC)
log = logging.getLogger(__name__)


class Aligned(BaseTrigger):  # type: ignore[misc]
    """Counts periods from 1970 on, as a lease counts slots: a service restarted daily still runs the hourly ones."""

    def __init__(self, job: Job) -> None:
        self._every, self._first = job.every, EPOCH + job.at

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        after = previous_fire_time or now
        return after + self._every - (after - self._first) % self._every


def scheduler(run: Callable[[Job], object], jobs: Sequence[Job]) -> BackgroundScheduler:
    """The one scheduler of this process, not started, for these jobs; `run` runs one. Each job also runs at once."""
    made = BackgroundScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600}
    )
    for job in jobs:
        made.add_job(run, Aligned(job), args=[job], id=job.name, name=job.name, next_run_time=Clock.real_now())
    made.add_listener(_warn, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
    return made


def next_time(job: Job, now: datetime) -> datetime:
    """When the clock runs a job next."""
    return Aligned(job).get_next_fire_time(None, now)


def wake(made: BackgroundScheduler, job: Job) -> None:
    """Run a job now rather than at its next time."""
    made.modify_job(job.name, next_run_time=Clock.real_now())


def _warn(event: JobEvent) -> None:
    error = getattr(event, "exception", None)
    log.warning("job did not run", extra={"job": event.job_id, "error": type(error).__name__ if error else "late"})
