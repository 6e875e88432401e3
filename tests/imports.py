"""Lists that people bring along: files, and what `yestwice import` makes of them."""

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from click.testing import Result
from openpyxl import Workbook

from subscriptions.store import imports
from subscriptions.store.engine import reading
from subscriptions.store.models import Import
from tests.builders import NEWS, World

SIGNED_UP, CONFIRMED = "2026-03-01T10:00:00Z", "2026-03-01T10:07:00Z"
HEAD = ("email", "name", "registered_at", "confirmed_at", "confirmed_ip")


def proved(address: str, name: str = "", ip: str = "203.0.113.9", at: str = CONFIRMED) -> tuple[str, ...]:
    """A row with its evidence."""
    return address, name, SIGNED_UP, at, ip


def lines(rows: Iterable[Sequence[str]], head: Sequence[str] = HEAD, separator: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows([head, *rows])
    return out.getvalue()


def listmonk(numbers: Iterable[int]) -> str:
    """As listmonk exports a list that once came from here."""

    def row(n: int) -> Sequence[str]:
        told = {"locale": "de", "registered_at": SIGNED_UP, "confirmed_at": CONFIRMED, "confirmed_ip": "203.0.113.9"}
        made = "2026-04-01 12:00:00+00"
        return f"uuid-{n}", f"p{n}@example.org", f"Person {n}", json.dumps(told), "enabled", made, made

    head = "uuid", "email", "name", "attributes", "status", "created_at", "updated_at"
    return lines(map(row, numbers), head)


def brought(world: World, file: Path, *options: str) -> Result:
    return world.app.test_cli_runner().invoke(args=["import", str(file), "--list", NEWS, *options])


def bring(world: World, folder: Path, text: str | bytes, *options: str, name: str = "list.csv") -> Import:
    """The import of such a file, with evidence if nothing else is said, done as far as it can be."""
    file = folder / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    result = brought(world, file, *(options or ("--with-evidence",)))
    assert result.exit_code == 0, result.output
    return the_import()


def the_import(id_: int | None = None) -> Import:
    """The newest, as it is now."""
    with reading() as session:
        found = imports.all_of(session, [1, 2, 3])
        return next(one for one in found if id_ in (None, one.id))


def workbook(rows: Iterable[Sequence[object]], path: Path) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    book.save(path)
    return path


def with_entry(path: Path, name: str, octets: bytes) -> Path:
    """The same workbook with one more entry."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(name, octets)
    return path
