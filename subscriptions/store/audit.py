"""What operators did to many at once: written once, and it names nobody."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from subscriptions.store.models import Audit


def add(session: Session, at: datetime, actor: str, act: str, details: Mapping[str, object]) -> None:
    session.add(Audit(at=at, actor=actor, act=act, details=dict(details)))


def newest(session: Session, at_most: int) -> Sequence[Audit]:
    return session.scalars(select(Audit).order_by(Audit.id.desc()).limit(at_most)).all()
