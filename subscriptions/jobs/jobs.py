"""The jobs: each fetches what is due, calls an action, and gives a count."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from subscriptions.actions import erase, sweep
from subscriptions.clock import Clock
from subscriptions.domain import codes
from subscriptions.domain.policy import Policy
from subscriptions.mail.outbox import Sender
from subscriptions.store import tidy, tries
from subscriptions.store.engine import transaction
from subscriptions.watch import Watch

Alive = Callable[[], bool]
Job = Callable[[datetime, Alive], int]


def jobs(
    sender: Sender, policy: Policy, clock: Clock, asked: bool = False, watch: Watch | None = None
) -> Mapping[str, Job]:
    """Every job by its name; `asked`: a person runs it, so it may take the time that it takes."""

    def block(now: datetime, alive: Alive) -> int:
        return sweep.whole(sweep.block, now, alive)

    def purge(now: datetime, alive: Alive) -> int:
        """Registrations whose month is over; and proofs, IPs and suppressions whose time is."""
        purged = sweep.whole(sweep.purge, now, alive)
        for also in (sweep.purge_proofs, sweep.forget_ips, sweep.end_suppressions):
            sweep.whole(also, now, alive)
        tidy.sweep_files(now, asked=asked)
        return purged

    def deliver(now: datetime, alive: Alive) -> int:
        sent = sender.deliver()
        for key in erase.due(now):
            erase.finish(key, now, policy)
        return sent

    def tidy_up(now: datetime, alive: Alive) -> int:
        """Every minute: short-lived rows, and the files after a deletion."""
        with transaction() as session:
            tidy.forget_short_lived(session, now, clock.real_now(), policy.network.period if policy.network else None)
            tries.forget(session, now, codes.visit_tries(policy).period)
        return int(tidy.sweep_files(now, asked=asked))

    def look(now: datetime, alive: Alive) -> int:
        """Every few seconds: what this process has counted joins what the others have, and the breaker decides."""
        return watch.exchange(now) if watch else 0

    return {"block": block, "purge": purge, "deliver": deliver, "tidy": tidy_up, "watch": look}


NAMES = ("block", "purge", "deliver", "tidy", "watch")
OF_EVERY_PROCESS = ("deliver", "watch")  # no lease: each process has a sender, and counts of its own
DELETING = ("purge",)
EVERY = {
    "block": timedelta(minutes=5),
    "purge": timedelta(hours=1),
    "deliver": timedelta(seconds=5),
    "tidy": timedelta(minutes=1),
    "watch": timedelta(seconds=5),
}


def late_after(name: str) -> timedelta:
    """When a job that has not succeeded counts as late, and turns /readyz red (O-04)."""
    return 3 * EVERY[name] + timedelta(minutes=2)
