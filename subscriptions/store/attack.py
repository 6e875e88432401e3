"""What an operator cancels after an attack."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from subscriptions.domain.evidence import Cause, Fact
from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.lifecycle import Suppress
from subscriptions.store import registrations, suppressions
from subscriptions.store.models import Evidence, Registration, Suppression

_MAILBOX = func.coalesce(Registration.mailbox, Registration.key)


class Found(NamedTuple):
    """A registration that was never confirmed."""

    id: int
    key: bytes
    mailbox: bytes  # the same, unless the address is one spelling of another
    ip: str | None


def unconfirmed(
    session: Session, since: datetime, until: datetime, list_id: int | None, after: int, at_most: int
) -> list[Found]:
    """Of that time, `since` included and `until` not, in the order of their ids, beginning after one."""
    registered = (Evidence.registration_id == Registration.id) & (Evidence.fact == Fact.REGISTERED)
    in_time = Registration.registered_at >= since, Registration.registered_at < until
    which = select(Registration.id, Registration.key, _MAILBOX, Evidence.ip).outerjoin(Evidence, registered)
    which = which.where(Registration.id > after, Registration.state != State.CONFIRMED, *in_time)
    if list_id is not None:
        which = which.where(Registration.list_id == list_id)
    return [Found._make(row) for row in session.execute(which.order_by(Registration.id).limit(at_most))]


def remove(session: Session, ids: Sequence[int], now: datetime) -> Sequence[tuple[bytes, bytes]]:
    """Delete those that are not confirmed even now, with all that hangs on them; address and mailbox of each."""
    unconfirmed = Registration.id.in_(ids), Registration.state != State.CONFIRMED
    found = session.execute(select(Registration.id, Registration.key, _MAILBOX).where(*unconfirmed)).all()
    if found:
        registrations.remove(session, [row[0] for row in found], Cause.ATTACK, now)
    return [(key, mailbox) for _, key, mailbox in found]


def protected(session: Session, mailboxes: Collection[bytes], reason: str) -> set[bytes]:
    """Which of these an earlier batch of the same attack has protected."""
    which = Suppression.mailbox.in_(mailboxes), Suppression.reason == reason
    return set(session.scalars(select(Suppression.mailbox).where(*which)))


def newest_addresses(session: Session, at_most: int) -> list[str]:
    """Of the newest registrations: to find the names of domains that traffic knows by hash."""
    newest = select(Registration.address).order_by(Registration.id.desc()).limit(at_most)
    return [address for address in session.scalars(newest) if address]


def protect(session: Session, keys: Mapping[bytes, bytes], rule: Suppress, reason: str, now: datetime) -> None:
    """Suppress these mailboxes, each by one spelling, which is known not to have been done."""
    of = {"scope": rule.scope, "set_at": now, "until": rule.until(now)}
    for mailbox, key in sorted(keys.items()):
        suppressions.put(session, {"key": key, "mailbox": mailbox, **of}, reason)
