"""Everything that is stored about one person, as it stands: which rows of which tables (GDPR 15)."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from subscriptions import clock
from subscriptions.domain.evidence import Fact
from subscriptions.store.models import (
    Address,
    Audit,
    Captured,
    CountedKey,
    Evidence,
    Hold,
    Invitation,
    Owed,
    Registration,
    Request,
    Subscription,
    Suppression,
    db,
)

NOT_SHOWN = "stored, and not shown: it may be somebody else's"
Rows = dict[str, list[dict[str, Any]]]


class Whose(NamedTuple):
    """`marks`: the keyed hashes by which attempts of this person are counted."""

    key: bytes
    mailbox: bytes
    address: str | None
    marks: Collection[bytes] = ()


def everything(session: Session, whose: Whose) -> Rows:
    """By table: each row with all its columns. What names others, or would open something, is left out of them."""
    found = {}
    for table, which in _tables(session, whose).items():
        columns: Sequence[Any] = table.__table__.columns
        order = [*table.__table__.primary_key]
        rows = session.scalars(select(table).where(which).order_by(*order)).all()
        found[table.__tablename__] = [{one.key: _told(getattr(row, one.key)) for one in columns} for row in rows]
    _without_others(found, whose)
    return found


def _tables(session: Session, whose: Whose) -> Mapping[type[db.Model], ColumnElement[bool]]:  # type: ignore[name-defined]
    key, both = whose.key, [whose.key, whose.mailbox]
    signed_up = [*session.scalars(select(Registration.id).where(Registration.key == key))]
    opened = [*session.scalars(select(Subscription.id).where(Subscription.key == key))]
    asked = [*session.scalars(select(Request.id).where(Request.key == key))]
    return {
        Registration: or_(Registration.key == key, Registration.replaces == key),
        Subscription: Subscription.key == key,
        Evidence: or_(Evidence.registration_id.in_(signed_up), Evidence.subscription_id.in_(opened)),
        Suppression: or_(Suppression.key == key, Suppression.mailbox.in_(both)),
        Address: Address.key.in_(both),
        Owed: or_(Owed.registration_id.in_(signed_up), Owed.subscription_id.in_(opened), Owed.request_id.in_(asked),
                  Owed.address.in_([whose.address])),
        Captured: or_(Captured.key == key, Captured.registration_id.in_(signed_up)),
        Request: Request.key == key,
        Hold: Hold.key == key,
        Invitation: Invitation.key == key,
        Audit: Audit.about == key,
        CountedKey: CountedKey.key.in_(whose.marks),
    }  # fmt: skip


def _told(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex() if len(value) <= 64 else f"sha256:{hashlib.sha256(value).hexdigest()}"
    if isinstance(value, datetime):
        return clock.text(value)
    return value.isoformat() if isinstance(value, date) else value


# no part of what is stored of the person
_WHO_WORKS_HERE = ("audit", "actor"), ("requests", "actor"), ("holds", "placed_by", "lifted_by")
_OF_A_MOVE = ("id", "list_id", "registered_at", "confirm_by", "replaces")  # of the sign-up of another address


def _without_others(found: Rows, whose: Whose) -> None:
    """GDPR 15(4): a sign-up's IP address may be a stranger's, unless the confirmation came from the same one."""
    found["registrations"] = [row if row["key"] == whose.key.hex() else {name: row[name] for name in _OF_A_MOVE}
                              for row in found["registrations"]]  # fmt: skip
    facts = found["evidence"]
    theirs = {row["ip"] for row in facts if row["fact"] in (Fact.CONFIRMED, Fact.IMPORTED)}
    for row in facts:
        if row["ip"] and row["ip"] not in theirs:
            row["ip"] = NOT_SHOWN
    for table, *names in _WHO_WORKS_HERE:
        for row in found[table]:
            row.update({name: NOT_SHOWN for name in names if row[name]})
    for row in found["outbox"]:
        if row["address"] not in (None, whose.address):
            row["address"] = NOT_SHOWN
