"""Who comes in at the desk: accounts, the links that open them, their sessions."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from subscriptions.domain.figures import HowOften
from subscriptions.domain.roles import Role
from subscriptions.store.models.base import Id, db, owned_by
from subscriptions.store.types import OneOf

Digest = LargeBinary(32)  # SHA-256 of a secret, which is stored nowhere


class Account(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "accounts"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)  # folded: one account for all its spellings
    role: Mapped[Role] = mapped_column(OneOf(Role, 8))
    lists: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))  # ids; none: every list
    password: Mapped[str | None]  # Argon2id in the PHC form; none: invited, and never came in
    made_at: Mapped[datetime]
    signed_in_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    numbers: Mapped[HowOften] = mapped_column(OneOf(HowOften, 6), default=HowOften.NEVER)  # are mailed to it
    locale: Mapped[str | None]  # of these emails: that of the page on which they were chosen
    told: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # what the last of them said, and when


class AccountLink(db.Model):  # type: ignore[name-defined, misc]
    """A link that works once: to come in for the first time, or to choose a new password."""

    __tablename__ = "account_links"
    hash: Mapped[bytes] = mapped_column(Digest, primary_key=True)
    account_id: Mapped[int] = owned_by("accounts")
    until: Mapped[datetime] = mapped_column(index=True)


class ExportMark(db.Model):  # type: ignore[name-defined, misc]
    """Up to when a program has been told who joined a list and who left it."""

    __tablename__ = "export_marks"
    list_id: Mapped[int] = mapped_column(ForeignKey("lists.id"), primary_key=True)
    layout: Mapped[str] = mapped_column(String(16), primary_key=True)
    added_until: Mapped[datetime]
    removed_until: Mapped[datetime]


class DeskSession(db.Model):  # type: ignore[name-defined, misc]
    """One browser that is signed in."""

    __tablename__ = "desk_sessions"
    hash: Mapped[bytes] = mapped_column(Digest, primary_key=True)
    account_id: Mapped[int | None] = owned_by("accounts")  # none: whoever sits at the machine, in try-out mode
    began_at: Mapped[datetime] = mapped_column(index=True)
    seen_at: Mapped[datetime]
    proved_at: Mapped[datetime]  # when the password was last asked for and given
    agent: Mapped[str] = mapped_column(String(40))  # "Firefox on Linux"
