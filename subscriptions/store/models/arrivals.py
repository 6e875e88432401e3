"""The mail that comes: what was acted on, by hash, and what waits for a human."""

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from subscriptions.store.models.base import Id, Key, db, index_where_any


class Arrival(db.Model):  # type: ignore[name-defined, misc]
    """That a message was acted on, so that it is not a second time."""

    __tablename__ = "arrivals"
    __table_args__ = (index_where_any("arrivals", "message_key", unique=True),)
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    message_key: Mapped[bytes | None] = mapped_column(Key)  # of the Message-ID
    at: Mapped[datetime] = mapped_column(index=True)
    what: Mapped[str] = mapped_column(String(24))


class LetterToRead(db.Model):  # type: ignore[name-defined, misc]
    """A message that came by pipe and that nobody but a human understands."""

    __tablename__ = "letters_to_read"
    __table_args__ = (index_where_any("letters_to_read", "key"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    key: Mapped[bytes | None] = mapped_column(Key)  # of the sender's address
    sender: Mapped[str]
    subject: Mapped[str]
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    octets: Mapped[bytes]  # compressed
    size: Mapped[int]  # as it came, which is more than there is where only its head was kept
    is_to_forward: Mapped[bool]
