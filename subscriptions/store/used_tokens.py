"""What works once: noted when it is used, so that it is refused afterwards, until it would have expired anyway."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from subscriptions.store import arrays
from subscriptions.store.engine import BLIND
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
        used, untils = zip(*ordered, strict=True)
        rows = out.ask(_POSTGRES, (arrays.octets(used), arrays.times(untils)))
    else:
        rows = out.ask_rows(_SQLITE, [(hash_, sqlite_text(until)) for hash_, until in ordered])
    return lambda: {bytes(hash_) for (hash_,) in rows()}


def is_used(session: Session, hash_: bytes) -> bool:
    return session.scalar(select(UsedOnce.hash).where(UsedOnce.hash == hash_)) is not None


def forget_expired(session: Session, now: datetime) -> None:
    session.execute(delete(UsedOnce).where(UsedOnce.until <= now), execution_options=BLIND)
