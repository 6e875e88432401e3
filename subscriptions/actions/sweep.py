"""Block, purge and forget: sweeps over what is due now, in batches that hold up no sign-up."""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import chain

from sqlalchemy.orm import Session

from subscriptions.domain.evidence import Cause
from subscriptions.domain.lifecycle import Event, Registration, registration_step
from subscriptions.domain.policy import Policy
from subscriptions.store import (
    addresses,
    audit,
    compiled_mails,
    counters,
    evidence,
    holds,
    registrations,
    subscriptions,
    suppressions,
    vacuum,
)  # fmt: skip
from subscriptions.store.engine import repeated, transaction

BATCH = 500
_COUNTERS = {Cause.UNCONFIRMED: "purged", Cause.PROOFS: "proofs_purged"}


@repeated
def block(now: datetime) -> int:
    """Block one batch of registrations that were not confirmed in time; how many."""
    registration_step(Registration.PENDING, Event.BLOCK)
    with transaction() as session:
        ids = registrations.too_late_at(session, now, BATCH)
        if ids:
            registrations.block(session, ids)
            counters.add(session, {"blocked": len(ids)})
        return len(ids)


def purge(now: datetime) -> int:
    """Delete one batch of unconfirmed registrations whose month is over, with everything of theirs; how many."""
    registration_step(Registration.BLOCKED, Event.PURGE)
    return _delete(registrations.to_purge_at, registrations.remove, Cause.UNCONFIRMED, now)


def purge_proofs(now: datetime) -> int:
    """Delete one batch of ended subscriptions whose proof period is over; how many."""
    return _delete(subscriptions.proof_over_at, subscriptions.remove, Cause.PROOFS, now)


@repeated
def _delete(
    due_at: Callable[[Session, datetime, int], Sequence[tuple[int, bytes]]],
    remove: Callable[[Session, Sequence[int], Cause, datetime], object],
    cause: Cause,
    now: datetime,
) -> int:
    with transaction() as session:
        due = due_at(session, now, BATCH)
        if due:
            remove(session, [id_ for id_, _ in due], cause, now)
            addresses.forget_unknown(session, [key for _, key in due])
            counters.add(session, {_COUNTERS[cause]: len(due)})
            vacuum.due(session)
        return len(due)


@repeated
def forget_ips(now: datetime) -> int:
    """Forget the IP addresses of one batch of subscriptions, a year after their confirmation; how many."""
    with transaction() as session:
        ids = subscriptions.ips_over_at(session, now, BATCH)
        if ids:
            evidence.forget_ips(session, ids, Cause.IPS, now)
            subscriptions.ips_forgotten(session, ids)
            vacuum.due(session)
        return len(ids)


@repeated
def end_suppressions(now: datetime) -> int:
    """Delete suppressions that have ended, and the addresses of which nothing else is left."""
    with transaction() as session:
        ended = suppressions.ended(session, now, BATCH)
        if ended:
            addresses.forget_unknown(session, set(chain.from_iterable(ended)))
            vacuum.due(session)
        return len(ended)


@repeated
def forget_times(now: datetime, policy: Policy) -> int:
    """Forget when mailboxes were mailed, once it counts no more, and those of which nothing else is left."""
    with transaction() as session:
        keys = addresses.times_over(session, now - policy.times_kept, BATCH)
        if keys:
            addresses.forget_unknown(session, keys)
            vacuum.due(session)
        return len(keys)


@repeated
def forget_compiled(now: datetime) -> int:
    """Delete a batch of compiled mails that no evidence names any more; how many."""
    with transaction() as session:
        return compiled_mails.forget(session, now, BATCH)


@repeated
def forget_audited(now: datetime) -> int:
    """End what the audit says about persons of whom nothing is known any more, one batch; how many rows."""
    with transaction() as session:
        ended = audit.forget_unknown(session, at_most=BATCH)
        if ended:
            vacuum.due(session)
        return ended


@repeated
def forget_holds(now: datetime) -> int:
    """Delete a batch of lifted holds on those of whom nothing else is known any more; how many."""
    with transaction() as session:
        gone = holds.forget_lifted(session, BATCH)
        if gone:
            vacuum.due(session)
        return gone


def whole(sweep: Callable[[datetime], int], now: datetime, between: Callable[[], bool]) -> int:
    """Batch after batch until nothing is due, or `between` says that the run is no longer ours."""
    total = 0
    while done := sweep(now):
        total += done
        if not between():
            break
    return total
