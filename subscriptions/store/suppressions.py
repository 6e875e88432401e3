"""Who gets no confirmation mails, or no mail at all, by keyed hash."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from subscriptions.domain.lifecycle import Suppress
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.store.models import Suppression


def in_force(now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """Those that stand at `now`; one without an end stands until it is lifted."""
    return or_(Suppression.until.is_(None), Suppression.until > now)


def add(
    session: Session, key: bytes, rule: Suppress, reason: str, now: datetime, *,
    list_id: int | None = None, set_by: bytes | None = None,
) -> None:  # fmt: skip
    """Set a suppression, unless the very same stands already; a second press of a link prolongs nothing."""
    until = rule.until(now)
    same = select(Suppression.id).where(
        Suppression.key == key, Suppression.scope == rule.scope, Suppression.list_id.is_not_distinct_from(list_id),
        Suppression.set_by.is_not_distinct_from(set_by), in_force(now) if until else Suppression.until.is_(None),
    )  # fmt: skip
    if session.scalar(same.limit(1)) is None:
        of = {"key": key, "scope": rule.scope, "list_id": list_id, "set_by": set_by}
        session.add(Suppression(**of, reason=reason, set_at=now, until=until))
        session.flush()


def active(session: Session, key: bytes, now: datetime) -> Sequence[Suppression]:
    theirs = select(Suppression).where(Suppression.key == key, in_force(now))
    return session.scalars(theirs.order_by(Suppression.id)).all()


def all_active(session: Session, now: datetime) -> Sequence[Suppression]:
    return session.scalars(select(Suppression).where(in_force(now)).order_by(Suppression.id)).all()


def lift(session: Session, key: bytes, *, scope: SuppressionScope | None = None, set_by: bytes | None = None) -> int:
    """Lift suppressions of a key: all, those of a scope, or those that one link has set; how many."""
    which = delete(Suppression).where(Suppression.key == key)
    if scope is not None:
        which = which.where(Suppression.scope == scope)
    if set_by is not None:
        which = which.where(Suppression.set_by == set_by)
    return len(session.execute(which.returning(Suppression.id)).all())


def ended(session: Session, now: datetime, at_most: int) -> Sequence[bytes]:
    """Delete suppressions that have ended; the keys that they were of."""
    over = select(Suppression.id).where(Suppression.until <= now).limit(at_most)
    return session.scalars(delete(Suppression).where(Suppression.id.in_(over)).returning(Suppression.key)).all()
