"""The first sheet of an XLSX file: bounded before it is unpacked, and nothing in it is run, followed or calculated."""

import warnings
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from subscriptions.domain.texts import marked

MOST_ENTRIES, MOST_OCTETS, MOST_SHARED = 2000, 2 * 2**30, 256 * 2**20  # unpacked: of all, and of what is held at once
LARGE, RATIO = 64 * 2**20, 150  # what is longer than that, and packed tighter, no spreadsheet has written
BROKEN = (zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, OSError,
          EOFError, TypeError, AttributeError, IndexError, NotImplementedError)  # fmt: skip
NO_WORKBOOK = marked(
    "This file is no list that can be read: save it as XLSX or CSV in the program that it comes from. "
    "Unpack an archive first."
)
_TOO_LARGE = marked("Unpacked, this workbook is too large: save it as CSV.")


def problem(path: Path) -> str:
    """What stands against it; empty: nothing. Python's reader gives no more octets than an entry declares."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
        held = sum(one.file_size for one in entries if not one.filename.startswith("xl/worksheets/"))
        is_bomb = any(one.file_size > max(LARGE, RATIO * one.compress_size) for one in entries)
        whole = sum(one.file_size for one in entries)
        if is_bomb or len(entries) > MOST_ENTRIES or whole > MOST_OCTETS or held > MOST_SHARED:
            return _TOO_LARGE
        next(rows(path, 1), None)
    except BROKEN:
        return NO_WORKBOOK
    return ""


def rows(path: Path, most: int) -> Iterator[list[str]]:
    """Of a formula the value that was kept beside it."""
    with warnings.catch_warnings(), path.open("rb") as file:
        warnings.simplefilter("ignore")  # of parts that we do not look at
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # a file may declare any
        for cells in sheet.iter_rows(max_col=most, values_only=True):
            yield [_said(cell) for cell in cells]


def _said(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
