"""The tables. Every one is a Flask-SQLAlchemy model; what they mean is in architecture.md and product.md."""

from datetime import datetime
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from subscriptions.store.types import UtcDateTime

Key = LargeBinary(16)
Id = BigInteger().with_variant(Integer, "sqlite")  # of what grows; SQLite's own are 64 bits wide


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base, disable_autonaming=True)
# not on Base: Flask-SQLAlchemy copies that class, and SQLAlchemy refuses a map that comes with a copy
Base.registry.update_type_annotation_map({datetime: UtcDateTime, str: Text, bytes: LargeBinary})


class List(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "lists"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str]
    description: Mapped[str]
    locale: Mapped[str]
    policy_url: Mapped[str]
    controller: Mapped[str]
    postal_address: Mapped[str]
    privacy_contact: Mapped[str]
    welcome: Mapped[bool]
    public: Mapped[bool]
    position: Mapped[int | None]  # in the configuration; none: no longer in it, takes no sign-ups
    wording_id: Mapped[str] = mapped_column(String(16))


class Wording(db.Model):  # type: ignore[name-defined, misc]
    """A consent text as it was shown; never changed (E-02, F-15)."""

    __tablename__ = "wordings"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)  # the head of the hash
    list_id: Mapped[int] = mapped_column(ForeignKey("lists.id"), index=True)
    text: Mapped[str]
    policy_url: Mapped[str]
    controller: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime]


class Address(db.Model):  # type: ignore[name-defined, misc]
    """One row per address: what every act on the address locks, and its mail budget."""

    __tablename__ = "addresses"
    key: Mapped[bytes] = mapped_column(Key, primary_key=True)
    asked: Mapped[int]
    mails: Mapped[str]  # times of mails that a stranger caused, epoch seconds, comma-separated
    erase_by: Mapped[datetime | None] = mapped_column(index=True)


class Registration(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "registrations"
    __table_args__ = (
        Index("ix_registrations_confirm_by", "confirm_by", sqlite_where=text("state = 'pending'"),
              postgresql_where=text("state = 'pending'")),
        Index("ix_registrations_purge_at", "purge_at", sqlite_where=text("state <> 'confirmed'"),
              postgresql_where=text("state <> 'confirmed'")),
        {"sqlite_autoincrement": True},
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ref: Mapped[bytes] = mapped_column(LargeBinary(16), unique=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("lists.id"))
    key: Mapped[bytes] = mapped_column(Key, index=True)
    state: Mapped[str] = mapped_column(String(9))
    address: Mapped[str | None]  # as mailed; none once erased
    typed: Mapped[str | None]  # as typed, where that differs
    name: Mapped[str | None]
    locale: Mapped[str]
    registered_at: Mapped[datetime]
    confirm_by: Mapped[datetime]
    purge_at: Mapped[datetime]
    wording_id: Mapped[str | None] = mapped_column(String(16))
    subscription_id: Mapped[int | None] = mapped_column(Id, ForeignKey("subscriptions.id"), index=True)


class Subscription(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "subscriptions"
    __table_args__ = (
        Index("uq_subscriptions_open", "key", "list_id", unique=True, sqlite_where=text("state = 'confirmed'"),
              postgresql_where=text("state = 'confirmed'")),
        Index("ix_subscriptions_list_id", "list_id", "id"),
        {"sqlite_autoincrement": True},
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("lists.id"))
    key: Mapped[bytes] = mapped_column(Key, index=True)
    state: Mapped[str] = mapped_column(String(12))
    address: Mapped[str | None]  # none once erased
    name: Mapped[str | None]
    locale: Mapped[str]
    registered_at: Mapped[datetime]
    confirmed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    restricted: Mapped[bool] = mapped_column(default=False)
    held: Mapped[str | None]  # the reason of a legal hold: stops deletion, never mails
    told_at: Mapped[datetime | None]  # when "you are already subscribed" was last owed
    ip_until: Mapped[datetime | None] = mapped_column(index=True)
    proof_until: Mapped[datetime | None] = mapped_column(index=True)


class Evidence(db.Model):  # type: ignore[name-defined, misc]
    """What proves something. Append-only: the database itself refuses a change, but for the IP's end."""

    __tablename__ = "evidence"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    registration_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("registrations.id", ondelete="CASCADE"), index=True
    )
    subscription_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("subscriptions.id", ondelete="CASCADE"), index=True
    )
    fact: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]
    channel: Mapped[str] = mapped_column(String(12))
    actor: Mapped[str | None]  # the API client that vouches, or the operator
    ip: Mapped[str | None] = mapped_column(String(45))
    ip_source: Mapped[str | None] = mapped_column(String(16))  # peer | proxy | unnamed proxy
    details: Mapped[dict[str, Any]] = mapped_column(JSON)


