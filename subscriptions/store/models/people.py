"""What is known about people: addresses, registrations, subscriptions, their evidence, and who said no."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint, func, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from subscriptions.domain import lifecycle
from subscriptions.domain.evidence import Channel, Fact
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.domain.requests import Outcome, RequestKind
from subscriptions.store.models.base import Id, Key, db, index_where_any, owned_by
from subscriptions.store.types import OneOf

# how an address begins, and its domain: what stands behind the last @, in words that both databases know
FOLDED = func.lower(literal_column("address"))
DOMAIN = func.lower(literal_column("substr(address, length(rtrim(address, replace(address, '@', ''))) + 1)"))
_BY_OCTETS = {"folded": "text_pattern_ops"}


class Address(db.Model):  # type: ignore[name-defined, misc]
    """One row per address, and one per mailbox of which it is a spelling: what acts lock, and the mail budgets."""

    __tablename__ = "addresses"
    __table_args__ = (index_where_any("addresses", "erase_by"),)
    key: Mapped[bytes] = mapped_column(Key, primary_key=True)
    asked: Mapped[int]
    mails: Mapped[str]  # times of mails that a stranger caused, epoch milliseconds, comma-separated
    requests: Mapped[str | None]  # likewise of links to the own page that were asked for by typing the address
    renewals: Mapped[str | None]  # and of those that an earlier link asked for
    last_mail_at: Mapped[datetime | None]  # the latest of all these times
    erase_by: Mapped[datetime | None]


class Registration(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "registrations"
    __table_args__ = (
        Index("ix_registrations_confirm_by", "confirm_by", sqlite_where=text("state = 'pending'"),
              postgresql_where=text("state = 'pending'")),
        Index("ix_registrations_purge_at", "purge_at", sqlite_where=text("state <> 'confirmed'"),
              postgresql_where=text("state <> 'confirmed'")),
        index_where_any("registrations", "mailbox"),
        index_where_any("registrations", "subscription_id"),
        UniqueConstraint("ref", "list_id"),
        {"sqlite_autoincrement": True},
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ref: Mapped[bytes] = mapped_column(LargeBinary(16))  # of its form, and so of the one mail that names all its lists
    list_id: Mapped[int] = mapped_column(ForeignKey("lists.id"))
    key: Mapped[bytes] = mapped_column(Key, index=True)
    state: Mapped[lifecycle.Registration] = mapped_column(OneOf(lifecycle.Registration, 9))
    address: Mapped[str | None]  # as mailed; none once erased
    typed: Mapped[str | None]  # as typed, where that differs
    name: Mapped[str | None]
    locale: Mapped[str]
    registered_at: Mapped[datetime]
    confirm_by: Mapped[datetime]
    purge_at: Mapped[datetime]
    wording_id: Mapped[str | None] = mapped_column(String(16))  # that holds; none: of before 0.4.0, and nobody knows
    vouched: Mapped[bool]  # whether it stood beside the button, as the form says
    subscription_id: Mapped[int | None] = mapped_column(Id, ForeignKey("subscriptions.id"))
    fields: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))  # voluntary ones besides the name
    replaces: Mapped[bytes | None] = mapped_column(Key)  # a change of address: the key of the one that ends
    mailbox: Mapped[bytes | None] = mapped_column(Key)  # its key, where the address is one spelling of another mailbox


class Subscription(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "subscriptions"
    __table_args__ = (
        Index("uq_subscriptions_open", "key", "list_id", unique=True, sqlite_where=text("state = 'confirmed'"),
              postgresql_where=text("state = 'confirmed'")),
        Index("ix_subscriptions_list_id", "list_id", "id"),
        index_where_any("subscriptions", "mailbox"),
        index_where_any("subscriptions", "unrestrict_at"),
        # what people at the desk look up, by list, so that those of others are never read
        Index("ix_subscriptions_address", "list_id", FOLDED.label("folded"), postgresql_ops=_BY_OCTETS),
        Index("ix_subscriptions_domain", "list_id", DOMAIN.label("folded"), postgresql_ops=_BY_OCTETS),
        {"sqlite_autoincrement": True},
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("lists.id"))
    key: Mapped[bytes] = mapped_column(Key, index=True)
    state: Mapped[lifecycle.Subscription] = mapped_column(OneOf(lifecycle.Subscription, 12))
    address: Mapped[str | None]  # none once erased
    name: Mapped[str | None]
    fields: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))  # voluntary ones besides the name
    locale: Mapped[str]
    registered_at: Mapped[datetime]
    confirmed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    restricted: Mapped[bool] = mapped_column(default=False)
    unrestrict_at: Mapped[datetime | None]  # when it was asked to lift that once the person has been told by mail
    notified_at: Mapped[datetime | None]  # when "you are already subscribed" was last owed
    ip_until: Mapped[datetime | None] = mapped_column(index=True)
    proof_until: Mapped[datetime | None] = mapped_column(index=True)
    wording_id: Mapped[str | None] = mapped_column(String(16))  # that was agreed to; none: of before 0.4.0, as above
    mailbox: Mapped[bytes | None] = mapped_column(Key)  # as of a registration

    @property
    def is_open(self) -> bool:
        return self.state is lifecycle.Subscription.CONFIRMED


class Evidence(db.Model):  # type: ignore[name-defined, misc]
    """What proves something. Append-only: the database itself refuses a change, but for the IP's end."""

    __tablename__ = "evidence"
    __table_args__ = (
        Index("ix_evidence_template", text("(details ->> 'template')"), sqlite_where=text("fact = 'mailed'"),
              postgresql_where=text("fact = 'mailed'")),
        index_where_any("evidence", "subscription_id"),
        {"sqlite_autoincrement": True},
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    registration_id: Mapped[int | None] = owned_by("registrations")
    subscription_id: Mapped[int | None] = owned_by("subscriptions", index=False)
    fact: Mapped[Fact] = mapped_column(OneOf(Fact, 16))
    at: Mapped[datetime]
    channel: Mapped[Channel] = mapped_column(OneOf(Channel, 12))
    actor: Mapped[str | None]  # the API client that vouches, or the operator
    ip: Mapped[str | None] = mapped_column(String(45))
    ip_source: Mapped[str | None] = mapped_column(String(16))  # peer | proxy | unnamed proxy | client
    details: Mapped[dict[str, Any]] = mapped_column(JSON)


class Suppression(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "suppressions"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[bytes] = mapped_column(Key, index=True)
    scope: Mapped[SuppressionScope] = mapped_column(OneOf(SuppressionScope, 13))
    list_id: Mapped[int | None] = mapped_column(ForeignKey("lists.id"))  # none: every list
    reason: Mapped[str]
    set_at: Mapped[datetime]
    until: Mapped[datetime | None] = mapped_column(index=True)
    set_by: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)  # the reference of the not-me link
    mailbox: Mapped[bytes] = mapped_column(Key, index=True)  # for all whose spellings no confirmation mail leaves
    # of an objection to one controller: who that is; it has a row for each of the lists of that one
    controller: Mapped[str | None]


class Hold(db.Model):  # type: ignore[name-defined, misc]
    """A legal hold: stops the deletion of what there is of an address and what comes; never lets a mail out."""

    __tablename__ = "holds"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[bytes] = mapped_column(Key, index=True)
    list_id: Mapped[int | None] = mapped_column(ForeignKey("lists.id"))  # none: every list
    reason: Mapped[str]
    review_on: Mapped[date]
    placed_at: Mapped[datetime]
    placed_by: Mapped[str]  # as the audit names them
    lifted_at: Mapped[datetime | None]  # none: in force
    lifted_by: Mapped[str | None]
    lift_reason: Mapped[str | None]
    erase_asked: Mapped[datetime | None]  # an erasure that was asked for by then waits for the end of the hold


class Request(db.Model):  # type: ignore[name-defined, misc]
    """What somebody has asked of a controller about their data; a number is never given twice."""

    __tablename__ = "requests"
    __table_args__ = (
        index_where_any("requests", "key"),
        Index("ix_requests_open", "due_on", sqlite_where=text("outcome IS NULL"),
              postgresql_where=text("outcome IS NULL")),
        {"sqlite_autoincrement": True},
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    list_id: Mapped[int | None] = mapped_column(ForeignKey("lists.id"))  # whose controller is asked; none: all
    kind: Mapped[RequestKind] = mapped_column(OneOf(RequestKind, 12))
    channel: Mapped[Channel] = mapped_column(OneOf(Channel, 12))
    key: Mapped[bytes | None] = mapped_column(Key)
    address: Mapped[str | None]  # these four go with an erasure, once it is settled
    person: Mapped[str | None]  # what somebody is called who wrote a letter
    words: Mapped[str | None]
    answer: Mapped[str | None]  # what was answered, or why it was refused
    locale: Mapped[str]
    received_at: Mapped[datetime]
    due_on: Mapped[date]
    extended_until: Mapped[date | None]
    extended_why: Mapped[str | None]
    identity: Mapped[str]  # how it was made sure who asks
    actor: Mapped[str]  # who entered it, as the audit has them; empty: the person
    answered_at: Mapped[datetime | None]
    outcome: Mapped[Outcome | None] = mapped_column(OneOf(Outcome, 8))
    erased: Mapped[bool] = mapped_column(default=False)  # the person was, since

    @property
    def until(self) -> date:
        """When it must have been answered."""
        return self.extended_until or self.due_on
