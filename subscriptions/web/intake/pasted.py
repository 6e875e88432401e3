"""Addresses that were pasted or uploaded: one a line or CSV, in whatever encoding another program has written them."""

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

from subscriptions.domain.address import BadAddress, parse

MOST_OCTETS, MOST_LINES = 5 * 1024 * 1024, 100_000
MOST_UNUSUAL = 2000  # cells that the library reads, up to 1 ms each; the rest comes back to be sent again
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LINES, _CELLS, _ANGLED = re.compile(r"\r\n|\r|\n"), re.compile(r"[,;\t]"), re.compile(r"<([^<>]*)>")
# as most are, and their folded form with them: to be looked up it need not be one that could be mailed, and of 100,000
# the library takes longer than an answer may
_ATOM = r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+"  # RFC 5322 3.2.3
_PLAIN = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:[a-zA-Z0-9-]+\.)+[a-zA-Z0-9-]+")
_AROUND = " \t\"'<>\0\ufeff\xa0"


class TooMany(ValueError):
    """More octets or lines than are taken at once."""


class Pasted(NamedTuple):
    """`addresses`: folded, each once. `bad`: the number of each line that has none, from 1, and what it says."""

    addresses: list[str]
    bad: list[tuple[int, str]]


def read(octets: bytes) -> Pasted:
    """The first address of each line: names and other columns are not looked at. Raises TooMany."""
    if len(octets) > MOST_OCTETS:
        raise TooMany
    lines = _LINES.split(_decoded(octets))
    if sum(map(bool, lines)) > MOST_LINES:
        raise TooMany
    found, bad, is_first = dict[str, None](), list[tuple[int, str]](), True
    left = iter(range(MOST_UNUSUAL))
    for number, line in enumerate(lines, 1):
        if not line.strip(_AROUND):
            continue
        address = _address_in(line, left)
        if address:
            found[address] = None
        elif "@" in line or not is_first:  # else it names the columns
            bad.append((number, line.strip()))
        is_first = False
    return Pasted([*found], bad)


def pairs(text: str, at_most: int) -> list[tuple[int, str | None, str]] | None:
    """Of each line its number, the address that it begins with, and what stands behind that; none: too many lines."""
    lines = [(number, line) for number, line in enumerate(_LINES.split(text), 1) if line.strip(_AROUND)]
    if len(lines) > at_most:
        return None
    found: list[tuple[int, str | None, str]] = []
    left = iter(range(MOST_UNUSUAL))
    for number, line in lines:
        first, *rest = _CELLS.split(line, maxsplit=1)
        said = rest[0].strip(_AROUND) if rest else ""
        found.append((number, _address_in(first, left), said) if said else (number, None, line.strip()))
    return found


def _decoded(octets: bytes) -> str:
    for mark, encoding in _MARKS:
        if octets.startswith(mark):
            return octets.decode(encoding, "replace")
    if b"\0" in octets[:2]:  # UTF-16 without its mark: every other octet of an address is nothing
        return octets.decode("utf-16-be" if octets[:1] == b"\0" else "utf-16-le", "replace")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("cp1252", "replace")


def _address_in(line: str, left: Iterator[int]) -> str | None:
    """`left`: how often the library may still be asked."""
    for cell in _CELLS.split(line):
        if "@" in cell:
            angled = _ANGLED.search(cell)
            text = (angled[1] if angled else cell).strip(_AROUND)
            if _PLAIN.fullmatch(text):
                return text.lower()
            if next(left, None) is None:
                return None
            try:
                return parse(text).folded
            except BadAddress:
                continue
    return None
