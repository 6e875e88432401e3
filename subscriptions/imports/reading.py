"""A file of any of the usual kinds as rows of text; encoding and separator are found, nothing is held whole."""

import csv
import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

from subscriptions.domain.imports import NO_WORKBOOK, Outcome
from subscriptions.domain.texts import marked
from subscriptions.imports.encodings import UNKNOWN, encoding_of

SAMPLE, LOOKED_AT = 256 * 1024, 200  # octets and rows by which a file is judged
MOST_COLUMNS, LONGEST_LINE, MOST_LINES = 200, 64 * 1024, 50  # of a row: letters of a line, lines that a quote may span
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_OTHERS = b"\xd0\xcf\x11\xe0", b"%PDF", b"\x1f\x8b"  # a workbook of old or with a password, a page, an archive
MOST_TITLES = 20  # lines that may stand above the names of the columns
_ADDRESS = re.compile(r"[^@]*@[^;,]*")
EMPTY = marked("The file is empty.")


class Unreadable(Exception):
    """A file that cannot be an import; `sentence` and `values` say why."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence % values)
        self.sentence, self.values = sentence, values


class Row(NamedTuple):
    """`number`: as a spreadsheet counts; `fault`: why it says nothing."""

    number: int
    cells: Sequence[str]
    fault: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """`columns`: their names; one without a name where each line is an address. `rows` reads the file anew."""

    columns: Sequence[str]
    rows: Callable[[], Iterator[Row]]
    kind: str
    encoding: str = "utf-8"


def opened(path: Path) -> Table:
    """What is in that file. Raises Unreadable."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
    if sample.startswith(b"PK\x03\x04"):
        table = _workbook(path)
    elif sample.startswith(_OTHERS):
        raise Unreadable(NO_WORKBOOK)
    elif not sample.strip(b"\0 \t\r\n"):
        raise Unreadable(EMPTY)
    else:
        encoding = encoding_of(sample)
        table = _objects(path, encoding) if sample.lstrip()[:1] == b"{" else _text(path, encoding)
    if not table.columns:
        raise Unreadable(marked("Nothing in this file can be read as a list: save it as CSV or XLSX again."))
    if len(table.columns) > MOST_COLUMNS:
        raise Unreadable(marked("The file has %(num)d columns, and at most %(most)d are read: keep those that matter."),
                         num=len(table.columns), most=MOST_COLUMNS)  # fmt: skip
    return table


def _lines(path: Path, encoding: str) -> Iterator[str]:
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        while line := file.readline(LONGEST_LINE):
            yield line


# Lines of cells


def _text(path: Path, encoding: str) -> Table:
    first = [line for line in islice(_lines(path, encoding), LOOKED_AT) if line.strip()]
    if not first:
        raise Unreadable(EMPTY)
    separator = max(_SEPARATORS, key=lambda one: _fits(first, one))
    split = (next(csv.reader([line], delimiter=separator)) for line in first)
    cells = [*islice((row for row in split if any(map(str.strip, row))), MOST_TITLES)] or [[""]]
    titles = _titles(cells)
    is_plain = not _fits(first, separator) or ("@" in first[0] and "<" in first[0]) or all("@" in c for c in cells[0])
    head = [] if is_plain else cells[titles]
    if is_plain and "@" not in first[0]:
        is_plain, head = False, [first[0].strip().strip('"')]
    has_head = not any("@" in cell for cell in head)
    columns = [""] if is_plain else head if has_head else [str(n) for n in range(1, len(head) + 1)]
    above = 0 if is_plain else titles + has_head

    def rows() -> Iterator[Row]:
        lines = _lines(path, encoding)
        plain = (([one], None) for line in lines for one in _apart(line))
        return islice(_numbered(plain if is_plain else _records(lines, separator), len(columns)), above, None)

    return Table(columns, rows, "text" if is_plain else f"CSV, {_SEPARATORS[separator]}", encoding)


def _titles(rows: Sequence[Sequence[str]]) -> int:
    """How many of them are above the names of the columns: one cell each, such as a heading or Excel's "sep=;"."""
    filled = [sum(bool(cell.strip()) for cell in cells) for cells in rows]
    first = next((place for place, number in enumerate(filled) if number > 1), 0)
    return 0 if any("@" in cell for cells in rows[:first] for cell in cells) else first


def _apart(line: str) -> Sequence[str]:
    """The addresses of a line, which may come from the field of an email program."""
    return [one.strip(" ,;") for one in _ADDRESS.findall(line)] if line.count("@") > 1 else [line]


