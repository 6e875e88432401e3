"""Imports, by name of the question; what of their rows is written, and who waits to be invited."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import String, delete, exists, func, insert, or_, select, type_coerce, update
from sqlalchemy.orm import Session

from subscriptions.domain.evidence import Channel, Fact
from subscriptions.domain.imports import CAME_BACK, FILE_KEPT, HALTED_AT_MOST, LOOKED_BACK, REMEMBERED, Stage
from subscriptions.domain.lifecycle import Registration as SignedUp
from subscriptions.domain.lifecycle import Subscription as State
from subscriptions.store.engine import BLIND
from subscriptions.store.models import Evidence, Import, ImportBatch, Invitation, Registration, Subscription

AT_WORK = (Stage.READING, Stage.INVITING)


def find(session: Session, id_: int) -> Import | None:
    """Held until the transaction ends, where that may write."""
    return session.get(Import, id_, with_for_update=True, populate_existing=True)


def all_of(session: Session, list_ids: Collection[int]) -> Sequence[Import]:
    return session.scalars(select(Import).where(Import.list_id.in_(list_ids)).order_by(Import.id.desc())).all()


def at_work(session: Session) -> Sequence[int]:
    return session.scalars(select(Import.id).where(Import.stage.in_(AT_WORK)).order_by(Import.id)).all()


def same(session: Session, row: Import, way: str, columns: Sequence[Sequence[str]], document: str) -> Import | None:
    """That the same file is or was imported into the list and read in the same way, unless that was undone."""
    theirs = Import.list_id == row.list_id, Import.sha256 == row.sha256, Import.way == way
    begun = Import.document == document, Import.stage.not_in([Stage.LOOKED, Stage.UNDONE])
    found = session.scalars(select(Import).where(*theirs, *begun).order_by(Import.id.desc()))
    return next((one for one in found if one.columns == columns), None)


def outcomes(session: Session, id_: int) -> Sequence[str]:
    theirs = select(ImportBatch.outcomes).where(ImportBatch.import_id == id_)
    return session.scalars(theirs.order_by(ImportBatch.first)).all()


def next_batch(session: Session, id_: int, after: int) -> int:
    """Where it begins; -1: that was the last."""
    theirs = ImportBatch.import_id == id_, ImportBatch.first > after
    first = session.scalar(select(func.min(ImportBatch.first)).where(*theirs))
    return -1 if first is None else first


def batch(session: Session, id_: int, first: int) -> ImportBatch | None:
    return session.get(ImportBatch, (id_, first))


# Who is known


def gone_among(session: Session, keys: Collection[bytes], list_id: int) -> set[bytes]:
    """Those whose subscription to the list has ended. `list_id + 0`: else SQLite reads the whole list by its index."""
    theirs = Subscription.key.in_(keys), Subscription.list_id + 0 == list_id, Subscription.state != State.CONFIRMED
    return set(session.scalars(select(Subscription.key).where(*theirs)))


def asked_among(session: Session, keys: Collection[bytes], list_id: int) -> set[bytes]:
    """Those whom an import has invited to the list, or will."""
    return set(session.scalars(select(Invitation.key).where(Invitation.key.in_(keys), Invitation.list_id == list_id)))


def lists_of(session: Session, key: bytes) -> Sequence[int]:
    """Those to which somebody waits to be invited."""
    theirs = Invitation.key == key, Invitation.invited_at.is_(None)
    return session.scalars(select(Invitation.list_id).where(*theirs)).all()


# What is written


def open_subscriptions(session: Session, rows: Sequence[Mapping[str, Any]]) -> dict[bytes, int]:
    """New ones, by their keys."""
    made = insert(Subscription).returning(Subscription.key, Subscription.id)
    return {key: id_ for key, id_ in session.execute(made, rows)} if rows else {}


def add_all(session: Session, table: type[Evidence | Invitation], rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        session.execute(insert(table), rows)


# Invitations


def waiting(session: Session, id_: int, at_most: int, now: datetime) -> Sequence[Invitation]:
    may = or_(Invitation.ask_at.is_(None), Invitation.ask_at <= now)
    theirs = Invitation.import_id == id_, Invitation.invited_at.is_(None), may
    return session.scalars(select(Invitation).where(*theirs).order_by(Invitation.id).limit(at_most)).all()


def waiting_number(session: Session, id_: int) -> int:
    theirs = Invitation.import_id == id_, Invitation.invited_at.is_(None)
    return session.scalar(select(func.count()).select_from(Invitation).where(*theirs)) or 0


def invited_since(session: Session, id_: int, since: datetime) -> int:
    theirs = Invitation.import_id == id_, Invitation.ref.is_not(None), Invitation.invited_at > since
    return session.scalar(select(func.count()).select_from(Invitation).where(*theirs)) or 0


def came_back(session: Session, id_: int, since: datetime) -> tuple[int, int]:
    """Of the last invitations, from that time on, how many came back or were refused for good; and of how many."""
    theirs = Invitation.import_id == id_, Invitation.ref.is_not(None), Invitation.invited_at >= since
    last = select(Invitation.ref).where(*theirs).order_by(Invitation.id.desc()).limit(LOOKED_BACK).subquery()
    is_back = exists().where(Evidence.registration_id == Registration.id,
                             type_coerce(Evidence.fact, String).in_(CAME_BACK))  # fmt: skip
    back = select(func.count()).select_from(last).join(Registration, Registration.ref == last.c.ref).where(is_back)
    return session.scalar(back) or 0, session.scalar(select(func.count()).select_from(last)) or 0


def is_invited(session: Session, registration_id: int) -> bool:
    """Whether that sign-up is none, but an invitation of an import."""
    theirs = Evidence.registration_id == registration_id, Evidence.channel == Channel.IMPORT
    return session.scalar(select(Evidence.id).where(*theirs).limit(1)) is not None


def pending_of(session: Session, id_: int, at_most: int) -> Sequence[tuple[int, bytes]]:
    """Id and key of registrations that invitations have made and that wait."""
    refs = select(Invitation.ref).where(Invitation.import_id == id_, Invitation.ref.is_not(None))
    theirs = Registration.ref.in_(refs), Registration.state == SignedUp.PENDING
    return session.execute(select(Registration.id, Registration.key).where(*theirs).limit(at_most)).all()


def unchanged(session: Session, ids: Collection[int]) -> Sequence[tuple[int, bytes]]:
    """Id and key of those of these subscriptions that nothing has happened to since they were imported."""
    more = exists().where(Evidence.subscription_id == Subscription.id, Evidence.fact != Fact.IMPORTED)
    theirs = Subscription.id.in_(ids), Subscription.state == State.CONFIRMED, ~Subscription.restricted, ~more
    return session.execute(select(Subscription.id, Subscription.key).where(*theirs)).all()


# What ends


def note_invited(session: Session, key: bytes, now: datetime, list_id: int | None = None) -> bool:
    """That somebody who waits for that list, or any, is asked no more; whether there was anybody."""
    theirs = [Invitation.key == key, Invitation.invited_at.is_(None)]
    theirs += [] if list_id is None else [Invitation.list_id == list_id]
    done = {"invited_at": now, "address": None, "name": None, "fields": None, "locale": None}
    return session.execute(update(Invitation).where(*theirs).values(done).returning(Invitation.id)).first() is not None


def forget(session: Session, key: bytes) -> bool:
    """Somebody who waits, or was invited; whether there was one."""
    return session.execute(delete(Invitation).where(Invitation.key == key).returning(Invitation.id)).first() is not None


def drop_waiting(session: Session, id_: int) -> int:
    number, theirs = waiting_number(session, id_), (Invitation.import_id == id_, Invitation.invited_at.is_(None))
    session.execute(delete(Invitation).where(*theirs), execution_options=BLIND)
    return number


def drop_looked(session: Session, id_: int) -> bool:
    gone = delete(Import).where(Import.id == id_, Import.stage == Stage.LOOKED).returning(Import.id)
    return session.execute(gone).first() is not None


def forget_old(session: Session, now: datetime) -> Sequence[int]:
    """What has been kept long enough: invitations, and what became of rows; the ids of imports whose files stay."""
    old = select(Import.id).where(Import.begun_at <= now - REMEMBERED)  # by the index, and not through all of them
    over_ = Invitation.import_id.in_(old), Invitation.invited_at <= now - REMEMBERED
    session.execute(delete(Invitation).where(*over_), execution_options=BLIND)
    halted = select(Import.id).where(Import.stage == Stage.HALTED, Import.ended_at <= now - HALTED_AT_MOST)
    in_vain = Invitation.invited_at.is_(None), Invitation.import_id.in_(halted)
    session.execute(delete(Invitation).where(*in_vain), execution_options=BLIND)
    never_begun = (Import.stage == Stage.LOOKED) & (Import.made_at <= now - FILE_KEPT)
    session.execute(delete(Import).where(never_begun), execution_options=BLIND)
    over = select(Import.id).where(Import.ended_at <= now - FILE_KEPT)
    session.execute(delete(ImportBatch).where(ImportBatch.import_id.in_(over)), execution_options=BLIND)
    return session.scalars(select(Import.id).where(Import.id.not_in(over))).all()
