"""The mails that the try-out mode keeps instead of sending."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from subscriptions.store.models import Captured, Registration


def keep(
    session: Session,
    mail: str,
    source: bytes,
    at: datetime,
    real_at: datetime,
    registration_id: int | None,
    key: bytes | None,
) -> None:
    """Keep a copy, unless its registration has been erased while the mail was on its way."""
    theirs = select(Registration.id).where(Registration.id == registration_id).with_for_update(key_share=True)
    if registration_id is not None and session.scalar(theirs) is None:
        return
    session.add(Captured(mail=mail, source=source, at=at, real_at=real_at, registration_id=registration_id, key=key))


def newest(session: Session, at_most: int = 200) -> Sequence[Captured]:
    return session.scalars(select(Captured).order_by(Captured.id.desc()).limit(at_most)).all()


def find(session: Session, id_: int) -> Captured | None:
    return session.get(Captured, id_)


def forget(session: Session, key: bytes) -> None:
    session.execute(delete(Captured).where(Captured.key == key))
