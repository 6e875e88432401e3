"""Compiled mails, kept once each, so that each mail can be made again as it was sent: that is the proof of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from subscriptions.store.models import Letter


class Compiled(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def source(self) -> bytes: ...


def keep(session: Session, letters: Iterable[Compiled], now: datetime) -> None:
    """Keep those that are not kept yet."""
    sources = {letter.id: letter.source for letter in letters}
    rows = [{"id": id_, "source": source, "made_at": now} for id_, source in sources.items()]
    if rows:
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        session.execute(dialect.insert(Letter).values(rows).on_conflict_do_nothing())


def source(session: Session, id_: str) -> bytes | None:
    return session.scalar(select(Letter.source).where(Letter.id == id_))
