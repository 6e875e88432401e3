"""Erase: the right to erasure. First a mail says what stays and until when, then the person is gone.

What a legal hold keeps waits for its end (GDPR 17(3)(e)).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions.actions.leave import Withdrawal, end_open
from subscriptions.domain.evidence import Cause, Channel, Fact
from subscriptions.domain.lifecycle import NO_MAIL, Event, registration_step, subscription_step
from subscriptions.domain.lifecycle import Subscription as State
from subscriptions.domain.policy import ERASE_WITHIN, Policy
from subscriptions.store import (
    addresses,
    arrivals,
    audit,
    counters,
    evidence,
    holds,
    imports,
    journal,
    mailbox,
    outbox,
    registrations,
    requests,
    subscriptions,
    suppressions,
    vacuum,
)
from subscriptions.store.audit import Act
from subscriptions.store.engine import reading, repeated, transaction
from subscriptions.store.kept import Kept, after_erasure
from subscriptions.store.models import Registration, Subscription


@dataclass(frozen=True, slots=True)
class Erasure:
    """What is known of an address, and so will go or stay."""

    registrations: int
    subscriptions: int
    kept: Kept
    waited: bool = False  # only to be invited: that is over

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
        if waited := imports.forget(session, key):
            journal.note(session, "erase", key=key)
        rows = [row for row in registrations.of_key(session, key) if row.address]
        stored = _stored(session, key)
        if not rows and not stored:
            return Erasure(0, 0, after_erasure(session, key, now, policy, mailbox), waited)
        end_open(session, key, None, _asked_for(actor, how), now, policy)
        if not _is_asked(session, key, rows, stored, now):
            _owe(session, rows, stored, now)
            addresses.erase_by(session, key, now + ERASE_WITHIN)
        return Erasure(len(rows), len(stored), after_erasure(session, key, now, policy, mailbox))


def _is_asked(
    session: Session, key: bytes, rows: list[Registration], stored: list[Subscription], now: datetime
) -> bool:
    """Asked again: the first hour and the first mail hold, and so they do while all of it waits for a hold to end."""
    row = addresses.find(session, key)
    waits = max((one.erase_asked for one in holds.active(session, key, now) if one.erase_asked), default=None)
    newest = max([row.registered_at for row in rows] + [row.registered_at for row in stored])
    return (row is not None and row.erase_by is not None) or (waits is not None and newest <= waits)


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
        finish_in(session, key, now, policy)


def finish_in(session: Session, key: bytes, now: datetime, policy: Policy) -> None:
    """Within a transaction that has locked the address."""
    registrations.remove_unconfirmed(session, key, Cause.ERASURE, now)
    end_open(session, key, None, _asked_for("erasure"), now, policy)  # what was confirmed within the hour as well
    registrations.forget_replaced(session, key)
    addresses.erase_by(session, key, None)
    _forget(session, key, now)


def released(at_most: int = 100) -> Mapping[bytes, datetime]:
    """Keys whose hold is lifted, each with the time up to which an erasure that waited for that was asked for."""
    with reading() as session:
        return holds.erasures_due(session, at_most)


@repeated
def resume(key: bytes, asked: datetime, now: datetime) -> None:
    """End an erasure that has waited for a hold. What they have signed up for since then stays."""
    with transaction() as session:
        addresses.lock(session, key)
        if holds.end_waiting(session, key):
            journal.note(session, "erase", key=key)
            _forget(session, key, now, asked)


def _forget(session: Session, key: bytes, now: datetime, asked: datetime | None = None) -> None:
    """What there was when it was asked for, or all; but for what is held: that waits."""
    held, rows = holds.active(session, key, now), registrations.of_key(session, key)
    newer = asked is not None and any(row.registered_at > asked for row in rows)
    for row in rows:
        if not _stays(row, held, asked):
            row.address = row.typed = row.name = row.fields = row.mailbox = None
    ended = [row for row in _stored(session, key) if not _stays(row, held, asked)]
    for subscription in ended:
        _seal(session, subscription, now)
    evidence.forget_ips(session, [row.id for row in ended], Cause.IPS_ERASED, now)
    session.flush()
    vacuum.due(session)
    if held:
        holds.postpone_erasure(session, key, asked or now)
    else:
        requests.note_erased(session, key, now)
    if not (held or newer):
        mailbox.forget(session, key)
        arrivals.forget_letters(session, key)
        addresses.forget_count(session, key)
        addresses.forget_unknown(session, [key])
        audit.forget_unknown(session, key=key)
    if not held:
        counters.add(session, {"erased": 1})


def _stays(row: Registration | Subscription, held: list[holds.Standing], asked: datetime | None) -> bool:
    is_newer = asked is not None and row.registered_at > asked
    return is_newer or any(one.covers(row.list_id) for one in held)


def _seal(session: Session, row: Subscription, now: datetime) -> None:
    row.state = subscription_step(row.state, Event.ERASE).to
    row.address = row.name = row.fields = row.ip_until = row.mailbox = None
    details = {"keeps_until": row.proof_until.isoformat() if row.proof_until else None}
    evidence.add(session, Fact.ERASED, now, Channel.COMMAND, subscription_id=row.id, details=details)


def due(now: datetime, at_most: int = 100) -> list[bytes]:
    """Keys whose hour is over, or whose mail is settled."""
    with transaction() as session:
        return list(addresses.waiting_erasures(session, now, at_most))
