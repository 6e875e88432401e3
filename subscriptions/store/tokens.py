"""API tokens, kept as hashes."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from subscriptions.store.models import Token


def by_hash(session: Session, digest: bytes) -> Token | None:
    return session.scalar(select(Token).where(Token.hash == digest, Token.revoked_at.is_(None)))


def by_name(session: Session, name: str) -> Token | None:
    return session.get(Token, name)


def add(session: Session, name: str, digest: bytes, scope: str, now: datetime) -> None:
    session.add(Token(name=name, hash=digest, scope=scope, made_at=now))


def used(session: Session, name: str, now: datetime) -> None:
    """Note the last use, to the hour: no write for each request."""
    stale = (Token.used_at.is_(None)) | (Token.used_at < now - timedelta(hours=1))
    session.execute(update(Token).where(Token.name == name, stale).values(used_at=now))


def revoke(session: Session, name: str, now: datetime) -> bool:
    token = session.get(Token, name)
    if token is None or token.revoked_at is not None:
        return False
    token.revoked_at = now
    return True


def all_of(session: Session) -> Sequence[Token]:
    return session.scalars(select(Token).order_by(Token.made_at)).all()
