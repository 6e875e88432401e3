"""Lists that come from another program, what became of their rows, and who waits for an invitation."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from subscriptions.domain.imports import Stage, Way
from subscriptions.store.models.base import Id, Key, db, owned_by
from subscriptions.store.types import OneOf


class Import(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "imports"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("lists.id"))
    stage: Mapped[Stage] = mapped_column(OneOf(Stage, 10))
    way: Mapped[Way | None] = mapped_column(OneOf(Way, 8))  # none: nobody has chosen yet
    name: Mapped[str]  # of the file
    sha256: Mapped[str] = mapped_column(String(64))
    columns: Mapped[list[list[str]]] = mapped_column(JSON)  # what each is read as: a field, and the order of its dates
    source: Mapped[str]  # the program, as far as it is known, else the file
    document: Mapped[str]  # that holds for every row
    per_day: Mapped[int]
    made_at: Mapped[datetime]
    begun_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]  # from here on the file and what became of each row go
    counted_from: Mapped[datetime | None]  # invitations before that do not count against those after it
    rows: Mapped[int]  # that are done
    counts: Mapped[dict[str, int]] = mapped_column(JSON)  # by outcome


class ImportBatch(db.Model):  # type: ignore[name-defined, misc]
    """What became of some rows, a letter for each, and the subscriptions that they opened."""

    __tablename__ = "import_batches"
    import_id: Mapped[int] = mapped_column(Id, ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True)
    first: Mapped[int] = mapped_column(primary_key=True)  # how many rows are before them
    outcomes: Mapped[str]
    opened: Mapped[list[Any]] = mapped_column(JSON)


class Invitation(db.Model):  # type: ignore[name-defined, misc]
    """Somebody without proof: waits to be asked once; afterwards the keyed hash says that they were."""

    __tablename__ = "invitations"
    __table_args__ = (
        UniqueConstraint("list_id", "key"),
        Index("ix_invitations_invited_at", "import_id", "invited_at"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    import_id: Mapped[int] = owned_by("imports", index=False)
    list_id: Mapped[int] = mapped_column(ForeignKey("lists.id"))
    key: Mapped[bytes] = mapped_column(Key, index=True)
    row: Mapped[int]
    address: Mapped[str | None]  # these four are there as long as they wait
    name: Mapped[str | None]
    fields: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    locale: Mapped[str | None]
    ask_at: Mapped[datetime | None]  # not before: the budget of the mailbox was closed
    invited_at: Mapped[datetime | None]
    ref: Mapped[bytes | None] = mapped_column(LargeBinary(16))  # of the registration that came of it
