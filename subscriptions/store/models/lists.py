"""Lists, and the consent texts that they have shown."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from subscriptions.store.models.base import db


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
    origins: Mapped[list[str]] = mapped_column(JSON)  # sites that may embed the form and be returned to
    thank_you_url: Mapped[str]
    confirmed_url: Mapped[str]
    fields: Mapped[list[str]] = mapped_column(JSON)  # the voluntary ones, as the configuration names them
    colour: Mapped[str]
    logo: Mapped[str]


class Wording(db.Model):  # type: ignore[name-defined, misc]
    """A consent text as it was shown; never changed, so that old consents go on naming it."""

    __tablename__ = "wordings"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)  # the head of the hash
    list_id: Mapped[int] = mapped_column(ForeignKey("lists.id"), index=True)
    text: Mapped[str]
    policy_url: Mapped[str]
    controller: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime]