class Owed(db.Model):  # type: ignore[name-defined, misc]
    """A mail that is owed: kind and reference, no text, no address. Gone once settled."""

    __tablename__ = "outbox"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    mail: Mapped[str] = mapped_column(String(20))
    mid: Mapped[str] = mapped_column(String(32))  # local part of the Message-ID, the same in every try (M-02)
    registration_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("registrations.id", ondelete="CASCADE"), index=True
    )
    subscription_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("subscriptions.id", ondelete="CASCADE"), index=True
    )
    owed_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)  # next try; while taken: when the lease ends
    drop_at: Mapped[datetime]  # not sent at this time or later
    taken_by: Mapped[str | None] = mapped_column(String(40))
    tries: Mapped[int]
    note: Mapped[str | None]  # what the relay said last


class Letter(db.Model):  # type: ignore[name-defined, misc]
    """A mail with its values left out, as it was compiled: evidence names it by its hash (E-03)."""

    __tablename__ = "letters"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    source: Mapped[bytes]
    made_at: Mapped[datetime]


class Suppression(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "suppressions"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[bytes] = mapped_column(Key, index=True)
    scope: Mapped[str] = mapped_column(String(3))  # ask | all
    list_id: Mapped[int | None] = mapped_column(ForeignKey("lists.id"))  # none: every list
    reason: Mapped[str]
    set_at: Mapped[datetime]
    until: Mapped[datetime | None] = mapped_column(index=True)
    set_by: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)  # the reference of the not-me link


class Network(db.Model):  # type: ignore[name-defined, misc]
    """Sign-ups of one network in its current hour, by keyed hash; swept when the hour is over (T-11)."""

    __tablename__ = "networks"
    key: Mapped[bytes] = mapped_column(Key, primary_key=True)
    since: Mapped[datetime] = mapped_column(index=True)
    count: Mapped[int]


class Token(db.Model):  # type: ignore[name-defined, misc]
    """An API token: shown once, kept as a hash (Q-07)."""

    __tablename__ = "tokens"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    scope: Mapped[str] = mapped_column(String(12))
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Job(db.Model):  # type: ignore[name-defined, misc]
    """One scheduled job: who runs it now, and how its last run went."""

    __tablename__ = "jobs"
    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    slot: Mapped[int]
    holder: Mapped[str | None] = mapped_column(String(40))
    lease_until: Mapped[datetime | None]
    epoch: Mapped[int]
    ended_at: Mapped[datetime | None]  # of the last run that succeeded
    count: Mapped[int]
    trouble: Mapped[str | None]  # why the last run did not succeed, or why the queue pauses
    pause_until: Mapped[datetime | None]


class Captured(db.Model):  # type: ignore[name-defined, misc]
    """A mail in the mailbox of the try-out mode."""

    __tablename__ = "mailbox"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    registration_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("registrations.id", ondelete="CASCADE"), index=True
    )
    key: Mapped[bytes | None] = mapped_column(Key, index=True)
    mail: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime]
    real_at: Mapped[datetime] = mapped_column(index=True)
    source: Mapped[bytes]


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
