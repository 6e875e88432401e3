"""The jobs: each fetches what is due, calls an action, and gives a count."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from subscriptions.actions import erase, sweep
from subscriptions.clock import Clock
from subscriptions.domain import codes
from subscriptions.domain.policy import ALARM_FACTOR, Policy
from subscriptions.mail.outbox import Sender
from subscriptions.store import networks, tidy, tries
from subscriptions.store.engine import transaction

log = logging.getLogger(__name__)
Alive = Callable[[], bool]
Job = Callable[[datetime, Alive], int]


def jobs(sender: Sender, policy: Policy, clock: Clock, asked: bool = False) -> Mapping[str, Job]:
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
        """Every minute: short-lived rows, the files after a deletion, the breaker's alarm."""
        with transaction() as session:
            tidy.forget_short_lived(session, now, clock.real_now(), policy.network.period if policy.network else None)
            tries.forget(session, now, codes.visit_tries(policy).period)
            if networks.judge(session, policy.network.count * ALARM_FACTOR if policy.network else None):
                log.warning("far more sign-ups than usual, over all networks: somebody may be abusing the form")
        return int(tidy.sweep_files(now, asked=asked))

    return {"block": block, "purge": purge, "deliver": deliver, "tidy": tidy_up}


NAMES = ("block", "purge", "deliver", "tidy")
DELETING = ("purge",)
EVERY = {
    "block": timedelta(minutes=5),
    "purge": timedelta(hours=1),
    "deliver": timedelta(seconds=5),
    "tidy": timedelta(minutes=1),
}


def late_after(name: str) -> timedelta:
    """When a job that has not succeeded counts as late, and turns /readyz red (O-04)."""
    return 3 * EVERY[name] + timedelta(minutes=2)
