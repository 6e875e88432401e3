"""The jobs, a row for each: what it does, how often, and in which processes it runs."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import partial

from subscriptions.actions import accounts, erase, numbers, on_behalf, policies, requests, seal, sweep
from subscriptions.actions.tell_head import tell_head
from subscriptions.actions.tell_returns import tell_returns
from subscriptions.domain.arrivals import ACTED
from subscriptions.domain.texts import marked
from subscriptions.imports import work
from subscriptions.inbound.forward import forward
from subscriptions.inbound.imap import NoMailbox
from subscriptions.inbound.poll import poll
from subscriptions.jobs import problems
from subscriptions.parts import Parts
from subscriptions.store import audit, journal, vacuum
from subscriptions.store.engine import transaction

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `alive`: whether it is still ours; `asked`: by a person, so it may take the time that it takes."""

    parts: Parts
    now: datetime
    alive: Callable[[], bool] = lambda: True
    asked: bool = False


class Where(Enum):
    """In which processes a job runs."""

    CLUSTER = "one among all processes that send and sweep, by a lease"
    SENDERS = "each process that sends"
    WEB = "each process that takes sign-ups"


def _block(run: Run) -> int:
    return sweep.whole(sweep.block, run.now, run.alive)


def _purge(run: Run) -> int:
    purged = sweep.whole(sweep.purge, run.now, run.alive)
    forget_times = partial(sweep.forget_times, policy=run.parts.policy)
    for more in (
        sweep.purge_proofs, sweep.forget_ips, sweep.end_suppressions, forget_times, sweep.forget_compiled,
        sweep.forget_holds, sweep.forget_audited, partial(requests.forget, policy=run.parts.policy),
    ):  # fmt: skip
        sweep.whole(more, run.now, run.alive)
    vacuum.sweep_files(run.now, asked=run.asked)
    return purged


def _deliver(run: Run) -> int:
    sent = run.parts.sender.deliver()
    for key in erase.due(run.now):
        erase.finish(key, run.now, run.parts.policy)
    for key, asked in erase.released().items():
        erase.resume(key, asked, run.now)
    on_behalf.lift_told(run.now)
    return sent


def _tidy(run: Run) -> int:
    with run.parts.reads.taken() as reads, transaction() as session:
        audit.add_reads(session, reads)
        audit.close_hours(session, run.now)
        vacuum.forget_short_lived(session, run.now, run.parts.clock.real_now(), run.parts.policy)
        problems.note(session, run.parts, run.now, late_after())
    accounts.sweep(run.now)
    journal.forget(run.parts.clock.real_now())
    return int(vacuum.sweep_files(run.now, asked=run.asked))


def _seal(run: Run) -> int:
    return seal.whole(run.now, run.parts.seal_key, run.alive, None if run.asked else seal.BY_THE_CLOCK)


def _watch(run: Run) -> int:
    run.parts.watch.try_write()
    return run.parts.watch.exchange(run.now)


def _numbers(run: Run) -> int:
    rows = run.parts.catalogue.configured
    told = tell_head(run.parts.settings.evidence.head_to, run.now)
    if run.parts.watch.mails:
        told += tell_returns(run.parts.catalogue.slugs, run.now)
    return told + numbers.tell([row.id for row in rows], run.now)


def _policies(run: Run) -> int:
    """The pages of privacy policies that are due; the rest at the next run, where this one is no longer ours."""
    seen = 0
    for one in policies.due(run.parts.catalogue, run.now):
        if not run.alive():
            break
        policies.look(one, run.parts.read_page, run.now)
        seen += 1
    if seen:
        run.parts.follow()
    return seen


def _imports(run: Run) -> int:
    return work.run(run.parts, run.alive)


def _requests(run: Run) -> int:
    return requests.remind(run.now)


def _inbound(run: Run) -> int:
    """A mailbox that cannot be read is a finding: it must not keep the service from being ready."""
    inbound = run.parts.settings.inbound
    forwarded = forward(run.parts, run.alive) if inbound.forward else 0
    if not inbound.imap_host:
        return forwarded
    try:
        done = poll(run.parts, run.alive, asked=run.asked)
    except NoMailbox as error:
        log.warning("the mailbox cannot be read", extra={"why": str(error)})
        return forwarded
    return forwarded + sum(done[outcome] for outcome in ACTED)


@dataclass(frozen=True, slots=True)
class Job:
    """`at`: how far into each period it runs; `deletes`: it asks for a person's word where the clock has jumped.

    `by_hand`: a person may run it by `yestwice jobs run`; `does`: what it is called at the desk.
    """

    name: str
    work: Callable[[Run], int]
    every: timedelta
    where: Where
    at: timedelta = timedelta(0)
    deletes: bool = False
    by_hand: bool = False
    does: str = ""

    @property
    def late_after(self) -> timedelta:
        """When it counts as late where it has not succeeded, and turns /readyz red."""
        return 3 * self.every + timedelta(minutes=2)


JOBS = (
    Job("block", _block, timedelta(minutes=5), Where.CLUSTER, by_hand=True,
        does=marked("Block what nobody confirmed in time")),
    Job("purge", _purge, timedelta(hours=1), Where.CLUSTER, at=timedelta(minutes=7), deletes=True, by_hand=True,
        does=marked("Delete what is due")),
    Job("deliver", _deliver, timedelta(seconds=5), Where.SENDERS, by_hand=True, does=marked("Send emails")),
    Job("tidy", _tidy, timedelta(minutes=1), Where.CLUSTER, at=timedelta(seconds=30), does=marked("Tidy up")),
    Job("seal", _seal, timedelta(minutes=1), Where.CLUSTER, at=timedelta(seconds=45), by_hand=True,
        does=marked("Seal the evidence")),
    Job("requests", _requests, timedelta(hours=1), Where.CLUSTER, at=timedelta(minutes=20),
        does=marked("Remind of requests")),
    Job("inbound", _inbound, timedelta(minutes=1), Where.CLUSTER, at=timedelta(seconds=15), by_hand=True,
        does=marked("Read the email that comes")),
    Job("numbers", _numbers, timedelta(minutes=15), Where.CLUSTER, does=marked("Numbers by email")),
    Job("imports", _imports, timedelta(minutes=1), Where.CLUSTER, at=timedelta(seconds=15), by_hand=True,
        does=marked("Bring in lists, and invite")),
    Job("policies", _policies, timedelta(minutes=5), Where.CLUSTER, at=timedelta(minutes=1), by_hand=True,
        does=marked("Look at the privacy policies")),
    # what this process has counted joins what the others have, and the breaker decides
    Job("watch", _watch, timedelta(seconds=5), Where.WEB, does=marked("Watch for too many sign-ups")),
)  # fmt: skip
NAMED = {job.name: job for job in JOBS}
OF_WEB = tuple(job for job in JOBS if job.where is Where.WEB)
OF_MAILS = tuple(job for job in JOBS if job.where is not Where.WEB)


def late_after() -> dict[str, timedelta]:
    """By name, after what time a job is late."""
    return {name: job.late_after for name, job in NAMED.items()}
