"""Who comes in at the desk: accounts, the links that open them, their sessions."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, String
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
    totp: Mapped[str | None]  # what its one-time codes are made of, sealed; none: no second factor
    totp_step: Mapped[int | None] = mapped_column(BigInteger)  # of the code that was used last: none works twice
    recovery: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))  # keyed hashes of the codes left
    requests: Mapped[str | None]  # when links were asked for by mail, as a budget is written
    numbers: Mapped[HowOften] = mapped_column(OneOf(HowOften, 6), default=HowOften.NEVER)  # are mailed to it
    locale: Mapped[str | None]  # of these emails: that of the page on which they were chosen
    told: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # what the last of them said, and when


class Passkey(db.Model):  # type: ignore[name-defined, misc]
    """By which an account signs in without a password, as a browser has made it (WebAuthn)."""

    __tablename__ = "passkeys"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = owned_by("accounts")
    credential: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str]
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


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
    second_until: Mapped[datetime | None]  # the password was right, a code is waited for; none: signed in
