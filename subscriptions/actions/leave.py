"""Leave: by link, by one click, by letter; one list or all; and what ends a subscription besides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions.domain.evidence import Channel, Fact
from subscriptions.domain.lifecycle import Event, Suppress, subscription_step
from subscriptions.domain.lifecycle import Subscription as State
from subscriptions.domain.policy import Policy
from subscriptions.store import addresses, counters, evidence, registrations, subscriptions, suppressions, vacuum
from subscriptions.store.engine import repeated, transaction
from subscriptions.store.models import Registration, Subscription

OPEN = State.CONFIRMED


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """How a revocation reached us. `received`: when, if that was before we were told."""

    event: Event
    channel: Channel
    reason: str
    actor: str | None = None
    received: datetime | None = None


@repeated
def leave(key: bytes, list_id: int | None, withdrawal: Withdrawal, now: datetime, policy: Policy) -> int:
    """End the open subscription of one list, or of all (no `list_id`); how many. Again: 0, and nothing changes."""
    with transaction() as session:
        addresses.lock(session, key)
        ended = end_open(session, key, list_id, withdrawal, now, policy)
        step = subscription_step(State.CONFIRMED, withdrawal.event)
        if step.suppress is Suppress.ALL:
            suppress_all(session, key, withdrawal.reason, now)
        return ended


def end_open(
    session: Session, key: bytes, list_id: int | None, withdrawal: Withdrawal, now: datetime, policy: Policy
) -> int:
    """Within a transaction that has locked the address: end what is open."""
    ended = [
        chapter
        for chapter in subscriptions.of_key(session, key)
        if chapter.state == OPEN and (list_id is None or chapter.list_id == list_id)
    ]
    for chapter in ended:
        end_chapter(session, chapter, withdrawal, now, policy)
    return len(ended)


def end_chapter(session: Session, chapter: Subscription, withdrawal: Withdrawal, now: datetime, policy: Policy) -> None:
    """End one open chapter: its state, the end of its proof, its evidence."""
    step = subscription_step(chapter.state, withdrawal.event)
    ended_at = max(min(withdrawal.received or now, now), chapter.confirmed_at)
    chapter.state, chapter.ended_at = step.to, ended_at
    chapter.proof_until = policy.proof_until(ended_at)
    fact = Fact.BOUNCED if step.to is State.BOUNCED else Fact.UNSUBSCRIBED
    detail = {"reply" if fact is Fact.BOUNCED else "reason": withdrawal.reason}
    if withdrawal.received:
        detail["received"] = withdrawal.received.isoformat()
    evidence.add(
        session, fact, now, withdrawal.channel, subscription_id=chapter.id, actor=withdrawal.actor, details=dict(detail)
    )
    counters.add(session, {"withdrawals": 1})


def suppress_all(session: Session, key: bytes, reason: str, now: datetime) -> None:
    """Never write to this address again: what still waits to be confirmed goes as well."""
    suppressions.add(session, key, "all", reason, now)
    remove_unconfirmed(session, registrations.of_key(session, key))
    vacuum.due(session)


def remove_unconfirmed(session: Session, rows: Sequence[Registration]) -> None:
    registrations.remove(session, [row.id for row in rows if row.state != "confirmed"])
