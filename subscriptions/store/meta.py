"""Small facts about the installation itself."""

from sqlalchemy.orm import Session

from subscriptions.store.models import Meta


def get(session: Session, name: str) -> str | None:
    row = session.get(Meta, name)
    return row.value if row else None


def put(session: Session, name: str, value: str) -> None:
    session.merge(Meta(name=name, value=value))
