"""From the cells of a row to a person: which column says what, and what is wrong with a row."""

import ipaddress
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from subscriptions.domain.address import Address, BadAddress, named, parse, special_ending
from subscriptions.domain.fields import LONGEST, whole_name
from subscriptions.domain.imports import (
    NO_EMAIL,
    ORDERS,
    TIMES,
    Outcome,
    Person,
    Way,
    never_mailed,
    order_of,
    read_time,
)
from subscriptions.domain.mailable import Mailable
from subscriptions.domain.texts import marked
from subscriptions.imports.reading import Row, Table, Unreadable
from subscriptions.links import Links

FIELDS = {
    "email": marked("email address"), "name": marked("name"), "given_name": marked("first name"),
    "family_name": marked("last name"), "salutation": marked("title"), "locale": marked("language"),
    "registered_at": marked("time of the sign-up"), "confirmed_at": marked("time of the confirmation"),
    "registered_ip": marked("IP address of the sign-up"), "confirmed_ip": marked("IP address of the confirmation"),
    "source": marked("where the person signed up"), "document": marked("document that proves it"),
    "status": marked("whether they are subscribed"), "left": marked("when they left"),
    "attributes": marked("further fields, as JSON"),
}  # fmt: skip
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}")
_NOTHING = ("", "0", "null", "none", "no", "false", "0000-00-00 00:00:00")
Columns = list[list[str]]  # by place: the field, empty for one that is passed over, and the order of its dates


@cache
def formats() -> Mapping[str, Any]:
    return tomllib.loads((Path(__file__).parent / "formats.toml").read_text("utf-8"))


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def format_of(columns: Sequence[str]) -> str:
    """The program that writes such a first line; "other": none that is known."""
    names = {_plain(name) for name in columns}
    return next(one for one, table in formats().items() if names.issuperset(map(_plain, table["known_by"])))


def title_of(columns: Sequence[str]) -> str:
    return str(formats()[format_of(columns)]["title"])


def subscribed(columns: Sequence[str]) -> frozenset[str]:
    """What the column of the status says there of who is subscribed; nothing counts as well."""
    found = formats()
    return frozenset(["", *found[format_of(columns)].get("status", found["other"]["status"])])


def guessed(table: Table, own: Sequence[str]) -> Columns:
    """What each column is read as: by its name, each field once. `own`: the keys of the fields of the list."""
    if [*table.columns] == [""]:
        return [["email", ""]]
    found = formats()[format_of(table.columns)]["columns"]
    names = formats()["other"]["columns"] | {_plain(key): key for key in own} | found
    read = [names.get(_plain(name), "") for name in table.columns]
    read = [name if name != "-" and name not in read[:place] else "" for place, name in enumerate(read)]
    if "email" not in read:
        first = next(table.rows(), None)
        read = ["email" if "@" in cell and "email" not in read else name
                for name, cell in zip(read, first.cells if first else [""] * len(read), strict=True)]  # fmt: skip
    return with_orders(table, [[name, ""] for name in read])


def with_orders(table: Table, columns: Columns) -> Columns:
    """The same, with the order of dates where the first rows leave no doubt."""
    if not any(name in TIMES and not order for name, order in columns):
        return columns
    first = [row.cells for row, _ in zip(table.rows(), range(2000), strict=False)]
    return [[name, order or (order_of([cells[place] for cells in first]) if name in TIMES else "")]
            for place, (name, order) in enumerate(columns)]  # fmt: skip


def places(table: Table, said: Sequence[str]) -> dict[int, str]:
    """The fields of columns that are named as COLUMN=FIELD. Raises Unreadable."""
    pairs = [text.rpartition("=") for text in said]
    if strange := [column for column, _, _ in pairs if column not in table.columns]:
        raise Unreadable(marked("There is no column “%(column)s”. The columns are: %(all)s."), column=strange[0][:80],
                         all=", ".join(table.columns)[:500])  # fmt: skip
    return {table.columns.index(column): name for column, _, name in pairs}


