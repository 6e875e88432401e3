"""A file of any of the usual kinds as rows of text; encoding and separator are found, nothing is held whole."""

import csv
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

from charset_normalizer import from_bytes

from subscriptions.domain.imports import Outcome
from subscriptions.domain.texts import marked
from subscriptions.imports import workbook

SAMPLE, LOOKED_AT = 256 * 1024, 200  # octets and rows by which a file is judged
MOST_COLUMNS, LONGEST_LINE, MOST_LINES = 200, 64 * 1024, 50  # of a row: letters of a line, lines that a quote may span
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_USUAL = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257"]  # of few letters more would be guessed wrong
EMPTY = marked("The file is empty.")
_UNKNOWN = "\ufffd"  # what stands for octets that are no character


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
    elif not sample.strip(b"\0 \t\r\n"):
        raise Unreadable(EMPTY)
    else:
        encoding = _encoding(sample)
        table = _objects(path, encoding) if sample.lstrip()[:1] == b"{" else _text(path, encoding)
    if not table.columns:
        raise Unreadable(marked("Nothing in this file can be read as a list: save it as CSV or XLSX again."))
    if len(table.columns) > MOST_COLUMNS:
        raise Unreadable(marked("The file has %(num)d columns, and at most %(most)d are read: keep those that matter."),
                         num=len(table.columns), most=MOST_COLUMNS)  # fmt: skip
    return table


def _encoding(sample: bytes) -> str:
    """Where most of it is UTF-8, lines that are not are faults of theirs; else what the letters look like."""
    for mark, encoding in _MARKS.items():
        if sample.startswith(mark):
            return encoding
    if b"\0" in sample[:2]:
        return "utf-16-be" if sample[:1] == b"\0" else "utf-16-le"
    special = [line for line in sample.splitlines()[:-1] or [sample] if not line.isascii()]
    if not special or any(_UNKNOWN not in line.decode("utf-8", "replace") for line in special):
        return "utf-8"
    best = from_bytes(b"\n".join(special), cp_isolation=_USUAL).best()
    return best.encoding if best else "cp1252"


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
    is_plain = not _fits(first, separator) or ("@" in first[0] and "<" in first[0])
    head = [] if is_plain else next(csv.reader([first[0]], delimiter=separator))
    if is_plain and "@" not in first[0]:
        is_plain, head = False, [first[0].strip().strip('"')]
    has_head = not any("@" in cell for cell in head)
    columns = [""] if is_plain else head if has_head else [str(n) for n in range(1, len(head) + 1)]

    def rows() -> Iterator[Row]:
        lines = (line for line in _lines(path, encoding) if line.strip())
        if is_plain:
            found: Iterable[tuple[Sequence[str], Outcome | None]] = (([line.strip()], None) for line in lines)
        else:
            found = _records(lines, separator)
        return _numbered(
            islice(found, int(has_head and not is_plain), None), len(columns), 1 + (has_head and not is_plain)
        )

    return Table(columns, rows, "text" if is_plain else f"CSV, {_SEPARATORS[separator]}", encoding)


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


def _numbered(found: Iterable[tuple[Sequence[str], Outcome | None]], width: int, first: int) -> Iterator[Row]:
    for number, (cells, fault) in enumerate(found, first):
        if len(cells) > width and fault is None:
            fault = Outcome.TOO_WIDE
        elif any(_UNKNOWN in cell for cell in cells):
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
        return _numbered(found, len(columns), 1)

    return Table(columns, rows, "JSON Lines", encoding)


def _said(value: object) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


# A workbook


def _workbook(path: Path) -> Table:
    if problem := workbook.problem(path):
        raise Unreadable(problem)
    columns = next(workbook.rows(path, MOST_COLUMNS + 1), [])
    has_head = not any("@" in cell for cell in columns)
    width = len(columns)
    while has_head and width and not columns[width - 1]:
        width -= 1

    def found() -> Iterator[tuple[Sequence[str], Outcome | None]]:
        try:
            yield from ((cells[:width], None) for cells in workbook.rows(path, MOST_COLUMNS + 1))
        except workbook.BROKEN:
            yield [], Outcome.BROKEN

    def rows() -> Iterator[Row]:
        return _numbered(islice(found(), int(has_head), None), width, 1 + has_head)

    return Table(columns[:width] if has_head else [str(n) for n in range(1, width + 1)], rows, "XLSX")


def copied(file: IO[bytes], to: Path, octets: Callable[[bytes], object]) -> None:
    """A file of ours with the same octets, which nobody else reads; `octets` hears of each piece."""
    to.parent.mkdir(mode=0o700, exist_ok=True)
    to.touch(mode=0o600)
    with to.open("wb") as out:
        while piece := file.read(1024 * 1024):
            octets(piece)
            out.write(piece)
