"""API tokens, kept as hashes."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from subscriptions.domain.policy import TokenScope
from subscriptions.store.models import Token

NOTED_ONCE_IN = timedelta(minutes=1)


def by_hash(session: Session, digest: bytes) -> Token | None:
    return session.scalar(select(Token).where(Token.hash == digest, Token.revoked_at.is_(None)))


def by_name(session: Session, name: str) -> Token | None:
    return session.get(Token, name)


def add(session: Session, name: str, digest: bytes, scope: TokenScope, now: datetime) -> None:
    session.add(Token(name=name, hash=digest, scope=scope, made_at=now))


def is_noted(token: Token, now: datetime) -> bool:
    """Whether its use has been noted in this minute: to note it is to write, and most requests only read."""
    return token.used_at is not None and now < token.used_at + NOTED_ONCE_IN


def note_use(session: Session, name: str, now: datetime) -> None:
    session.execute(update(Token).where(Token.name == name).values(used_at=now))


def revoke(session: Session, name: str, now: datetime) -> bool:
    token = session.get(Token, name)
    if token is None or token.revoked_at is not None:
        return False
    token.revoked_at = now
    return True


def all_of(session: Session) -> Sequence[Token]:
    return session.scalars(select(Token).order_by(Token.made_at)).all()
