"""What runs when. The only file that knows APScheduler."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from subscriptions.clock import Clock

Scheduler = BackgroundScheduler
log = logging.getLogger(__name__)

# cron, not interval: aligned on the clock, and a service restarted daily still runs the hourly ones
SCHEDULE = [
    ("deliver", CronTrigger(second="*/5", timezone=UTC)),  # mails of dead processes and of commands
    ("watch", CronTrigger(second="*/5", timezone=UTC)),
    ("tidy", CronTrigger(second=30, timezone=UTC)),
    ("block", CronTrigger(minute="*/5", timezone=UTC)),
    ("purge", CronTrigger(minute=7, timezone=UTC)),
]


def scheduler(run: Callable[[str], object], names: Sequence[str]) -> BackgroundScheduler:
    """The one scheduler of this process, not started, for these jobs; `run` runs one. Each job also runs at once."""
    made = BackgroundScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600}
    )
    for name, trigger in ((name, trigger) for name, trigger in SCHEDULE if name in names):
        made.add_job(run, trigger, args=[name], id=name, name=name, next_run_time=Clock.real_now())
    made.add_listener(_warn, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
    return made


def next_time(name: str, now: datetime) -> datetime:
    """When the clock runs a job next."""
    (trigger,) = [trigger for one, trigger in SCHEDULE if one == name]
    return trigger.get_next_fire_time(None, now)  # type: ignore[no-any-return]


def wake(made: BackgroundScheduler, name: str) -> None:
    """Run a job now rather than at its next time."""
    made.modify_job(name, next_run_time=Clock.real_now())


def _warn(event: JobEvent) -> None:
    trouble = getattr(event, "exception", None)
    log.warning(
        "job did not run", extra={"job": event.job_id, "trouble": type(trouble).__name__ if trouble else "late"}
    )
