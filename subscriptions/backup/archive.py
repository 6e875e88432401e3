"""The file itself: JSON a line, compressed; what it has of which tables, their rows one after the other, its hash.

Whoever has it can read it without us, once it is decrypted.
"""

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from subscriptions.backup import BadBackup
from subscriptions.backup.cipher import MAGIC, Decrypting
from subscriptions.store.tables import BATCH, Row, Table, plain

FORMAT = 1
DAMAGED = "The backup is damaged, or it is none of this program: use another one."
NO_KEY = "This backup is encrypted: name its key file with --key-file."
NEWER = "This backup was made by a newer version of this program ({}): upgrade it first."
Told = Callable[[int], object]
_FAULTS = gzip.BadGzipFile, zlib.error, EOFError, ValueError, KeyError, TypeError, AttributeError, RecursionError


@dataclass(frozen=True, slots=True)
class Manifest:
    """`taken_at`: the moment that it shows, in real time; `pepper`: its fingerprint."""

    version: str
    schema: str
    taken_at: str
    pepper: str
    tables: dict[str, Table]
    format: int = FORMAT

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())


def write(file: Any, manifest: Manifest, rows: Callable[[str], Iterator[Sequence[Row]]], told: Told) -> None:
    """`rows`: of a table, in batches."""
    seen, encode = sha256(), json.JSONEncoder(default=plain, separators=(",", ":")).encode
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=3) as out:

        def put(lines: Iterable[object]) -> None:
            octets = "".join(f"{encode(line)}\n" for line in lines).encode()
            seen.update(octets)
            out.write(octets)

        put([asdict(manifest)])
        for name in manifest.tables:
            for batch in rows(name):
                put(map(list, batch))
                told(len(batch))
        put([seen.hexdigest()])


class Reader:
    """The tables have to be read in their order, and `finish` says whether all was as it was written."""

    def __init__(self, file: Iterator[bytes]) -> None:
        self._file, self._seen = file, sha256()
        said: dict[str, Any] = self._next(1)[0]
        if said["format"] != FORMAT:
            raise BadBackup(NEWER.format(said["version"]))
        tables = {name: Table(*one) for name, one in said["tables"].items()}
        self.manifest = Manifest(**{**said, "tables": tables})

    def _next(self, number: int) -> list[Any]:
        lines = list(islice(self._file, number))
        if len(lines) < number:
            raise EOFError
        self._seen.update(b"".join(lines))
        return [json.loads(line) for line in lines]

    def batches(self, name: str, told: Told) -> Iterator[list[Row]]:
        left = self.manifest.tables[name].rows
        while left:
            number = min(left, BATCH)
            yield self._next(number)
            told(number)
            left -= number

    def finish(self) -> None:
        hash_ = self._seen.hexdigest()
        if self._next(1) != [hash_] or next(self._file, None) is not None:
            raise EOFError

    def check(self, told: Told) -> None:
        """Read all of it once, before anything is changed."""
        for name in self.manifest.tables:
            for _ in self.batches(name, told):
                pass
        self.finish()


@contextmanager
def opened(path: Path, key: bytes | None) -> Iterator[Reader]:
    """Raises BadBackup where it is not as it was written, also while it is read."""
    with path.open("rb") as file:
        inner: Any = file
        if file.read(len(MAGIC)) != MAGIC:
            file.seek(0)
        elif key is None:
            raise BadBackup(NO_KEY)
        else:
            inner = Decrypting(file, key)
        try:
            with gzip.GzipFile(fileobj=inner, mode="rb") as lines:
                yield Reader(lines)
        except _FAULTS as error:
            raise BadBackup(DAMAGED) from error
