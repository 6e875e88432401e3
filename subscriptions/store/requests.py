"""Requests of people about their data: found, counted, and forgotten when their time is over."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from subscriptions.domain.requests import SOON
from subscriptions.store import holds
from subscriptions.store.engine import BLIND
from subscriptions.store.models import Request

Lists = Collection[int] | None  # none: every one
_OPEN = Request.outcome.is_(None)
_FREE = ~holds.on_any_of(Request.key)
_UNTIL = func.coalesce(Request.extended_until, Request.due_on)
ANSWERED_LATELY = timedelta(days=1)  # an email about it may still wait
_OF_PERSON = {"address": None, "person": None, "words": None, "answer": None, "extended_why": None}


def _seen(lists: Lists) -> list[ColumnElement[bool]]:
    """What is about the whole service, only who sees all of it is shown."""
    return [] if lists is None else [Request.list_id.in_(lists)]


def find(session: Session, id_: int, lists: Lists = None, *, hold: bool = False) -> Request | None:
    """`hold`: until the transaction ends."""
    found = select(Request).where(Request.id == id_, *_seen(lists))
    return session.scalar(found.with_for_update() if hold else found)


def of_key(session: Session, key: bytes) -> Sequence[Request]:
    return session.scalars(select(Request).where(Request.key == key).order_by(Request.id)).all()


def waiting(session: Session, lists: Lists = None) -> Sequence[Request]:
    """Those that are open, the one that is due first before the others."""
    return session.scalars(select(Request).where(_OPEN, *_seen(lists)).order_by(_UNTIL, Request.id)).all()


def settled(session: Session, lists: Lists, at_most: int) -> Sequence[Request]:
    """Those that were answered or refused last."""
    found = select(Request).where(~_OPEN, *_seen(lists)).order_by(Request.answered_at.desc(), Request.id.desc())
    return session.scalars(found.limit(at_most)).all()


def number_due(session: Session, today: date, lists: Lists = None) -> tuple[int, int]:
    """How many are open and due within a week or before; and how many of these are overdue."""
    days = session.scalars(select(_UNTIL).where(_OPEN, today + timedelta(days=SOON) >= _UNTIL, *_seen(lists))).all()
    return len(days), sum(day < today for day in days)


def note_erased(session: Session, key: bytes, now: datetime) -> None:
    """The person was erased: of what is settled the keyed hash stays, and of the rest once it is settled."""
    session.execute(update(Request).where(Request.key == key).values(erased=True), execution_options=BLIND)
    forget_erased(session, now)


def forget_erased(session: Session, now: datetime) -> int:
    """End what erased people wrote, a day after it was settled: until then an email may have to go to them."""
    over = Request.erased, Request.words.is_not(None), Request.answered_at <= now - ANSWERED_LATELY, _FREE
    ended = update(Request).where(*over).values(**_OF_PERSON).returning(Request.id)
    return len(session.execute(ended, execution_options=BLIND).all())


def over(answered_before: datetime) -> tuple[ColumnElement[bool], ...]:
    return Request.answered_at < answered_before, _FREE


def over_at(session: Session, answered_before: datetime, at_most: int) -> int:
    """Delete a batch of those that were settled before that time; how many."""
    ended = select(Request.id).where(*over(answered_before)).limit(at_most)
    gone = delete(Request).where(Request.id.in_(ended)).returning(Request.id)
    return len(session.execute(gone, execution_options=BLIND).all())
