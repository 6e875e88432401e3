"""The mails that the try-out mode keeps instead of sending."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from subscriptions.store.models import Captured, Registration


def keep(session: Session, copy: Captured) -> None:
    """Keep a copy, unless its registration has been erased while the mail was on its way."""
    theirs = select(Registration.id).where(Registration.id == copy.registration_id).with_for_update(key_share=True)
    if copy.registration_id is None or session.scalar(theirs) is not None:
        session.add(copy)


def newest(session: Session, at_most: int = 200) -> Sequence[Captured]:
    return session.scalars(select(Captured).order_by(Captured.id.desc()).limit(at_most)).all()


def find(session: Session, id_: int) -> Captured | None:
    return session.get(Captured, id_)


def forget(session: Session, key: bytes) -> None:
    session.execute(delete(Captured).where(Captured.key == key))
