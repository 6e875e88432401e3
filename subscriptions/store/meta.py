"""Small facts about the installation itself."""

import secrets
from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from subscriptions import clock
from subscriptions.store.engine import repeated, transaction
from subscriptions.store.models import Meta


def get(session: Session, name: str) -> str | None:
    row = session.get(Meta, name)
    return row.value if row else None


def beginning_with(session: Session, head: str) -> dict[str, str]:
    """All whose names begin so."""
    rows = session.execute(select(Meta.name, Meta.value).where(Meta.name.startswith(head, autoescape=True)))
    return {name: value for name, value in rows}


def put(session: Session, name: str, value: str) -> None:
    """Write it, also where another process writes the same for the first time just now."""
    session.execute(_PUT, {"name": name, "value": value})


def replace(session: Session, name: str, old: str, new: str) -> None:
    """Write it unless another has written since."""
    session.execute(update(Meta).where(Meta.name == name, Meta.value == old).values(value=new))


def note_version(session: Session, version: str, now: datetime) -> None:
    """Write since when this version of the program runs, where the last that was written is another; a line for each.

    What was shown and mailed at a time is read in the texts of the version of then.
    """
    known = get(session, _VERSIONS) or ""
    if known.split()[-1:] != [version]:
        put(session, _VERSIONS, f"{known}{clock.text(now)} {version}\n")


def versions(session: Session) -> list[tuple[datetime, str]]:
    """Since when each version of the program has run, the first one first."""
    lines = (line.split() for line in (get(session, _VERSIONS) or "").splitlines())
    return [(datetime.fromisoformat(at), version) for at, version in lines]


def last_backup(session: Session) -> datetime | None:
    """When the newest was made, or the one that was restored."""
    at = (get(session, LAST_BACKUP) or "").partition(" ")[0]
    return datetime.fromisoformat(at) if at else None


_VERSIONS = "versions"
LAST_BACKUP, BACKUP_KEY = "last_backup", "backup_key"  # when, and the name of the file; by which key, as a hash
RESTORING = "restoring"  # a restore has written what the backup has, and not done the rest; empty: it is over
_PUT = text(
    "INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


@repeated
def try_write() -> None:
    """Write something small, as any act would; raises what keeps it from that."""
    with transaction() as session:
        put(session, "written", secrets.token_hex(8))  # SQLite writes nothing where the same stands there already
