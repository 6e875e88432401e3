"""What works once: remembered by its hash until it would have expired anyway."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from subscriptions.store.models import UsedOnce


def use(session: Session, hash_: bytes, until: datetime) -> bool:
    """Use it up; False where it has been used before. Two at the same moment: one of them wins."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    new = dialect.insert(UsedOnce).values(hash=hash_, until=until).on_conflict_do_nothing().returning(UsedOnce.hash)
    return session.execute(new).first() is not None


def is_used(session: Session, hash_: bytes) -> bool:
    return session.scalar(select(UsedOnce.hash).where(UsedOnce.hash == hash_)) is not None


def forget_expired(session: Session, now: datetime) -> None:
    session.execute(delete(UsedOnce).where(UsedOnce.until <= now), execution_options={"synchronize_session": False})
