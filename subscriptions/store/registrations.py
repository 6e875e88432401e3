"""Registrations by name of the question."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from subscriptions.domain.evidence import Cause
from subscriptions.domain.lifecycle import Registration as State
from subscriptions.store import holds, journal, removals
from subscriptions.store.engine import BLIND
from subscriptions.store.models import Evidence, Registration


def find(session: Session, id_: int | None) -> Registration | None:
    return None if id_ is None else session.get(Registration, id_)


def of_form(session: Session, ref: bytes) -> Sequence[Registration]:
    """One for each list of a form, and so of the mail whose links name it; as they are now."""
    theirs = select(Registration).where(Registration.ref == ref).order_by(Registration.id)
    return session.scalars(theirs, execution_options={"populate_existing": True}).all()


def behind(session: Session, refs: Sequence[bytes]) -> Sequence[Registration]:
    """Those of the newest mail that a visit has led to, if it has led to any."""
    theirs = select(Registration.ref).where(Registration.ref.in_(refs))
    newest = session.scalar(theirs.order_by(Registration.id.desc()).limit(1))
    return of_form(session, newest) if newest else []


def key_behind(session: Session, refs: Sequence[bytes]) -> bytes | None:
    """The key of the address of a visit, where anything is left of it."""
    return session.scalar(select(Registration.key).where(Registration.ref.in_(refs)).limit(1))


def of_key(session: Session, key: bytes) -> Sequence[Registration]:
    return session.scalars(select(Registration).where(Registration.key == key).order_by(Registration.id)).all()


def unconfirmed_of_key(session: Session, key: bytes, now: datetime) -> Sequence[Registration]:
    """Those that wait or are blocked, and whose month is not over."""
    kept = Registration.state != State.CONFIRMED, Registration.purge_at > now, Registration.address.is_not(None)
    theirs = select(Registration).where(Registration.key == key, *kept)
    return session.scalars(theirs.order_by(Registration.id)).all()


def replacing(session: Session, ref: bytes, key: bytes) -> None:
    """The sign-ups of this form are of somebody who moves here from another address."""
    session.execute(update(Registration).where(Registration.ref == ref).values(replaces=key))


def forget_replaced(session: Session, key: bytes) -> None:
    """Nobody moves away from this address any more: its key stays in no sign-up of another."""
    session.execute(update(Registration).where(Registration.replaces == key).values(replaces=None))


def unworded(session: Session) -> Sequence[tuple[int, str]]:
    """List and language of those that wait, and of which nobody has said which wording holds."""
    which = Registration.wording_id.is_(None), Registration.state == State.PENDING
    return session.execute(select(Registration.list_id, Registration.locale).where(*which).distinct()).all()


def word(session: Session, list_id: int, locale: str, wording_id: str) -> None:
    """For these, this one holds."""
    which = Registration.list_id == list_id, Registration.locale == locale, Registration.state == State.PENDING
    unknown = update(Registration).where(*which, Registration.wording_id.is_(None))
    session.execute(unknown.values(wording_id=wording_id))


def of_subscription(session: Session, id_: int) -> Sequence[Registration]:
    return session.scalars(select(Registration).where(Registration.subscription_id == id_)).all()


def too_late_at(session: Session, now: datetime, at_most: int) -> Sequence[int]:
    """Pending ones whose time to confirm is over; a row that a person acts on just now is left for the next run."""
    late = select(Registration.id).where(Registration.state == State.PENDING, Registration.confirm_by <= now)
    return session.scalars(late.limit(at_most).with_for_update(skip_locked=True)).all()


def block(session: Session, ids: Sequence[int]) -> None:
    session.execute(update(Registration).where(Registration.id.in_(ids)).values(state=State.BLOCKED))


def to_purge_at(session: Session, now: datetime, at_most: int) -> Sequence[tuple[int, bytes]]:
    """Id and key of those whose month is over: first what nobody acts on, then, waiting for them, the others.

    At a start the blocking runs beside the purge and holds the same rows: passed over, they would stay an hour.
    """
    due = select(Registration.id, Registration.key).where(*over(now)).limit(at_most)
    return session.execute(due.with_for_update(skip_locked=True)).all() or session.execute(due.with_for_update()).all()


def over(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Of those whose month is over, what no hold keeps."""
    return Registration.state != State.CONFIRMED, Registration.purge_at <= now, ~holds.on(Registration)


def remove(session: Session, ids: Sequence[int], cause: Cause, now: datetime) -> Sequence[int]:
    """Delete rows with all that hangs on them: evidence, waiting mails, mailbox copies. The deletion log says so.

    Gives those that a hold keeps: they are blocked at once, and go with the first sweep after the hold.
    """
    at_once = {"state": State.BLOCKED, "purge_at": Registration.registered_at}
    held = update(Registration).where(Registration.id.in_(ids), holds.on(Registration)).values(at_once)
    kept = session.scalars(held.returning(Registration.id), execution_options=BLIND).all()
    gone = [*{*ids} - {*kept}]
    if cause is not Cause.UNCONFIRMED:  # which a restored database sees by itself
        theirs = select(Registration.key, Registration.ref, Registration.list_id).where(Registration.id.in_(ids))
        for key, ref, list_id in session.execute(theirs):
            journal.note(session, "remove", key=key, ref=ref, list_id=list_id, cause=cause)
    removals.of_evidence(session, Evidence.registration_id.in_(gone), len(gone), cause, now)
    session.execute(delete(Registration).where(Registration.id.in_(gone)), execution_options=BLIND)
    return kept


def remove_unconfirmed(session: Session, key: bytes, cause: Cause, now: datetime) -> None:
    theirs = select(Registration.id).where(Registration.key == key, Registration.state != State.CONFIRMED)
    if ids := session.scalars(theirs).all():
        remove(session, ids, cause, now)
