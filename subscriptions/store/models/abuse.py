"""What guards the sign-up; everything in it is short-lived."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from subscriptions.store.models.base import Id, Key, db


class Network(db.Model):  # type: ignore[name-defined, misc]
    """Sign-ups of one network in its current hour, by keyed hash; swept when the hour is over (T-11)."""

    __tablename__ = "networks"
    key: Mapped[bytes] = mapped_column(Key, primary_key=True)
    since: Mapped[datetime] = mapped_column(index=True)
    count: Mapped[int]


class Try(db.Model):  # type: ignore[name-defined, misc]
    """Wrong codes of one handle or one address, by keyed hash; swept when their day is over."""

    __tablename__ = "tries"
    key: Mapped[bytes] = mapped_column(Key, primary_key=True)
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
