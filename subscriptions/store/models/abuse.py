"""What guards the sign-up; everything in it is short-lived."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from subscriptions.store.models.base import Id, Key, db
from subscriptions.store.types import OneOf


class Counted(StrEnum):
    """What is counted by keyed hash; those of one kind count for the same time."""

    SIGN_UPS = "sign-ups"  # of a network
    TRIES = "tries"  # wrong codes of a handle or an address, and moves of an address


class CountedKey(db.Model):  # type: ignore[name-defined, misc]
    """How much one key has done in its current period; swept when that is over."""

    __tablename__ = "counted_keys"
    key: Mapped[bytes] = mapped_column(Key, primary_key=True)  # a hash of what is counted too: no two kinds share one
    kind: Mapped[Counted] = mapped_column(OneOf(Counted, 8))
    since: Mapped[datetime] = mapped_column(index=True)
    count: Mapped[int]


class UsedOnce(db.Model):  # type: ignore[name-defined, misc]
    """What works once and has been used: a solved challenge, a link to the preferences; by hash, until it expires."""

    __tablename__ = "used_once"
    hash: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    until: Mapped[datetime] = mapped_column(index=True)


class Traffic(db.Model):  # type: ignore[name-defined, misc]
    """Sign-ups and confirmations of one minute: what the breaker watches. Swept after a day; names nobody."""

    __tablename__ = "traffic"
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)  # of a list or, hashed, of a domain
    minute: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int]


class Audit(db.Model):  # type: ignore[name-defined, misc]
    """What an operator did to many at once: when, what, how many. Append-only, and it names nobody."""

    __tablename__ = "audit"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    act: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
