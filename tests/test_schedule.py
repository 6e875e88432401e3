"""When the clock runs a job: as far into each period as its row in `JOBS` says."""

from dataclasses import replace
from datetime import datetime, timedelta

from subscriptions.jobs import schedule
from subscriptions.jobs.jobs import JOBS, NAMED
from tests.builders import World
from tests.support.cases import each


@each(
    ("every", "at", "times"),
    [
        (timedelta(seconds=5), timedelta(0), ["10:07:15", "10:07:20"]),
        (timedelta(minutes=15), timedelta(minutes=2), ["10:17:00", "10:32:00"]),
        (timedelta(minutes=90), timedelta(0), ["10:30:00", "12:00:00"]),
        (timedelta(hours=2), timedelta(minutes=90), ["11:30:00", "13:30:00"]),
        (timedelta(hours=6), timedelta(hours=1), ["13:00:00", "19:00:00"]),
        (timedelta(days=1), timedelta(hours=3), ["03:00:00", "03:00:00"]),
    ],
)
def test_any_row_runs_as_far_into_each_period_as_it_says(every: timedelta, at: timedelta, times: list[str]) -> None:
    job = replace(NAMED["purge"], every=every, at=at)
    started = datetime.fromisoformat("2026-11-23T10:07:11.5Z")  # and run at once, at a time that is no time of its own
    first = schedule.Aligned(job).get_next_fire_time(started, started)
    second = schedule.Aligned(job).get_next_fire_time(first, first)
    assert [f"{time:%H:%M:%S}" for time in (first, second)] == times
    assert second - first == every
    assert schedule.next_time(job, started) == first


def test_every_job_is_scheduled_and_every_schedule_has_a_job(world: World) -> None:
    made = schedule.scheduler(lambda job: None, JOBS)
    assert [job.id for job in made.get_jobs()] == [job.name for job in JOBS]


def test_no_job_counts_as_late_before_it_could_have_run_twice() -> None:
    assert all(job.late_after >= 2 * job.every for job in JOBS)
