"""Compiled mails, kept as long as a mail may have to be made again from them."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from subscriptions.store import outbox_sql as sql
from subscriptions.store.models import Letter
from subscriptions.store.trips import Trip, trip

KEPT_ANEW = timedelta(hours=1)  # how long a sender takes a compiled mail for kept
UNUSED = timedelta(days=1)  # longer than that and any mail is under way


def keep(out: Trip, mails: Mapping[str, bytes], now: datetime) -> None:
    """By their ids, once each, so that each mail can be made again: that is the proof of it.

    One that is there is held until the transaction ends, and gets the time anew: `forget` leaves it alone.
    """
    for id_, source in sorted(mails.items()):  # in one order: two senders would wait for each other
        out.ask(sql.KEEP, (id_, source, now, now - KEPT_ANEW))


def forget(session: Session, now: datetime, at_most: int) -> int:
    """Delete those that no evidence names and that no sender has kept within a day; how many."""
    with trip(session) as out:
        gone = out.ask(sql.PG_FORGET if out.is_postgres else sql.SQLITE_FORGET, (now - UNUSED, at_most))
    return len(gone())


def source(session: Session, id_: str) -> bytes | None:
    return session.scalar(select(Letter.source).where(Letter.id == id_))
