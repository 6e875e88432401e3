"""Owed mails: owed in the transaction of the act, taken with a lease, settled in batches."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from subscriptions.domain.lifecycle import Mail
from subscriptions.store.models import List, Owed, Registration, Subscription, Suppression, Wording

LEASE = timedelta(seconds=60)


def owe(
    session: Session,
    mail: Mail | None,
    *,
    now: datetime,
    due_at: datetime | None = None,
    drop_at: datetime | None = None,
    registration_id: int | None = None,
    subscription_id: int | None = None,
) -> None:
    """Owe a mail, if the step owes one; it is written out when it is sent."""
    if mail is None:
        return
    session.add(
        Owed(
            mail=mail.value,
            mid=secrets.token_hex(16),
            owed_at=now,
            due_at=due_at or now,
            drop_at=drop_at or now + timedelta(hours=24),
            registration_id=registration_id,
            subscription_id=subscription_id,
            tries=0,
        )
    )
    session.flush()


def take(session: Session, me: str, at_most: int, now: datetime) -> list[int]:
    """Take mails that are due: ids that no other process has; the lease ends by itself."""
    due = (
        select(Owed.id).where(Owed.due_at <= now).order_by(Owed.due_at).limit(at_most).with_for_update(skip_locked=True)
    )
    ids = list(session.scalars(due))
    if ids:
        session.execute(update(Owed).where(Owed.id.in_(ids)).values(due_at=now + LEASE, taken_by=me))
    return ids


def renew(session: Session, me: str, ids: Sequence[int], now: datetime) -> None:
    """Prolong the lease of mails that wait behind a slow one."""
    session.execute(update(Owed).where(Owed.id.in_(ids), Owed.taken_by == me).values(due_at=now + LEASE))


def give_back(session: Session, me: str, now: datetime) -> int:
    """Give every lease of this process back: what a process that ends has not sent, another may send at once."""
    mine = session.execute(update(Owed).where(Owed.taken_by == me).values(due_at=now, taken_by=None).returning(Owed.id))
    return len(mine.all())


@dataclass(frozen=True, slots=True)
class Due:
    """A taken mail with everything that its text needs, as it is now."""

    owed: Owed
    registration: Registration | None
    subscription: Subscription | None
    list: List
    wording: Wording | None
    suppression: str | None  # the wider scope where there are several


def read_again(session: Session, ids: Sequence[int], now: datetime) -> list[Due]:
    """The taken mails with the state that they are about, read just before they are written out."""
    of = func.coalesce(Registration.list_id, Subscription.list_id)
    key = func.coalesce(Registration.key, Subscription.key)
    suppression = (
        select(func.min(Suppression.scope))  # "all" comes before "ask"
        .where(Suppression.key == key, or_(Suppression.list_id.is_(None), Suppression.list_id == of))
        .where(or_(Suppression.until.is_(None), Suppression.until > now))
        .scalar_subquery()
    )
    wording = func.coalesce(Registration.wording_id, List.wording_id)
    rows = session.execute(
        select(Owed, Registration, Subscription, List, Wording, suppression)
        .outerjoin(Registration, Registration.id == Owed.registration_id)
        .outerjoin(Subscription, Subscription.id == Owed.subscription_id)
        .join(List, List.id == of)
        .outerjoin(Wording, Wording.id == wording)
        .where(Owed.id.in_(ids))
        .order_by(Owed.id)
    )
    return [Due(*row) for row in rows]


def settle(session: Session, me: str, ids: Sequence[int]) -> None:
    """Forget mails that are done with: sent, given up or no longer wanted."""
    session.execute(delete(Owed).where(Owed.id.in_(ids)))


def put_off(session: Session, id_: int, until: datetime, note: str, *, counts: bool) -> None:
    """Try this mail again later; `counts` unless the relay was at fault as a whole."""
    tries = Owed.tries + 1 if counts else Owed.tries
    session.execute(update(Owed).where(Owed.id == id_).values(due_at=until, taken_by=None, tries=tries, note=note))


def waiting(session: Session) -> tuple[int, datetime | None]:
    """How many mails are owed, and since when the oldest of them is."""
    count, oldest = session.execute(select(func.count(), func.min(Owed.owed_at)).select_from(Owed)).one()
    return count, oldest


def of_registration(session: Session, id_: int) -> Sequence[Owed]:
    return session.scalars(select(Owed).where(Owed.registration_id == id_)).all()
