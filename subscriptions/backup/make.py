"""Making a backup while the service goes on."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import IO, Any

from subscriptions import __version__, clock
from subscriptions.backup import BadBackup, archive
from subscriptions.backup.archive import Manifest, Told
from subscriptions.backup.cipher import MAGIC, Encrypting
from subscriptions.clock import Clock
from subscriptions.store import migrate, tables


def make(path: Path, key: bytes | None, pepper: str, folder: Path, begin: Callable[[int], Told]) -> Manifest:
    """Write a backup of this moment, all of it or nothing. `pepper`: its fingerprint; `begin`: is told of how many.

    `folder`: of the data, where SQLite may need to make a copy. Raises OSError and BadBackup.
    """
    taken_at = Clock.real_now()  # before it looks: what happens meanwhile is in the journal from then on
    with _in_place_of(path) as file, tables.snapshot(folder) as connection:
        found = tables.tables(connection)
        counts = {name: tables.counted(connection, table) for name, table in found.items()}
        made = Manifest(__version__, migrate.HEAD, clock.text(taken_at), pepper, counts)
        whole: Any = closing(Encrypting(file, key)) if key else nullcontext(file)
        with whole as inner:
            archive.write(inner, made, lambda name: tables.rows(connection, found[name]), begin(made.rows))
    return made


def _is_backup(path: Path) -> bool:
    """By how it begins; not a key file, the database, or a device."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)).startswith((MAGIC, b"\x1f\x8b"))


@contextmanager
def _in_place_of(path: Path) -> Iterator[IO[bytes]]:
    """A file beside it that takes its place once it is whole and on the disk: a full one leaves the old backup."""
    if path.exists() and not _is_backup(path):
        raise BadBackup(f"{path} is there and is no backup: choose another name. Nothing was changed.")
    part = path.with_name(f".{path.name}.part")
    with open(part, "wb", opener=lambda name, _: os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)) as file:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except OSError:
            raise BadBackup(f"Another backup is being written to {path}.") from None
        try:
            file.truncate(0)
            yield file
            file.flush()
            os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