def _fits(lines: Sequence[str], separator: str) -> int:
    """How many cells the first line has with it, where the others have some as well."""
    widths = [line.count(separator) for line in lines]
    return widths[0] if sum(map(bool, widths)) > len(widths) / 2 else 0


def _records(lines: Iterator[str], separator: str) -> Iterator[tuple[Sequence[str], Outcome | None]]:
    """What a quote holds together is one; where it is never closed, its line is a fault, and the next begins anew."""
    ahead: deque[str] = deque()
    while line := (ahead.popleft() if ahead else next(lines, "")):
        held = [line]
        while (
            (cells := _cells("".join(held), separator)) is None
            and len(held) < MOST_LINES
            and sum(map(len, held)) < LONGEST_LINE
        ):
            more = ahead.popleft() if ahead else next(lines, "")
            if not more:
                break
            held.append(more)
        if cells is None:
            ahead.extendleft(reversed(held[1:]))
        yield cells or [line], None if cells else Outcome.UNCLOSED


def _cells(text: str, separator: str) -> list[str] | None:
    """None: a quote is open."""
    if '"' not in text:
        return text.rstrip("\r\n").split(separator)
    try:
        return next(csv.reader([text], delimiter=separator, strict=True))
    except csv.Error:
        return None


Found = tuple[int, Sequence[str], Outcome | None]


def _numbered(found: Iterable[tuple[Sequence[str], Outcome | None]], width: int) -> Iterator[Row]:
    return _checked(((number, *one) for number, one in enumerate(found, 1)), width)


def _checked(found: Iterable[Found], width: int) -> Iterator[Row]:
    """Those in which nothing stands are passed over, and counted."""
    for number, cells, fault in found:
        if fault is None and not any(map(str.strip, cells)):
            continue
        if fault is None and any(map(str.strip, cells[width:])):
            fault = Outcome.TOO_WIDE
        elif any(UNKNOWN in cell for cell in cells):
            fault = Outcome.UNREADABLE
        yield Row(number, [cell.strip() for cell in cells[:width]] + [""] * (width - len(cells)), fault)


# Objects, a line for each


def _objects(path: Path, encoding: str) -> Table:
    def each() -> Iterator[Mapping[str, object] | None]:
        for line in _lines(path, encoding):
            if line.strip():
                try:
                    found = json.loads(line)
                    if "\\u" in line:  # half a pair of surrogates is no character
                        json.dumps(found, ensure_ascii=False).encode()
                except (ValueError, RecursionError):
                    found = None
                yield found if isinstance(found, dict) else None

    columns = list(dict.fromkeys(name for one in islice(each(), LOOKED_AT) for name in one or ()))

    def rows() -> Iterator[Row]:
        found = (([_said((one or {}).get(name)) for name in columns], None if one else Outcome.UNCLOSED)
                 for one in each())  # fmt: skip
        return _numbered(found, len(columns))

    return Table(columns, rows, "JSON Lines", encoding)


def _said(value: object) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


# A workbook


def _workbook(path: Path) -> Table:
    from subscriptions.imports import workbook  # its library is large, and every process would carry it

    if problem := workbook.problem(path):
        raise Unreadable(problem)
    first = [cells for _, cells, fault in islice(_of_workbook(path), LOOKED_AT) if not fault][:MOST_TITLES]
    titles = _titles(first)
    columns = first[titles] if first else []
    has_head = not any("@" in cell for cell in columns)
    width = len(columns)

    def rows() -> Iterator[Row]:
        return islice(_checked(_of_workbook(path), width), titles + has_head, None)

    return Table(columns if has_head else [str(n) for n in range(1, width + 1)], rows, "XLSX")


def _of_workbook(path: Path) -> Iterator[Found]:
    """Where it breaks off, the last one says so."""
    from subscriptions.imports import workbook

    number = 0
    try:
        for number, cells in workbook.rows(path, MOST_COLUMNS + 1):
            yield number, cells, None
    except workbook.BROKEN:
        yield number + 1, [], Outcome.BROKEN


def copied(file: IO[bytes], to: Path, octets: Callable[[bytes], object]) -> None:
    """A file of ours with the same octets, which nobody else reads; `octets` hears of each piece."""
    to.parent.mkdir(mode=0o700, exist_ok=True)
    to.touch(mode=0o600)
    with to.open("wb") as out:
        while piece := file.read(1024 * 1024):
            octets(piece)
            out.write(piece)
