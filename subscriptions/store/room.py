"""How much room the database takes, and how much is left for it."""

import shutil
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from subscriptions.store.sqlite import files_of

LEAST = 200 * 2**20  # octets


class Room(NamedTuple):
    """In octets. `free`: none where the database stands with a server, which alone knows its disk."""

    taken: int
    free: int | None

    @property
    def is_short(self) -> bool:
        """A VACUUM writes the whole database anew."""
        return self.free is not None and self.free < max(LEAST, self.taken)


def of(session: Session, sqlite_file: str | None) -> Room:
    if sqlite_file is None:
        return Room(session.scalar(select(func.pg_database_size(func.current_database()))) or 0, None)
    taken = sum(path.stat().st_size for path in files_of(sqlite_file))
    return Room(taken, shutil.disk_usage(Path(sqlite_file).absolute().parent).free)
