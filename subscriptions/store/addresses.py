"""One row per address and one per mailbox, mostly the same: locked by every act, and gone when nothing needs it.

The row of a mailbox holds the times of its mails, which outlive what is known of it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session

from subscriptions.domain.budget import Budget
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.policy import Policy
from subscriptions.domain.refusals import Refusal
from subscriptions.store import arrays, holds, journal
from subscriptions.store.engine import BLIND
from subscriptions.store.models import Address, Captured, Owed, Registration, Subscription, Suppression
from subscriptions.store.trips import Later, Trip, trip


def lock(session: Session, *keys: bytes | None) -> None:
    """Hold addresses and mailboxes until the transaction ends, in the order of their keys."""
    theirs = select(Address.key).where(Address.key.in_({*filter(None, keys)}))
    session.execute(theirs.order_by(Address.key).with_for_update())


def lock_or_create(session: Session, *keys: bytes | None) -> None:
    """The same for those that may not be known yet, and will be."""
    with trip(session) as out:
        lock_and_count(out, dict.fromkeys(filter(None, keys), 0))


_ROW = {"key": "bytea", "asked": "int", "mails": "text"}


def lock_and_count(out: Trip, asks: Mapping[bytes, int]) -> Later[dict[bytes, str]]:
    """Lock the row of each key, made where there was none, and count the asks; gives their budgets."""
    rows = [(key, asks[key], "") for key in sorted(asks)]
    counted = "ON CONFLICT (key) DO UPDATE SET asked = addresses.asked + excluded.asked"
    known = out.upsert("addresses", _ROW, rows, counted, gives="mails")
    return lambda: {bytes(key): mails for key, mails in known()}


def begin_batch(out: Trip, asks: Mapping[bytes, int]) -> Later[dict[bytes, str]]:
    """The same for a batch that ends with `end_batch`.

    On SQLite, where one alone may write, there is nothing to lock, and that one counts as well: 15 us less a sign-up.
    """
    if out.is_postgres:
        return lock_and_count(out, asks)
    marks = ", ".join("?" * len(asks))
    every = f"SELECT json_group_array(json_array(hex(key), mails)) FROM addresses WHERE key IN ({marks})"  # noqa: S608
    found = out.ask(every, [*asks])
    return lambda: dict.fromkeys(asks, "") | {bytes.fromhex(key): mails for key, mails in json.loads(found()[0][0])}


def end_batch(out: Trip, asks: Mapping[bytes, int], budgets: Mapping[bytes, Budget], now: datetime) -> None:
    """Write the budgets that a batch has changed. `asks`: those of addresses that something is kept of."""
    changed = {mailbox: budget for mailbox, budget in budgets.items() if budget.is_changed}
    _save(out, {} if out.is_postgres else asks, changed, now)


def save_budgets(out: Trip, budgets: Mapping[bytes, Budget], now: datetime) -> None:
    """Write the times of mails, the new ones included, of the locked mailboxes."""
    _save(out, {}, budgets, now)


_SAVED = _ROW | {"last_mail_at": "timestamptz"}
_SAVE = """ON CONFLICT (key) DO UPDATE SET asked = addresses.asked + excluded.asked,
  mails = CASE WHEN excluded.last_mail_at IS NULL THEN addresses.mails ELSE excluded.mails END,
  last_mail_at = CASE WHEN excluded.last_mail_at IS NULL OR addresses.last_mail_at > excluded.last_mail_at
    THEN addresses.last_mail_at ELSE excluded.last_mail_at END"""


def _save(out: Trip, asks: Mapping[bytes, int], budgets: Mapping[bytes, Budget], now: datetime) -> None:
    rows = [
        (key, asks.get(key, 0), mails.written(now), max(mails.sent)) if (mails := budgets.get(key))
        else (key, asks[key], "", None)
        for key in sorted(asks.keys() | budgets.keys())
    ]  # fmt: skip
    if rows:
        out.insert("addresses", _SAVED, rows, _SAVE)


def find(session: Session, key: bytes) -> Address | None:
    return session.get(Address, key)


def budget(session: Session, key: bytes, mailbox: bytes | None, policy: Policy) -> Budget:
    """What an address may be sent, with what its spelling was sent before 0.4.0."""
    both = select(Address.mails).where(Address.key.in_([key, mailbox or key]))
    sum_ = Budget((), [])
    for mails in session.scalars(both):
        sum_.join(Budget.read(mails, ()))
    return Budget(policy.mails, sum_.sent)


def forget_count(session: Session, key: bytes) -> None:
    """How often it was signed up; its row may stay for the times of mails."""
    session.execute(update(Address).where(Address.key == key).values(asked=0))


def erase_by(session: Session, key: bytes, at: datetime | None) -> None:
    """None: it is done."""
    if at:
        journal.note(session, "erase", key=key)
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


_TYPED = MailKind.PREFERENCES, MailKind.NOTHING_STORED


def give_back(session: Session, key: bytes, mail: MailKind, owed_at: datetime) -> None:
    """A mail that was owed then has reached nobody, through no fault of the mailbox: it counts in no budget."""
    row = session.get(Address, key, with_for_update=True, populate_existing=True)
    for name in ("requests", "renewals") if mail in _TYPED else ("mails",):
        budget = Budget.read((getattr(row, name) if row else None) or "", ())
        if budget.give_back(owed_at):
            setattr(row, name, budget.written())
            return


def times_over(session: Session, edge: datetime, at_most: int) -> Sequence[bytes]:
    """Forget the times of mailboxes whose last mail was then or earlier; their keys."""
    over = select(Address.key).where(Address.last_mail_at <= edge, ~holds.on_any_of(Address.key)).limit(at_most)
    nothing = {"mails": "", "requests": None, "renewals": None, "last_mail_at": None}
    forget = update(Address).where(Address.key.in_(over.with_for_update(skip_locked=True))).values(nothing)
    return session.scalars(forget.returning(Address.key), execution_options=BLIND).all()


_FORGET = """
DELETE FROM addresses AS a WHERE a.key {among} AND a.last_mail_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM registrations r WHERE r.key = a.key)
  AND NOT EXISTS (SELECT 1 FROM subscriptions s WHERE s.key = a.key)
  AND NOT EXISTS (SELECT 1 FROM suppressions p WHERE p.key = a.key OR p.mailbox = a.key)
"""
POSTGRES_FORGET = _FORGET.format(among="= ANY(?::bytea[])")


def forget_unknown(session: Session, keys: Iterable[bytes]) -> None:
    """Drop what is kept for addresses of which nothing else is left: their row, copies in the mailbox.

    A row stays while times of mails count. One that a sign-up holds just now is passed over: it will be known, or the
    sign-up forgets it itself.
    """
    free = select(Address.key).where(Address.key.in_(keys)).with_for_update(skip_locked=True)
    held = session.scalars(free).all()
    with trip(session) as out:
        forget(out, held)
    known = (exists().where(table.key == Captured.key) for table in (Registration, Subscription, Suppression))
    session.execute(delete(Captured).where(Captured.key.in_(keys), ~or_(*known)), execution_options=BLIND)


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
