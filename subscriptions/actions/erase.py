"""Erase: the right to erasure. First a mail says what stays and until when, then the person is gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions.actions.leave import Withdrawal, end_chapter
from subscriptions.domain.evidence import Channel, Fact
from subscriptions.domain.lifecycle import Event, Registration, registration_step, subscription_step
from subscriptions.domain.lifecycle import Subscription as State
from subscriptions.domain.policy import ERASE_WITHIN, Policy
from subscriptions.store import addresses, counters, evidence, mailbox, outbox, registrations, subscriptions, vacuum
from subscriptions.store.engine import repeated, transaction
from subscriptions.store.models import Registration as Row
from subscriptions.store.models import Subscription


@dataclass(frozen=True, slots=True)
class Erasure:
    """What is known of an address, and so will go or stay."""

    registrations: int
    subscriptions: int
    proof_until: datetime | None


@repeated
def ask(key: bytes, now: datetime, policy: Policy, actor: str) -> Erasure | None:
    """Begin: end what is open, owe the mail, set the hour. None: nothing is stored about this address."""
    with transaction() as session:
        addresses.lock(session, key)
        rows = [row for row in registrations.of_key(session, key) if row.address]
        stored = [chapter for chapter in subscriptions.of_key(session, key) if chapter.state != State.ERASED]
        if not rows and not stored:
            return None
        _end_open(session, stored, now, policy, actor)
        row = addresses.find(session, key)
        if row is None or row.erase_by is None:  # asked again: the first hour and the first mail hold
            _owe(session, rows, stored, now)
            addresses.erase_by(session, key, now + ERASE_WITHIN)
        until = max((chapter.proof_until for chapter in stored if chapter.proof_until), default=None)
        return Erasure(len(rows), len(stored), until)


def _owe(session: Session, rows: list[Row], stored: list[Subscription], now: datetime) -> None:
    """The mail hangs on the newest chapter, else on the newest registration."""
    if stored:
        mail = subscription_step(stored[-1].state, Event.ERASE).mail
        outbox.owe(session, mail, now=now, subscription_id=stored[-1].id)
    else:
        mail = registration_step(rows[-1].state, Event.ERASE).mail
        outbox.owe(session, mail, now=now, registration_id=rows[-1].id)


def _end_open(session: Session, stored: Sequence[Subscription], now: datetime, policy: Policy, actor: str) -> None:
    how = Withdrawal(Event.UNSUBSCRIBE, Channel.COMMAND, "erasure asked for", actor)
    for chapter in stored:
        if chapter.state == State.CONFIRMED:
            end_chapter(session, chapter, how, now, policy)


@repeated
def finish(key: bytes, now: datetime, policy: Policy) -> None:
    """End: the person is gone from every row; sealed evidence stays under the key until its period ends."""
    with transaction() as session:
        addresses.lock(session, key)
        rows = registrations.of_key(session, key)
        registrations.remove(session, [row.id for row in rows if row.state != Registration.CONFIRMED])
        for row in rows:
            if row.state == Registration.CONFIRMED:
                row.address = row.typed = row.name = row.fields = None
        stored = [chapter for chapter in subscriptions.of_key(session, key) if chapter.state != State.ERASED]
        _end_open(session, stored, now, policy, "erasure")  # what was confirmed within the hour ends as well
        for chapter in stored:
            _seal(session, chapter, now)
        registrations.forget_replaced(session, key)
        mailbox.forget(session, key)
        addresses.erase_by(session, key, None)
        session.flush()
        addresses.forget_unknown(session, [key])
        counters.add(session, {"erased": 1})
        vacuum.due(session)


def _seal(session: Session, chapter: Subscription, now: datetime) -> None:
    step = subscription_step(chapter.state, Event.ERASE)
    chapter.state, chapter.address, chapter.name, chapter.fields = step.to, None, None, None
    keeps_until = chapter.proof_until.isoformat() if chapter.proof_until else None
    evidence.add(
        session, Fact.ERASED, now, Channel.COMMAND, subscription_id=chapter.id, details={"keeps_until": keeps_until}
    )


def due(now: datetime, at_most: int = 100) -> list[bytes]:
    """Keys whose hour is over, or whose mail is settled."""
    with transaction() as session:
        return [key for key in addresses.waiting_erasures(session, now, at_most)]
