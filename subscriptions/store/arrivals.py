"""Which messages were acted on, and which wait for a human."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, defer

from subscriptions.domain.arrivals import LETTERS_AT_MOST, OCTETS_AT_MOST, REMEMBERED
from subscriptions.store import holds
from subscriptions.store.engine import BLIND
from subscriptions.store.models import Arrival, LetterToRead


def first(session: Session, sha256: bytes, message_key: bytes | None, now: datetime) -> bool:
    """Note that this message is ours from now on; whether nobody has had it before, nor is just now at it.

    Of two that have it the later one waits here until the transaction of the other has ended.
    """
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = insert(Arrival).values(sha256=sha256, message_key=message_key, at=now, what="")
    return session.scalar(row.on_conflict_do_nothing().returning(Arrival.sha256)) is not None


def note(session: Session, sha256: bytes, what: str) -> None:
    """What it was and what became of it; nothing, and it is not known any more."""
    row = session.get_one(Arrival, sha256)
    if what:
        row.what = what
    else:
        session.delete(row)


def known(session: Session, message_keys: Iterable[bytes]) -> set[bytes]:
    """Those of these that were acted on."""
    found = session.scalars(select(Arrival.message_key).where(Arrival.message_key.in_([*message_keys])))
    return {key for key in found if key}


def since(session: Session, at: datetime, what: str) -> int:
    """How many of that kind were acted on since then."""
    return session.scalar(select(func.count()).where(Arrival.what.startswith(what), Arrival.at >= at)) or 0


def over(now: datetime) -> ColumnElement[bool]:
    return Arrival.at <= now - REMEMBERED


def letters_over(before: datetime) -> tuple[ColumnElement[bool], ...]:
    return LetterToRead.at <= before, ~holds.on_any_of(LetterToRead.key)


def forget(session: Session, now: datetime, letters_before: datetime) -> int:
    """Delete what is over; how many letters."""
    session.execute(delete(Arrival).where(over(now)), execution_options=BLIND)
    gone = delete(LetterToRead).where(*letters_over(letters_before)).returning(LetterToRead.id)
    return len(session.scalars(gone, execution_options=BLIND).all())


def is_full(session: Session) -> bool:
    """Whether so much waits for a human that nothing more is taken."""
    number, octets = session.execute(select(func.count(), func.sum(func.length(LetterToRead.octets)))).one()
    return number >= LETTERS_AT_MOST or (octets or 0) >= OCTETS_AT_MOST


def letters(session: Session, *, to_forward: bool = False) -> Sequence[LetterToRead]:
    """Those that wait, the oldest first, without what is in them."""
    which = select(LetterToRead).where(LetterToRead.is_to_forward.is_(to_forward))
    return session.scalars(which.options(defer(LetterToRead.octets)).order_by(LetterToRead.id)).all()


def letter(session: Session, id_: int) -> LetterToRead | None:
    return session.get(LetterToRead, id_)


def remove(session: Session, id_: int) -> bool:
    """Whether it was still there."""
    gone = delete(LetterToRead).where(LetterToRead.id == id_).returning(LetterToRead.id)
    return session.scalar(gone, execution_options=BLIND) is not None


def keep_here(session: Session, id_: int) -> bool:
    """Not to be forwarded any more; whether it is there."""
    kept = update(LetterToRead).where(LetterToRead.id == id_).values(is_to_forward=False).returning(LetterToRead.id)
    return session.scalar(kept, execution_options=BLIND) is not None


def forget_letters(session: Session, key: bytes) -> None:
    """Those that somebody has written who is erased."""
    session.execute(delete(LetterToRead).where(LetterToRead.key == key), execution_options=BLIND)
