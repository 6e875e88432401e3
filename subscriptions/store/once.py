"""What works once: noted when it is used, so that it is refused afterwards, until it would have expired anyway."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from subscriptions.store.models import UsedOnce
from subscriptions.store.types import sqlite_text


def use(session: Session, hashes: Mapping[bytes, datetime]) -> set[bytes]:
    """Use these up, each until its time; which of them were fresh. Of two at the same moment one wins."""
    if not hashes:
        return set()
    is_postgres = session.get_bind().dialect.name == "postgresql"
    mark = "(%s, %s)" if is_postgres else "(?, ?)"
    # marks of our own; the driver directly, as everything on the way of a sign-up; sorted: no deadlock
    statement = f"""
        INSERT INTO used_once (hash, until) VALUES {", ".join([mark] * len(hashes))}
        ON CONFLICT (hash) DO NOTHING RETURNING hash
    """  # noqa: S608
    rows = ((one, until if is_postgres else sqlite_text(until)) for one, until in sorted(hashes.items()))
    values = tuple(part for row in rows for part in row)
    return {bytes(one) for (one,) in session.connection().exec_driver_sql(statement, values).all()}


def is_used(session: Session, hash_: bytes) -> bool:
    return session.scalar(select(UsedOnce.hash).where(UsedOnce.hash == hash_)) is not None


def forget_expired(session: Session, now: datetime) -> None:
    session.execute(delete(UsedOnce).where(UsedOnce.until <= now), execution_options={"synchronize_session": False})
