"""What works once: noted when it is used, so that it is refused afterwards, until it would have expired anyway."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from subscriptions.store import arrays
from subscriptions.store.models import UsedOnce
from subscriptions.store.trips import Later, Trip
from subscriptions.store.types import sqlite_text

_POSTGRES = """
INSERT INTO used_once (hash, until) SELECT * FROM unnest(%s::bytea[], %s::timestamptz[])
ON CONFLICT (hash) DO NOTHING RETURNING hash
"""
_SQLITE = "INSERT INTO used_once (hash, until) VALUES {} ON CONFLICT (hash) DO NOTHING RETURNING hash"


def use(out: Trip, hashes: Mapping[bytes, datetime]) -> Later[set[bytes]]:
    """Use these up, each until its time; which of them were fresh. Of two at the same moment one wins."""
    if not hashes:
        return set
    ordered = sorted(hashes.items())  # no deadlock
    if out.is_postgres:
        rows = out.ask(
            _POSTGRES, (arrays.octets(hashed for hashed, _ in ordered), arrays.times(at for _, at in ordered))
        )
    else:
        values = tuple(part for hashed, until in ordered for part in (hashed, sqlite_text(until)))
        rows = out.ask(_SQLITE.format(", ".join(["(?, ?)"] * len(ordered))), values)
    return lambda: {bytes(one) for (one,) in rows()}


def is_used(session: Session, hash_: bytes) -> bool:
    return session.scalar(select(UsedOnce.hash).where(UsedOnce.hash == hash_)) is not None


def forget_expired(session: Session, now: datetime) -> None:
    session.execute(delete(UsedOnce).where(UsedOnce.until <= now), execution_options={"synchronize_session": False})
