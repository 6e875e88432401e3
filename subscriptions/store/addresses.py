"""The one row per address: locked by every act on it, and gone when nothing else knows its key."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session

from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.refusals import Refusal
from subscriptions.store import arrays
from subscriptions.store.engine import BLIND
from subscriptions.store.models import Address, Captured, Owed, Registration, Subscription
from subscriptions.store.trips import Later, Trip, trip


def lock(session: Session, *keys: bytes) -> None:
    """Hold addresses until the transaction ends, in the order of their keys: nothing is decided on others."""
    session.execute(select(Address.key).where(Address.key.in_(keys)).order_by(Address.key).with_for_update())


def lock_or_create(session: Session, key: bytes) -> None:
    """The same for an address that may not be known yet, and will be."""
    with trip(session) as out:
        lock_and_count(out, {key: 0})


_ROW = {"key": "bytea", "asked": "int", "mails": "text"}


def lock_and_count(out: Trip, asks: Mapping[bytes, int]) -> Later[dict[bytes, str]]:
    """Lock the row of each address, made where there was none, and count the asks; gives their budgets."""
    rows = [(key, asks[key], "") for key in sorted(asks)]
    counted = "ON CONFLICT (key) DO UPDATE SET asked = addresses.asked + excluded.asked"
    known = out.upsert("addresses", _ROW, rows, counted, gives="mails")
    return lambda: {bytes(key): mails for key, mails in known()}


def save_budgets(out: Trip, budgets: Mapping[bytes, str]) -> None:
    """Write the times of mails, the new ones included, of the locked addresses."""
    if budgets:
        rows = [(key, 0, mails) for key, mails in budgets.items()]
        out.insert("addresses", _ROW, rows, "ON CONFLICT (key) DO UPDATE SET mails = excluded.mails")


def find(session: Session, key: bytes) -> Address | None:
    return session.get(Address, key)


def erase_by(session: Session, key: bytes, at: datetime | None) -> None:
    session.execute(update(Address).where(Address.key == key).values(erase_by=at))


def waiting_erasures(session: Session, now: datetime, at_most: int) -> Sequence[bytes]:
    """Addresses to be erased whose hour is over, or that are owed no mail any more."""
    owed = exists().where(
        Owed.mail == MailKind.ERASED,
        Owed.refusal.is_distinct_from(Refusal.NOTED),
        or_(
            Owed.subscription_id.in_(select(Subscription.id).where(Subscription.key == Address.key)),
            Owed.registration_id.in_(select(Registration.id).where(Registration.key == Address.key)),
        ),
    )
    due = select(Address.key).where(Address.erase_by.is_not(None), or_(Address.erase_by <= now, ~owed))
    return session.scalars(due.limit(at_most)).all()


_FORGET = """
DELETE FROM addresses AS a WHERE a.key {among}
  AND NOT EXISTS (SELECT 1 FROM registrations r WHERE r.key = a.key)
  AND NOT EXISTS (SELECT 1 FROM subscriptions s WHERE s.key = a.key)
  AND NOT EXISTS (SELECT 1 FROM suppressions p WHERE p.key = a.key)
"""
POSTGRES_FORGET = _FORGET.format(among="= ANY(?::bytea[])")


def forget_unknown(session: Session, keys: Sequence[bytes]) -> None:
    """Drop what is kept for addresses of which nothing else is left: their row, copies in the mailbox.

    One that a sign-up holds just now is passed over: it will be known, or the sign-up forgets it itself.
    """
    free = select(Address.key).where(Address.key.in_(keys)).with_for_update(skip_locked=True)
    held = session.scalars(free).all()
    with trip(session) as out:
        forget(out, held)
    gone = Captured.key.in_(keys), ~exists().where(Address.key == Captured.key)
    session.execute(delete(Captured).where(*gone), execution_options=BLIND)


def forget(out: Trip, keys: Sequence[bytes]) -> None:
    """The same on the trip of an act that holds them.

    Held before: where a statement waits for a lock, PostgreSQL looks at the other tables as they were before.
    """
    if not keys:
        return
    if out.is_postgres:
        out.ask(POSTGRES_FORGET, (arrays.octets(keys),))
    else:
        out.ask(_FORGET.format(among=f"IN ({', '.join('?' * len(keys))})"), keys)
