"""How the service itself is doing: tokens, jobs, counters."""

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from subscriptions.domain.policy import TokenScope
from subscriptions.store.models.base import db
from subscriptions.store.types import OneOf


class Token(db.Model):  # type: ignore[name-defined, misc]
    """An API token: shown once, kept as a hash."""

    __tablename__ = "tokens"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    scope: Mapped[TokenScope] = mapped_column(OneOf(TokenScope, 12))
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Job(db.Model):  # type: ignore[name-defined, misc]
    """One scheduled job: who runs it now, and how its last run went."""

    __tablename__ = "jobs"
    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    slot: Mapped[int]
    lease_until: Mapped[datetime | None]
    epoch: Mapped[int]
    ended_at: Mapped[datetime | None]  # of the last run that succeeded
    count: Mapped[int]
    error: Mapped[str | None]  # why the last run did not succeed, or why the queue pauses
    pause_until: Mapped[datetime | None]


class Counter(db.Model):  # type: ignore[name-defined, misc]
    """What has happened how often since the beginning, without saying to whom; `shard` keeps processes apart."""

    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[int]


class Meta(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "meta"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str]
