"""How the service itself is doing (tokens, jobs, counters, the audit), and what guards the sign-up."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from subscriptions.domain.policy import TokenScope
from subscriptions.store.models.base import Id, Key, db
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
    """What has happened how often, without saying to whom; `shard` keeps processes apart."""

    __tablename__ = "counters"
    list_id: Mapped[int] = mapped_column(primary_key=True)  # nought: of the whole service
    day: Mapped[str] = mapped_column(String(10), primary_key=True)  # 2026-11-23, in UTC; empty: since the beginning
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[int]


class Meta(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "meta"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str]


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


class ActorKind(StrEnum):
    """Who acts: by what the audit knows them."""

    COMMAND = "command"  # the account of the system that gave it
    TOKEN = "token"  # noqa: S105 its name
    TRY_OUT = "try-out"  # a page of the try-out mode
    ACCOUNT = "account"  # of the desk; its number


class Audit(db.Model):  # type: ignore[name-defined, misc]
    """Who did what about whom. The database lets it grow, and `about` and `reason` end with the person."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_about", "about", sqlite_where=text("about IS NOT NULL"),
              postgresql_where=text("about IS NOT NULL")),
        {"sqlite_autoincrement": True},
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime]
    actor_kind: Mapped[ActorKind] = mapped_column(OneOf(ActorKind, 10))
    actor: Mapped[str]
    act: Mapped[str]
    about: Mapped[bytes | None] = mapped_column(Key)  # the keyed hash of an address
    count: Mapped[int | None]  # of how many, where it is about no single one
    reason: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSON)


class Read(db.Model):  # type: ignore[name-defined, misc]
    """How often a token has read of a list in an hour; when that is over, the audit has it."""

    __tablename__ = "reads"
    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    slug: Mapped[str] = mapped_column(String(64), primary_key=True)  # of the list; empty: of none, or of all
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int]
