"""What works once: noted when it is used, so that it is refused afterwards, until it would have expired anyway."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from subscriptions.store.engine import BLIND
from subscriptions.store.models import UsedOnce
from subscriptions.store.trips import Later, Trip

_COLUMNS = {"hash": "bytea", "until": "timestamptz"}


def use(out: Trip, hashes: Mapping[bytes, datetime]) -> Later[set[bytes]]:
    """Use these up, each until its time; which of them were fresh. Of two at the same moment one wins."""
    if not hashes:
        return set
    ordered = sorted(hashes.items())  # no deadlock
    rows = out.insert("used_once", _COLUMNS, ordered, "ON CONFLICT (hash) DO NOTHING RETURNING hash")
    return lambda: {bytes(hash_) for (hash_,) in rows()}


def is_used(session: Session, hash_: bytes) -> bool:
    return session.scalar(select(UsedOnce.hash).where(UsedOnce.hash == hash_)) is not None


def forget_expired(session: Session, now: datetime) -> None:
    session.execute(delete(UsedOnce).where(UsedOnce.until <= now), execution_options=BLIND)
