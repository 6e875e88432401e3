"""Leave: by link, by one click, by letter; one list or all; and what ends a subscription besides."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from subscriptions.domain.evidence import Cause, Channel, Fact
from subscriptions.domain.lifecycle import NO_MAIL, Event, subscription_step
from subscriptions.domain.lifecycle import Registration as SignedUp
from subscriptions.domain.lifecycle import Subscription as State
from subscriptions.domain.policy import Policy
from subscriptions.store import (
    addresses,
    audit,
    counters,
    evidence,
    journal,
    outbox,
    registrations,
    subscriptions,
    suppressions,
    vacuum,
)
from subscriptions.store.audit import Act
from subscriptions.store.engine import repeated, transaction
from subscriptions.store.figures import of_end
from subscriptions.store.models import Subscription


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """How a revocation reached us. `received`: when, if that was before we were told."""

    event: Event
    channel: Channel
    reason: str
    actor: str | None = None
    received: datetime | None = None
    more: Mapping[str, str] = field(default_factory=dict)  # for the evidence


class Controller(NamedTuple):
    """Whom somebody objects to, and the lists of that one; `name`: as `controller_of` a list has it."""

    name: str
    lists: Collection[int]


@repeated
def leave(
    key: bytes, list_id: int | None, withdrawal: Withdrawal, now: datetime, policy: Policy, act: Act | None = None
) -> int:
    """End the open subscription of one list, or of all (no `list_id`); how many. Again: 0, and nothing changes.

    Who objects to every mail does more: `suppress`.
    """
    with transaction() as session:
        addresses.lock(session, key)
        ended = end_open(session, key, list_id, withdrawal, now, policy)
        audit.write(session, act)
        return ended


def end_open(
    session: Session, key: bytes, list_id: int | None, withdrawal: Withdrawal, now: datetime, policy: Policy
) -> int:
    """Within a transaction that has locked the address: end what is open."""
    known = subscriptions.of_key(session, key)
    open_ = [row for row in known if row.is_open and list_id in (None, row.list_id)]
    for row in open_:
        end(session, row, withdrawal, now, policy)
    return len(open_)


def end(session: Session, subscription: Subscription, withdrawal: Withdrawal, now: datetime, policy: Policy) -> None:
    """End one that is open: its state, the end of its proof, its evidence."""
    step = subscription_step(subscription.state, withdrawal.event)
    ended_at = max(min(withdrawal.received or now, now), subscription.confirmed_at)
    subscription.state, subscription.ended_at = step.to, ended_at
    subscription.proof_until = policy.proof_until(ended_at)
    fact, said = (Fact.BOUNCED, "reply") if step.to is State.BOUNCED else (Fact.UNSUBSCRIBED, "reason")
    details = {said: withdrawal.reason, **withdrawal.more}
    if withdrawal.received:
        details["received"] = withdrawal.received.isoformat()
    evidence.add(
        session, fact, now, withdrawal.channel, subscription_id=subscription.id, actor=withdrawal.actor, details=details
    )
    journal.note(session, "end", key=subscription.key, id=subscription.id, event=withdrawal.event,
                 channel=withdrawal.channel, ended=ended_at)  # fmt: skip
    counters.add(session, {"withdrawals": 1}, of_end(subscription, ended_at))


def suppress_all(session: Session, key: bytes, reason: str, now: datetime, mailbox: bytes | None = None) -> None:
    """Never write to this address again: what still waits to be confirmed goes as well."""
    suppressions.add(session, key, NO_MAIL, reason, now, mailbox=mailbox)
    registrations.remove_unconfirmed(session, key, Cause.OBJECTION, now)
    vacuum.due(session)


@repeated
def object_to(
    of: Controller, key: bytes, withdrawal: Withdrawal, now: datetime, policy: Policy, mailbox: bytes | None = None
) -> int:
    """Never write to this address again, of one controller (GDPR 21): as above, for its lists; how many ended."""
    with transaction() as session:
        addresses.lock_or_create(session, key, mailbox)
        ended = sum(end_open(session, key, list_id, withdrawal, now, policy) for list_id in of.lists)
        for list_id in of.lists:
            suppressions.add(session, key, NO_MAIL, withdrawal.reason, now, list_id=list_id, mailbox=mailbox,
                             controller=of.name)  # fmt: skip
        waiting = [row.id for row in registrations.of_key(session, key)
                   if row.list_id in of.lists and row.state is not SignedUp.CONFIRMED]  # fmt: skip
        outbox.hang_elsewhere(session, waiting)
        registrations.remove(session, waiting, Cause.OBJECTION, now)
        vacuum.due(session)
        return ended
