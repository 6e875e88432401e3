"""Legal holds: what must not be deleted for now (GDPR 17(3)(e), 18(2)). Mostly there is none."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, delete, exists, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from subscriptions.store.engine import BLIND
from subscriptions.store.models import Address, Hold, Registration, Subscription, Suppression

_STANDS = Hold.lifted_at.is_(None)


def on(rows: type[Registration | Subscription]) -> ColumnElement[bool]:
    """Whether a row of these is held, by a hold on its list or on all of its address."""
    return exists().where(Hold.key == rows.key, _STANDS, or_(Hold.list_id.is_(None), Hold.list_id == rows.list_id))


def on_any_of(key: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Whether anything of that address is held: for what belongs to no list."""
    return exists().where(Hold.key == key, _STANDS)


class Standing(NamedTuple):
    """A hold in force. `list_id` none: on everything of the address; `erase_asked`: an erasure waits for its end."""

    list_id: int | None
    reason: str
    placed_at: datetime
    placed_by: str
    review_on: date
    is_overdue: bool
    erase_asked: datetime | None

    def covers(self, list_id: int) -> bool:
        return self.list_id in (None, list_id)


def active(session: Session, key: bytes, now: datetime) -> list[Standing]:
    """Those in force on an address, oldest first; who asks the person's data names them."""
    return [_standing(row, now) for row in session.scalars(_of(key))]


def _of(key: bytes) -> Select[Hold]:
    return select(Hold).where(Hold.key == key, _STANDS).order_by(Hold.id)


def _standing(row: Hold, now: datetime) -> Standing:
    said = row.list_id, row.reason, row.placed_at, row.placed_by, row.review_on
    return Standing(*said, is_overdue=is_overdue(row, now), erase_asked=row.erase_asked)


def is_overdue(row: Hold, now: datetime) -> bool:
    """Whether its review should have been before today."""
    return row.review_on < now.date()


def find(session: Session, key: bytes, list_id: int | None) -> Hold | None:
    """The one in force on exactly that."""
    return session.scalar(_of(key).where(Hold.list_id.is_not_distinct_from(list_id)))


def lock(session: Session, key: bytes) -> None:
    """What there is of an address: a sweep that has begun to delete some of it goes first."""
    for table in (Registration, Subscription):
        session.execute(select(table.id).where(table.key == key).with_for_update())


def free(session: Session, subscription_ids: Sequence[int]) -> Sequence[int]:
    """Those of these that are not held, looked at once nobody can place a hold on them any more."""
    these = select(Subscription.id).where(Subscription.id.in_(subscription_ids))
    session.execute(these.with_for_update())
    return session.scalars(these.where(~on(Subscription))).all()


def to_lift(session: Session, key: bytes, list_id: int | None) -> Sequence[Hold]:
    """All that are in force on an address, or the one on a list."""
    found = _of(key)
    return session.scalars(found if list_id is None else found.where(Hold.list_id == list_id)).all()


class Listed(NamedTuple):
    """A hold with the address, where a row that it keeps still has it."""

    row: Hold
    address: str | None


def all_active(session: Session, key: bytes | None = None) -> list[Listed]:
    """Those in force, the next review first."""
    tables: tuple[type[Registration | Subscription], ...] = (Subscription, Registration)
    address = func.coalesce(*(
        select(table.address).where(table.key == Hold.key, table.address.is_not(None))
        .order_by(table.id.desc()).limit(1).correlate(Hold).scalar_subquery() for table in tables
    ))  # fmt: skip
    which = [_STANDS, *([Hold.key == key] if key else [])]
    found = session.execute(select(Hold, address).where(*which).order_by(Hold.review_on, Hold.id))
    return [Listed(row, said) for row, said in found]


def number_overdue(session: Session, now: datetime) -> int:
    over = select(func.count()).select_from(Hold).where(_STANDS, Hold.review_on < now.date())
    return session.scalar(over) or 0


def postpone_erasure(session: Session, key: bytes, now: datetime) -> None:
    """What was asked for by now is erased when the holds on this address are lifted."""
    session.execute(update(Hold).where(Hold.key == key, _STANDS).values(erase_asked=now), execution_options=BLIND)


def erasures_due(session: Session, at_most: int) -> dict[bytes, datetime]:
    """The addresses whose hold is lifted, and up to when an erasure that waited for that was asked for."""
    waited = Hold.lifted_at.is_not(None), Hold.erase_asked.is_not(None)
    found = select(Hold.key, func.max(Hold.erase_asked)).where(*waited).group_by(Hold.key).limit(at_most)
    return {key: asked for key, asked in session.execute(found) if asked}


def end_waiting(session: Session, key: bytes) -> bool:
    """Its erasure waits no more; whether it still did, or another process was faster."""
    waited = Hold.key == key, Hold.lifted_at.is_not(None), Hold.erase_asked.is_not(None)
    ended = update(Hold).where(*waited).values(erase_asked=None).returning(Hold.id)
    return bool(session.scalars(ended, execution_options=BLIND).all())


def forget_lifted(session: Session, at_most: int) -> int:
    """Delete lifted holds on those of whom nothing else is known, once no erasure waits for that; how many."""
    known = (exists().where(table.key == Hold.key) for table in (Registration, Subscription, Suppression, Address))
    over = select(Hold.id).where(Hold.lifted_at.is_not(None), Hold.erase_asked.is_(None), ~or_(*known)).limit(at_most)
    return len(session.scalars(delete(Hold).where(Hold.id.in_(over)).returning(Hold.id), execution_options=BLIND).all())
