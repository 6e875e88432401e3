"""What shows that evidence was not altered: its leaves, the seals over them, and the log of what was deleted."""

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from subscriptions.domain.evidence import Cause
from subscriptions.store.models.base import Id, db, index_where_any
from subscriptions.store.types import OneOf

Digest, Salt = LargeBinary(32), LargeBinary(16)


class Leaf(db.Model):  # type: ignore[name-defined, misc]
    """Commitments to one row of evidence or of the deletion log. It stays when that row goes, and loses its salts."""

    __tablename__ = "leaves"
    __table_args__ = (index_where_any("leaves", "removal_id", unique=True),)
    number: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)  # from 1, without a gap
    evidence_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)  # none, as the salts: it was deleted
    removal_id: Mapped[int | None] = mapped_column(BigInteger)
    salt: Mapped[bytes | None] = mapped_column(Salt)
    ip_salt: Mapped[bytes | None] = mapped_column(Salt)
    payload: Mapped[bytes] = mapped_column(Digest)
    ip: Mapped[bytes | None] = mapped_column(Digest)


class Seal(db.Model):  # type: ignore[name-defined, misc]
    """A signed block of leaves, which names the seal before it (domain/seal.py)."""

    __tablename__ = "seals"
    block: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    first: Mapped[int] = mapped_column(BigInteger)
    last: Mapped[int] = mapped_column(BigInteger)
    settled: Mapped[int] = mapped_column(BigInteger)
    root: Mapped[bytes] = mapped_column(Digest)
    previous: Mapped[bytes] = mapped_column(Digest)
    earlier: Mapped[bytes] = mapped_column(Digest)
    sealed_at: Mapped[datetime]
    key: Mapped[bytes] = mapped_column(Digest)
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))


class Removal(db.Model):  # type: ignore[name-defined, misc]
    """One lawful deletion: when, why, how many records, and which leaves lost their salts by it. It names nobody."""

    __tablename__ = "removals"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime]
    cause: Mapped[Cause] = mapped_column(OneOf(Cause, 40))
    count: Mapped[int]
    leaves: Mapped[str]  # 1-5,7; empty: none of them was sealed yet
