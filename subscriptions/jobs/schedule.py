"""What runs when. The only file that knows APScheduler."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from subscriptions.clock import Clock
from subscriptions.jobs.jobs import Job

Scheduler = BackgroundScheduler
log = logging.getLogger(__name__)


def trigger(job: Job) -> CronTrigger:
    """Cron, not interval: aligned on the clock, and a service restarted daily still runs the hourly ones."""
    every, at = round(job.every.total_seconds()), round(job.at.total_seconds())
    if every < 60:
        return CronTrigger(second=f"*/{every}", timezone=UTC)
    if every < 3600:
        return CronTrigger(minute=f"*/{every // 60}", second=at, timezone=UTC)
    return CronTrigger(hour=f"*/{every // 3600}", minute=at // 60, second=at % 60, timezone=UTC)


def scheduler(run: Callable[[Job], object], jobs: Sequence[Job]) -> BackgroundScheduler:
    """The one scheduler of this process, not started, for these jobs; `run` runs one. Each job also runs at once."""
    made = BackgroundScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600}
    )
    for job in jobs:
        made.add_job(run, trigger(job), args=[job], id=job.name, name=job.name, next_run_time=Clock.real_now())
    made.add_listener(_warn, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
    return made


def next_time(job: Job, now: datetime) -> datetime:
    """When the clock runs a job next."""
    return trigger(job).get_next_fire_time(None, now)  # type: ignore[no-any-return]


def wake(made: BackgroundScheduler, job: Job) -> None:
    """Run a job now rather than at its next time."""
    made.modify_job(job.name, next_run_time=Clock.real_now())


def _warn(event: JobEvent) -> None:
    error = getattr(event, "exception", None)
    log.warning("job did not run", extra={"job": event.job_id, "error": type(error).__name__ if error else "late"})
