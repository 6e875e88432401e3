"""What a database server says of itself; SQLite is none, and has no clock of its own."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session


def now(session: Session) -> datetime | None:
    if session.get_bind().dialect.name == "sqlite":
        return None
    at: datetime | None = session.scalar(text("SELECT clock_timestamp()"))
    return at


def is_durable(session: Session) -> bool:
    """Whether a COMMIT that was answered outlives a crash."""
    return str(session.scalar(text("SHOW synchronous_commit"))) != "off"
