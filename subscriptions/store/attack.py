"""What an operator cancels after an attack."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from subscriptions.domain.evidence import Fact
from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.lifecycle import Suppress
from subscriptions.store.engine import BLIND
from subscriptions.store.models import Evidence, Registration, Suppression


class Found(NamedTuple):
    """A registration that was never confirmed."""

    id: int
    key: bytes
    ip: str | None


def unconfirmed(
    session: Session, since: datetime, until: datetime, list_id: int | None, after: int, at_most: int
) -> list[Found]:
    """Of that time, `since` included and `until` not, in the order of their ids, beginning after one."""
    registered = (Evidence.registration_id == Registration.id) & (Evidence.fact == Fact.REGISTERED)
    in_time = Registration.registered_at >= since, Registration.registered_at < until
    which = select(Registration.id, Registration.key, Evidence.ip).outerjoin(Evidence, registered)
    which = which.where(Registration.id > after, Registration.state != State.CONFIRMED, *in_time)
    if list_id is not None:
        which = which.where(Registration.list_id == list_id)
    return [Found._make(row) for row in session.execute(which.order_by(Registration.id).limit(at_most))]


def remove(session: Session, ids: Sequence[int]) -> list[bytes]:
    """Delete those that are not confirmed even now, with all that hangs on them; the key of each."""
    gone = delete(Registration).where(Registration.id.in_(ids), Registration.state != State.CONFIRMED)
    keys = session.execute(gone.returning(Registration.key), execution_options=BLIND)
    return list(keys.scalars())


def protected(session: Session, keys: Collection[bytes], reason: str) -> set[bytes]:
    """Which of these an earlier batch of the same attack has protected."""
    return set(session.scalars(select(Suppression.key).where(Suppression.key.in_(keys), Suppression.reason == reason)))


def newest_addresses(session: Session, at_most: int) -> list[str]:
    """Of the newest registrations: to find the names of domains that traffic knows by hash."""
    newest = select(Registration.address).order_by(Registration.id.desc()).limit(at_most)
    return [address for address in session.scalars(newest) if address]


def protect(session: Session, keys: Iterable[bytes], rule: Suppress, reason: str, now: datetime) -> None:
    """Suppress these addresses, which is known not to have been done."""
    row = {"scope": rule.scope, "reason": reason, "set_at": now, "until": rule.until(now)}
    session.add_all(Suppression(key=key, **row) for key in sorted(keys))
