"""Starting: the database made ready, then the parts that run beside the requests; and the way down."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime

from flask import Flask
from sqlalchemy.orm import Session

from subscriptions import __version__, fits
from subscriptions.clock import Clock
from subscriptions.domain.texts import Sentence, marked
from subscriptions.jobs import lease, schedule
from subscriptions.jobs.jobs import JOBS, NAMED, Job, Run, Where
from subscriptions.parts import current_parts
from subscriptions.settings import BadSettings, ListSettings, Settings
from subscriptions.store import audit, counters, list_changes, lists, meta, migrate, registrations, traffic
from subscriptions.store import jobs as job_rows
from subscriptions.store.engine import Contention, Unavailable, transaction
from subscriptions.store.models import db

log = logging.getLogger(__name__)
KEPT_AT_THE_DESK = marked(
    'list "%(list)s" is kept at the desk, so what [[lists]] of the configuration says of it is not used: remove '
    "it there"
)
FORK_WAITS = 10.0  # seconds, for jobs under way
REFUSALS = (BadSettings, migrate.SchemaTooNew, Unavailable, Contention)  # no fault of the program: it does not start


def sentence(refusal: Exception) -> str:
    """Why the program does not start, for the operator."""
    if isinstance(refusal, (Unavailable, Contention)):
        return "The database does not answer: check url in [database], and that the database server is running."
    return str(refusal)


def prepare(app: Flask, *, any_mode: bool = False) -> None:
    """Schema, secrets, lists: what must stand before the first request or command.

    `any_mode`: also where the database is for trying out and mails would leave, or the other way round.
    """
    with app.app_context():
        migrate.upgrade()
        parts = current_parts()
        with transaction() as session:
            migrate.one_at_a_time(session.connection())
            parts.misfits[:] = fits.check(session, parts.settings, parts.clock.now(), any_mode=any_mode)
            meta.note_version(session, __version__, parts.clock.now())
            job_rows.ensure(session, [*NAMED, "relay"])
            traffic.ensure(session)
            parts.misfits += _lists(session, parts.settings, parts.clock.now())
            _word(session)
    follow(app)


def _lists(session: Session, settings: Settings, now: datetime) -> list[str]:
    """The lists of the file; what of it does not count, since the desk has that list."""
    said = [asdict(configured) for configured in settings.lists] if settings.names_lists else []
    taken = list_changes.sync(session, said, now)
    list_changes.ensure_one(session, asdict(ListSettings()), now)
    list_changes.note_version(session)
    return [Sentence(KEPT_AT_THE_DESK, list=slug) for slug in taken]


def _word(session: Session) -> None:
    """Sign-ups that wait since before 0.4.0 get today's wording, where their form had vouched for none."""
    catalogue = lists.catalogue_in(session)
    for list_id, locale in registrations.unworded(session):
        registrations.word(session, list_id, locale, catalogue.wording_of(catalogue.lists[list_id], locale).id)


def serve(app: Flask) -> None:
    """The same for a process that goes on to serve."""
    fits.hold_try_out(current_parts(app).settings)
    prepare(app)


def follow(app: Flask) -> None:
    """Read what was prepared, by whatever process."""
    parts = current_parts(app)
    with app.app_context():
        parts.follow()
        parts.warn()


def close_connections(app: Flask) -> None:
    """Before a fork: no two processes share one."""
    with app.app_context():
        db.engine.dispose()


def begin_anew(app: Flask) -> None:
    """In a forked child, which has the objects of its parent and none of its threads and connections."""
    with app.app_context():
        db.engine.dispose(close=False)
        try:
            current_parts().begin_anew()
        except (Unavailable, Contention) as error:  # what the parent knew will do; it is looked at again by and by
            log.warning("the lists could not be read again", extra={"error": str(error)})


class Background:
    """What runs beside the requests: one scheduler in each process, with the jobs that are this one's.

    `wake_other`: wakes the process that sends, where it is not this one.
    """

    def __init__(self, app: Flask, jobs: Sequence[Job] = JOBS, wake_other: Callable[[], None] | None = None) -> None:
        self._app, self._parts = app, current_parts(app)
        self._jobs, self._wake_other, self._over = jobs, wake_other, False
        self._scheduler: schedule.Scheduler | None = None
        self._free = threading.Semaphore(len(jobs))  # no job runs twice at once: one for each

    def start(self) -> None:
        """Start the scheduler; every job runs at once, so what was missed is caught up. Not after `stop`."""
        if self._over:
            return
        self._scheduler = schedule.scheduler(self._run, self._jobs)
        self._scheduler.start()
        self._parts.wake_sender = self._wake_other or self.wake
        for warning in self._parts.warnings:
            log.warning(warning)

    def stop(self) -> None:
        """Finish what is running, give every lease back."""
        self._over = True
        if self._scheduler is not None:
            self._scheduler.pause()
            try:
                self._parts.sender.stop()
            except (Unavailable, Contention) as error:  # the leases end by themselves
                log.warning("leases could not be given back", extra={"error": str(error)})
            self._scheduler.shutdown(wait=True)
            self._scheduler = None
            self._write_reads()

    def _write_reads(self) -> None:
        """What tokens have read since the last job has noted it."""
        try:
            with self._app.app_context(), self._parts.reads.taken() as reads, transaction() as session:
                audit.add_reads(session, reads)
        except (Unavailable, Contention) as error:
            log.warning("what tokens have read could not be noted", extra={"error": str(error)})

    # For servers that fork by themselves

    def hold(self) -> None:
        """Let no job be amid anything: a child could never end it, and SQLite would believe that its locks are held."""
        over_at = Clock.ticks() + FORK_WAITS
        self._held = [self._free.acquire(timeout=max(0, over_at - Clock.ticks())) for _ in self._jobs]
        close_connections(self._app)

    def go_on(self) -> None:
        """In the parent."""
        for _ in filter(None, self._held):
            self._free.release()

    def begin_anew(self) -> None:
        """In the child: begin anew."""
        if self._scheduler is not None:
            self._free = threading.Semaphore(len(self._jobs))
            begin_anew(self._app)
            self.start()

    def wake(self) -> None:
        """Send what is owed, now; not during a stop, which takes the jobs from the scheduler."""
        if self._scheduler is not None and not self._over and not self._parts.sender.look_again():
            schedule.wake(self._scheduler, NAMED["deliver"])

    def _run(self, job: Job) -> None:
        with self._free, self._app.app_context():
            try:
                self._run_here(job)
                while job is NAMED["deliver"] and self._parts.sender.is_called:
                    self._run_here(job)  # the scheduler drops a call that comes while this run is written down
            except (Unavailable, Contention) as error:
                log.warning("a job is waiting for the database", extra={"job": job.name, "error": str(error)})
            except lease.ClockJumped as error:
                log.error(str(error), extra={"job": job.name})

    def _run_here(self, job: Job) -> None:
        parts = self._parts
        parts.follow()
        now = parts.clock.now()
        if job.where is Where.CLUSTER:
            lease.run(job, parts)
            return
        count = job.work(Run(parts, now))
        with parts.tally.taken() as counts, parts.reads.taken() as reads, transaction() as session:
            job_rows.note(session, job.name, now, count)
            counters.add(session, counts)
            audit.add_reads(session, reads)
