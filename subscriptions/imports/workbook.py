"""The first sheet of an XLSX file: bounded before it is unpacked, and nothing in it is run, followed or calculated."""

import warnings
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import ParseError

from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._reader import DATA_TAG, ROW_TAG, WorkSheetParser
from openpyxl.xml.functions import iterparse

from subscriptions.domain.imports import NO_WORKBOOK
from subscriptions.domain.texts import marked

MOST_ENTRIES, MOST_OCTETS, MOST_SHARED = 2000, 2 * 2**30, 256 * 2**20  # unpacked: of all, and of what is held at once
LONGEST_ROW, MOST_ROWS = 2**19, 2**20  # octets; a spreadsheet has no more rows
LONGEST_PART = 2**19  # of names and styles, which cost the library the most
LARGE, RATIO = 64 * 2**20, 150  # what is longer than that, and packed tighter, no spreadsheet has written
BROKEN = (zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, OSError,
          EOFError, TypeError, AttributeError, IndexError, RuntimeError, OverflowError, zlib.error)  # fmt: skip
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


def rows(path: Path, most: int) -> Iterator[tuple[int, list[str]]]:
    """With their numbers; of a formula the value that was kept beside it. Where nothing stands is passed over.

    Row by row, and not as the library does it: that holds all between two rows, and makes up all that are left out.
    """
    with warnings.catch_warnings(), path.open("rb") as file:
        warnings.simplefilter("ignore")  # of parts that we do not look at
        reader = ExcelReader(file, read_only=True, data_only=True, keep_links=False)
        reader.archive = _Parts(file)
        for read in (reader.read_manifest, reader.read_strings, reader.read_workbook):
            read()
        apply_stylesheet(reader.archive, reader.wb)
        book, sheets = reader.wb, (rel.target for _, rel in reader.parser.find_sheets() if "worksheet" in rel.Type)
        source = _Source(reader.archive.open(next(sheets, "")))
        parser = WorkSheetParser(
            source,
            reader.shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        number = 0
        for element in _elements(source):
            at, cells = parser.parse_row(element)
            number = at if number < at <= MOST_ROWS else number + 1
            said = {cell["column"]: _said(cell["value"]) for cell in cells}
            width = max((place for place, text in said.items() if text and place <= most), default=0)
            if width:
                yield number, [said.get(place, "") for place in range(1, width + 1)]


class _Parts(zipfile.ZipFile):
    """Where what is read as a whole is not longer than a spreadsheet writes it."""

    def read(self, name: str | zipfile.ZipInfo, pwd: bytes | None = None) -> bytes:
        if self.getinfo(str(name)).file_size > LONGEST_PART:
            raise ValueError("this part is too long")
        return super().read(name, pwd)


class _Source:
    """The octets of a sheet: no more between two rows than a row can have, since they are held at once."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.held = file, 0

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        self.held += len(piece)
        if self.held > LONGEST_ROW:
            raise ValueError("what stands between two rows is too long")
        return piece


def _elements(source: _Source) -> Iterator[Any]:
    """Each row of a sheet; what was before it is let go."""
    above, number = list[Any](), 0
    for event, element in iterparse(source, ("start", "end")):
        if event == "start":
            above.append(element)
            continue
        above.pop()
        if element.tag == DATA_TAG:
            return
        if element.tag == ROW_TAG:
            yield element
            number += 1
            if number > MOST_ROWS:
                raise ValueError("no sheet has so many rows")
            source.held = 0
            for one in above:
                one.clear()


def _said(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
