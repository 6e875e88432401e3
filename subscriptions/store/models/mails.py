"""Lists with the consent texts that they have shown, and their mails: what is owed, how it reads, the mailbox."""

from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from subscriptions.domain.refusals import Refusal
from subscriptions.store.models.base import Id, Key, db, index_where_any, owned_by
from subscriptions.store.types import OneOf


class Owner(StrEnum):
    """Who says what a list is."""

    FILE = "file"  # [[lists]] in config.toml, at each start
    DESK = "desk"  # the desk and the commands, at any time
    BUILT_IN = "built-in"  # made by a start without [[lists]]: the first of the two who says something has it


class List(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "lists"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str]
    description: Mapped[str]
    locale: Mapped[str]
    policy_url: Mapped[str]
    policy_file: Mapped[str]  # that is kept in its place; empty: none
    controller: Mapped[str]
    postal_address: Mapped[str]
    privacy_contact: Mapped[str]
    authority: Mapped[str]  # the supervisory authority (GDPR 77)
    welcome: Mapped[bool]
    public: Mapped[bool]
    position: Mapped[int | None]  # among the lists; none: in the archive, takes no sign-ups
    wording_id: Mapped[str] = mapped_column(String(16))
    origins: Mapped[list[str]] = mapped_column(JSON)  # sites that may embed the form and be returned to
    thank_you_url: Mapped[str]
    confirmed_url: Mapped[str]
    fields: Mapped[list[str]] = mapped_column(JSON)  # the voluntary ones, as the configuration names them
    colour: Mapped[str]
    logo: Mapped[str]
    sender: Mapped[str]  # empty: that of the installation
    reply_to: Mapped[str]
    imprint_url: Mapped[str]
    timezone: Mapped[str]  # empty: this machine's
    address_form: Mapped[str]  # formal, familiar
    texts: Mapped[dict[str, dict[str, Any]]] = mapped_column(JSON)  # in further languages, by their tags
    welcome_text: Mapped[str]
    confirmed_text: Mapped[str]
    owner: Mapped[Owner] = mapped_column(OneOf(Owner, 8))
    draft: Mapped[bool]  # made at the desk and not complete yet: once live, it takes no sign-ups

    told = cast("dict[str, List]", {})  # the list as each language tells it, once a catalogue has it
    tag, lacks = "", frozenset[str]()  # of one that is told: its language, and what it has in the list's own alone
    policy_id = cast("str | None", None)  # of the policy that holds there, once a catalogue has it; none: none is kept

    def said_in(self, tag: str) -> "List":
        """The list as that language tells it ("de-AT" as "de" does); as its own does, where it has no such texts."""
        left = tag.lower()
        while left and left not in self.told:
            left = left.rpartition("-")[0]
        return self.told.get(left, self)

    def lang_of(self, text: str) -> str:
        """The language that one of its texts is in."""
        return self.tag if self.tag and text not in self.lacks else self.locale


class Wording(db.Model):  # type: ignore[name-defined, misc]
    """A consent text as it was shown; never changed, so that old consents go on naming it."""

    __tablename__ = "wordings"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)  # the head of the hash
    list_id: Mapped[int] = mapped_column(ForeignKey("lists.id"), index=True)
    text: Mapped[str]
    language: Mapped[str]
    policy_url: Mapped[str]
    controller: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    valid_from: Mapped[datetime]


class Policy(db.Model):  # type: ignore[name-defined, misc]
    """A privacy policy as it stood behind its address from some time on; the database refuses to change one."""

    __tablename__ = "policies"
    __table_args__ = (Index("ix_policies_list_id", "list_id", "language", "valid_from"),)
    id: Mapped[str] = mapped_column(String(16), primary_key=True)  # the head of the hash
    list_id: Mapped[int] = mapped_column(ForeignKey("lists.id"))
    language: Mapped[str]
    url: Mapped[str]  # or the file
    text: Mapped[str]  # what a person reads
    raw: Mapped[bytes]  # as it came, compressed (zlib)
    sha256: Mapped[str] = mapped_column(String(64))
    valid_from: Mapped[datetime]  # when it was read first
    last_seen_at: Mapped[datetime]  # and last: that alone is written again


class Owed(db.Model):  # type: ignore[name-defined, misc]
    """A mail that is owed: kind and reference, no text; an `address` where no row holds it. Gone once settled."""

    __tablename__ = "outbox"
    __table_args__ = (
        index_where_any("outbox", "refusal"),
        index_where_any("outbox", "subscription_id"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    mail: Mapped[str] = mapped_column(String(20))  # a MailKind, maybe of a later version: that one alone waits
    mid: Mapped[str] = mapped_column(String(32))  # of the Message-ID (RFC 5322 3.6.4): the same in every try
    registration_id: Mapped[int | None] = owned_by("registrations")
    subscription_id: Mapped[int | None] = owned_by("subscriptions", index=False)
    owed_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)  # next try; while taken: when the lease ends
    drop_at: Mapped[datetime]  # not sent at this time or later
    taken_by: Mapped[str | None] = mapped_column(String(40))
    tries: Mapped[int]
    note: Mapped[str | None]  # what the relay said last
    address: Mapped[str | None]  # only where no row holds it: asked for by its owner, and known by its hash alone
    # of a permanent refusal: what it has made of the mail; when, and of whom by keyed hashes, it was; after which mail
    refusal: Mapped[Refusal | None] = mapped_column(OneOf(Refusal, 8))
    refused_at: Mapped[datetime | None]
    mailbox: Mapped[bytes | None] = mapped_column(Key)
    domain: Mapped[str | None] = mapped_column(String(64))
    request_id: Mapped[int | None] = mapped_column(Id)  # which it is about; that outlives it by years
    sent_before: Mapped[int | None] = mapped_column(BigInteger)  # how many mails the relay had taken in all
    answers: Mapped[str | None]  # the Message-ID of one that came


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
