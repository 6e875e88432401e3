"""What is owed, how mails read, and the mailbox of the try-out mode."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from subscriptions.store.models.base import Id, Key, db, owned_by


class Owed(db.Model):  # type: ignore[name-defined, misc]
    """A mail that is owed: kind and reference, no text, no address. Gone once settled."""

    __tablename__ = "outbox"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    mail: Mapped[str] = mapped_column(String(20))  # a MailKind, maybe of a later version: that one alone waits
    mid: Mapped[str] = mapped_column(String(32))  # of the Message-ID (RFC 5322 3.6.4): the same in every try
    registration_id: Mapped[int | None] = owned_by("registrations")
    subscription_id: Mapped[int | None] = owned_by("subscriptions")
    owed_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)  # next try; while taken: when the lease ends
    drop_at: Mapped[datetime]  # not sent at this time or later
    taken_by: Mapped[str | None] = mapped_column(String(40))
    tries: Mapped[int]
    note: Mapped[str | None]  # what the relay said last
    address: Mapped[str | None]  # only where no row holds it: asked for by its owner, and known by its hash alone


class Letter(db.Model):  # type: ignore[name-defined, misc]
    """A mail with its values left out, as it was compiled: evidence names it by its hash."""

    __tablename__ = "letters"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    source: Mapped[bytes]
    made_at: Mapped[datetime]


class Captured(db.Model):  # type: ignore[name-defined, misc]
    """A mail in the mailbox of the try-out mode."""

    __tablename__ = "mailbox"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    registration_id: Mapped[int | None] = owned_by("registrations")
    key: Mapped[bytes | None] = mapped_column(Key, index=True)
    mail: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime]
    real_at: Mapped[datetime] = mapped_column(index=True)
    source: Mapped[bytes]
