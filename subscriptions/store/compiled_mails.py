"""Compiled mails, kept once each, so that each mail can be made again as it was sent: that is the proof of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from subscriptions.store.models import Letter
from subscriptions.store.trips import Trip
from subscriptions.store.types import sqlite_text


class Compiled(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def source(self) -> bytes: ...


def keep(out: Trip, letters: Iterable[Compiled], now: datetime) -> None:
    """Keep those that are not kept yet; in one order, since two senders would wait for each other."""
    at = now if out.is_postgres else sqlite_text(now)
    for letter in sorted(letters, key=lambda letter: letter.id):
        out.ask(_KEEP.format("%s, %s, %s" if out.is_postgres else "?, ?, ?"), (letter.id, letter.source, at))


_KEEP = "INSERT INTO letters (id, source, made_at) VALUES ({}) ON CONFLICT DO NOTHING"


def source(session: Session, id_: str) -> bytes | None:
    return session.scalar(select(Letter.source).where(Letter.id == id_))
