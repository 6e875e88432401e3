"""Registrations of one form: several lists, one mail that hangs on the first, and evidence for each."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from subscriptions.store.models import Evidence, Owed, Registration, Suppression


class Member(NamedTuple):
    """One list that a mail for several may name, as it is now."""

    registration_id: int
    list_id: int
    wording_id: str | None
    state: str
    confirm_by: datetime
    suppression: str | None  # the wider scope where there are several


def members(session: Session, refs: Iterable[bytes], now: datetime) -> dict[bytes, tuple[Member, ...]]:
    """The registrations of these forms, in the order in which the form had them."""
    r = Registration
    rows = session.execute(
        select(r.group_ref, r.id, r.list_id, r.wording_id, r.state, r.confirm_by, _suppression(now))
        .where(r.group_ref.in_(sorted(refs)))
        .order_by(r.id)
    )
    found: dict[bytes, tuple[Member, ...]] = {}
    for ref, *of_one in rows:
        assert ref is not None
        found[ref] = (*found.get(ref, ()), Member._make(of_one))
    return found


def _suppression(now: datetime) -> ColumnElement[str | None]:
    p, r = Suppression, Registration
    theirs = p.key == r.key, or_(p.list_id.is_(None), p.list_id == r.list_id), or_(p.until.is_(None), p.until > now)
    return select(func.min(p.scope)).where(*theirs).correlate(Registration).scalar_subquery()  # "all" before "ask"


def note(session: Session, owed_id: int, ids: Sequence[int], fact: str, details: str, now: datetime) -> None:
    """Write what became of a mail into the evidence of each registration that it names; those erased have none."""
    if session.scalar(select(Owed.id).where(Owed.id == owed_id).with_for_update()) is None:
        return  # settled already: its lease had ended while it was on the line
    told = json.loads(details)
    for id_ in session.scalars(select(Registration.id).where(Registration.id.in_(ids)).order_by(Registration.id)):
        session.add(Evidence(registration_id=id_, fact=fact, at=now, channel="relay", details=told))
    session.flush()