def chosen(table: Table, columns: Columns, said: Mapping[int, str], own: Sequence[str]) -> Columns:
    """With what a person says of columns: a field, with ":dmy" or ":mdy" behind a time. Raises Unreadable."""
    found = [*map(list, columns)]
    for place, text in said.items():
        name, _, order = text.partition(":")
        if name not in ("", *FIELDS, *own) or order not in ("", *ORDERS):
            raise Unreadable(marked("“%(field)s” is no field. The fields are: %(all)s; behind a time may stand :dmy or "
                                    ":mdy."), field=text[:80], all=", ".join([*FIELDS, *own]))  # fmt: skip
        found = [["", ""] if name and one[0] == name else one for one in found]
        found[place] = [name, order]
    found = with_orders(table, found)
    if not any(name == "email" for name, _ in found):
        raise Unreadable(NO_EMAIL)
    for column, (name, order) in zip(table.columns, found, strict=True):
        if name in TIMES and not order:
            raise Unreadable(marked("In “%(column)s” nobody can tell days from months: say whether the day comes first "
                                    "(dmy) or the month (mdy)."), column=column[:80])  # fmt: skip
    return found


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads rows as persons of one list."""

    columns: Columns
    way: Way
    own: Sequence[str]  # the keys of the list's fields: nothing else is kept of what people have told
    locale: str
    source: str
    document: str
    now: datetime
    mailable: Mailable
    special: bool
    links: Links
    subscribed: frozenset[str]

    def read(self, row: Row) -> Person | Outcome:
        if row.fault:
            return row.fault
        said = self._said(row)
        if said.get("left", "").lower() not in _NOTHING or said.get("status", "").lower() not in self.subscribed:
            return Outcome.NOT_SUBSCRIBED
        if "@" not in (text := said.get("email", "")):
            return Outcome.BAD_ADDRESS if text else Outcome.NO_ADDRESS
        if len(self.columns) == 1:
            said["name"], text = named(text)
        try:
            address = parse(text)
        except BadAddress:
            return Outcome.BAD_ADDRESS
        if not self.special and special_ending(address.ascii_domain):
            return Outcome.BAD_ADDRESS
        if why := self.mailable.why_not(address):
            return never_mailed(why)
        return self._person(row.number, address, said)

    def _said(self, row: Row) -> dict[str, str]:
        cells = {name: cell for (name, _), cell in zip(self.columns, row.cells, strict=True) if name and cell}
        return cells | dict(self._attributes(cells.pop("attributes", "")))

    def _attributes(self, cell: str) -> Iterator[tuple[str, str]]:
        try:
            found = json.loads(cell or "{}")
        except (ValueError, RecursionError):
            return
        names = formats()["other"]["columns"] | {_plain(key): key for key in self.own}
        for name, value in found.items() if isinstance(found, dict) else ():
            if (
                isinstance(value, str | int)
                and (field_ := names.get(_plain(name)))
                and field_ not in ("email", "status")
            ):
                yield field_, str(value)

    def _person(self, number: int, address: Address, said: Mapping[str, str]) -> Person | Outcome:
        told = {name: said[name] for name in self.own if name in said and name != "name"}
        name = whole_name(said.get("name"), said) if "name" in self.own else None
        # what stands in the evidence outlives an erasure, so it names nobody
        kept = [name or "", said.get("source", ""), said.get("document", ""), *told.values()]
        if any(len(text) > LONGEST or _UNPRINTABLE.search(text) for text in kept) or "@" in "".join(kept[1:3]):
            return Outcome.TOO_LONG
        tag = said.get("locale", "")
        locale = tag.replace("_", "-") if _TAG.fullmatch(tag) else self.locale
        keys = self.links.key(address.folded), self.links.mailbox_key(address.folded)
        person = Person(number, address, *keys, locale, None if name == address.mailed else name, told or None)
        return person if self.way is Way.INVITE else self._proved(person, said)

    def _proved(self, person: Person, said: Mapping[str, str]) -> Person | Outcome:
        if not all(said.get(name) for name in TIMES):
            return Outcome.NO_TIMES
        orders = dict(self.columns)
        try:
            began, done = (read_time(said[name], orders.get(name, "")) for name in TIMES)
        except (ValueError, OverflowError, OSError):
            return Outcome.BAD_TIME
        if not began <= done <= self.now:
            return Outcome.BAD_TIME
        ips = {
            name.removesuffix("_ip"): ip for name in ("registered_ip", "confirmed_ip") if (ip := _ip(said.get(name)))
        }
        document = said.get("document", "") or self.document
        if not ips and not document:
            return Outcome.NO_PROOF
        return person._replace(registered_at=began, confirmed_at=done, ips=ips, document=document,
                               source=said.get("source", "") or self.source)  # fmt: skip


def _ip(text: str | None) -> str:
    try:
        found = ipaddress.ip_address(text or "")
    except ValueError:
        return ""
    return "" if "%" in str(found) else str(getattr(found, "ipv4_mapped", None) or found)
