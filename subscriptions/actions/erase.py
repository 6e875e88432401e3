"""Erase: the right to erasure. First a mail says what stays and until when, then the person is gone."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions.actions.leave import Withdrawal, end_open
from subscriptions.domain.evidence import Channel, Fact
from subscriptions.domain.lifecycle import NO_MAIL, Event, registration_step, subscription_step
from subscriptions.domain.lifecycle import Subscription as State
from subscriptions.domain.policy import ERASE_WITHIN, Policy
from subscriptions.store import (
    addresses,
    audit,
    counters,
    evidence,
    mailbox,
    outbox,
    registrations,
    requests,
    subscriptions,
    suppressions,
    vacuum,
)
from subscriptions.store.audit import Act
from subscriptions.store.engine import repeated, transaction
from subscriptions.store.kept import Kept, after_erasure
from subscriptions.store.models import Registration, Subscription


@dataclass(frozen=True, slots=True)
class Erasure:
    """What is known of an address, and so will go or stay."""

    registrations: int
    subscriptions: int
    kept: Kept

    @property
    def is_asked(self) -> bool:
        """Whether there is anything to erase."""
        return bool(self.registrations or self.subscriptions)


@repeated
def ask(
    key: bytes, now: datetime, policy: Policy, actor: str, act: Act | None = None, mailbox: bytes | None = None,
    how: Channel = Channel.COMMAND, never: str = "",
) -> Erasure:  # fmt: skip
    """Begin, where there is a person to erase: end what is open, owe the mail, set the hour.

    `never`: why nobody writes to this address again, besides.
    """
    with transaction() as session:
        audit.write(session, act)
        if never:
            addresses.lock_or_create(session, key, mailbox)
            suppressions.add(session, key, NO_MAIL, never, now, mailbox=mailbox)
        addresses.lock(session, key)
        rows = [row for row in registrations.of_key(session, key) if row.address]
        stored = _stored(session, key)
        if not rows and not stored:
            return Erasure(0, 0, after_erasure(session, key, now, policy, mailbox))
        end_open(session, key, None, _asked_for(actor, how), now, policy)
        row = addresses.find(session, key)
        if row is None or row.erase_by is None:  # asked again: the first hour and the first mail hold
            _owe(session, rows, stored, now)
            addresses.erase_by(session, key, now + ERASE_WITHIN)
        return Erasure(len(rows), len(stored), after_erasure(session, key, now, policy, mailbox))


def _owe(session: Session, rows: list[Registration], stored: list[Subscription], now: datetime) -> None:
    """The mail hangs on the newest subscription, else on the newest registration."""
    if stored:
        mail = subscription_step(stored[-1].state, Event.ERASE).mail
        outbox.owe(session, mail, now=now, subscription_id=stored[-1].id)
    else:
        mail = registration_step(rows[-1].state, Event.ERASE).mail
        outbox.owe(session, mail, now=now, registration_id=rows[-1].id)


def _stored(session: Session, key: bytes) -> list[Subscription]:
    return [row for row in subscriptions.of_key(session, key) if row.state is not State.ERASED]


def _asked_for(actor: str, how: Channel = Channel.COMMAND) -> Withdrawal:
    return Withdrawal(Event.UNSUBSCRIBE, how, "erasure asked for", actor)


@repeated
def finish(key: bytes, now: datetime, policy: Policy) -> None:
    """End: the person is gone from every row, and every IP; sealed evidence stays under the key for its period."""
    with transaction() as session:
        addresses.lock(session, key)
        registrations.remove_unconfirmed(session, key)
        for row in registrations.of_key(session, key):
            row.address = row.typed = row.name = row.fields = row.mailbox = None
        end_open(session, key, None, _asked_for("erasure"), now, policy)  # what was confirmed within the hour as well
        ended = _stored(session, key)
        for subscription in ended:
            _seal(session, subscription, now)
        evidence.forget_ips(session, [row.id for row in ended])
        registrations.forget_replaced(session, key)
        mailbox.forget(session, key)
        requests.note_erased(session, key, now)
        addresses.erase_by(session, key, None)
        addresses.forget_count(session, key)
        session.flush()
        addresses.forget_unknown(session, [key])
        audit.forget_unknown(session, key=key)
        counters.add(session, {"erased": 1})
        vacuum.due(session)


def _seal(session: Session, row: Subscription, now: datetime) -> None:
    row.state = subscription_step(row.state, Event.ERASE).to
    row.address = row.name = row.fields = row.ip_until = row.mailbox = None
    details = {"keeps_until": row.proof_until.isoformat() if row.proof_until else None}
    evidence.add(session, Fact.ERASED, now, Channel.COMMAND, subscription_id=row.id, details=details)


def due(now: datetime, at_most: int = 100) -> list[bytes]:
    """Keys whose hour is over, or whose mail is settled."""
    with transaction() as session:
        return list(addresses.waiting_erasures(session, now, at_most))
