"""Exports, page by page in constant memory: each row is confirmed when its page is read."""

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache, partial
from json.encoder import encode_basestring as quoted

from subscriptions import languages
from subscriptions.domain.fields import further, whole_name
from subscriptions.export.layouts import FORMULA, LAYOUTS
from subscriptions.links import Links
from subscriptions.links.by_mail import LEAVES, returning
from subscriptions.store import audit, mailable, people
from subscriptions.store.audit import Act
from subscriptions.store.engine import reading
from subscriptions.store.mailable import Changes, Row
from subscriptions.store.models import List

PAGE = 1000  # rows that are read at once
CHUNK = 250  # rows that are written at once: some 64 KiB
# A thread that only computes gives the interpreter away every 5 ms, and each sign-up waits for it several times;
# one that sleeps between its chunks, however shortly, gives it away at once. It costs 4 % of an export.
BREATH = 0.00005  # seconds
FORMATS = {"csv": "text/csv", "jsonl": "application/jsonl"}
EVERY = FORMATS | {name: layout.type for name, layout in LAYOUTS.items()}
DIALECTS = ("rfc4180", "excel")  # of CSV
COLUMNS = ("email", "name", "list", "locale", "registered_at", "confirmed_at", "unsubscribe_url", "wording_id")
ACT = "export"  # in the audit
_BEGINS = "=+-@＝＋－＠"  # of these an address can begin one: it holds no white space
_HARMLESS = re.compile(r"[+-][\w.+-]*@[\w.-]+")  # a sign and a name is no formula that does anything
Line = Callable[[Row], str]
Progress = Callable[[int, int], object]  # hears of each chunk how many rows it has, and the last one's id


def account(row: List, act: Act) -> int:
    """Write into the audit who takes so many, before the first of them leaves; how many."""
    with reading() as session:
        count = mailable.mailable_count(session, row.id, act.at)
    audit.note(act.of(count))
    return count


def export(
    row: List,
    kind: str,
    links: Links,
    now: datetime,
    progress: Progress = lambda n, id_: None,
    after: int = 0,
    dialect: str = DIALECTS[0],
    which: Changes | None = None,
) -> Iterator[bytes]:
    """The export of a list, or what of it is behind that id, a chunk at a time, in UTF-8; or what has changed in it.

    It waits for nothing but the database, and holds neither transaction nor connection while its reader takes a chunk.
    """
    line, first = _line(row, kind, links, dialect), _head(row, kind, dialect)
    breath = threading.Event()
    if first and not after:
        yield first.encode()
    for page in pages(row, now, after, which):
        for chunk in (page[start : start + CHUNK] for start in range(0, len(page), CHUNK)):
            breath.wait(BREATH)
            progress(len(chunk), chunk[-1][0])
            yield "".join([line(subscription) for subscription in chunk]).encode()


def _line(row: List, kind: str, links: Links, dialect: str) -> Line:
    if kind in LAYOUTS:
        return LAYOUTS[kind].line(row, links)
    return csv_line(row, links, dialect) if kind == "csv" else json_line(row, links)


def _head(row: List, kind: str, dialect: str) -> str:
    return LAYOUTS[kind].head if kind in LAYOUTS else head(row, dialect) if kind == "csv" else ""


def pages(row: List, now: datetime, after: int, which: Changes | None) -> Iterator[Sequence[Row]]:
    """Pages by key: nobody twice, nobody missed."""
    with reading() as session:
        pages = mailable.mailable_pages(session, row.id, PAGE, now, which)
    while True:
        with reading() as session:
            page = mailable.mailable_page(session, pages, after)
        if not page:
            return
        yield page
        after = page[-1][0]


# One subscription as a line of CSV or of JSON lines: what `csv` and `json` would write, at a third of the time


def head(row: List, dialect: str = "rfc4180") -> str:
    """The columns by their names, behind the mark by which Excel knows UTF-8."""
    mark = "\ufeff" if dialect == "excel" else ""
    return mark + separator(row, dialect).join(f'"{name}"' for name in (*COLUMNS, *further(row.fields))) + "\r\n"


def separator(row: List, dialect: str) -> str:
    """Excel divides a line where the reader's country does not divide numbers."""
    return ";" if dialect == "excel" and languages.has_decimal_comma(row.locale) else ","


def left_out(row: List, now: datetime) -> int:
    """How many CSV does not carry: a spreadsheet could run their addresses, and none is ever changed."""
    with reading() as session:
        found = people.mailable_beginning(session, row.id, _BEGINS, now)
    return sum(map(is_left_out, found))


def is_left_out(address: str | None) -> bool:
    """Whether a spreadsheet could run it."""
    return bool(address and FORMULA.match(address) and not _HARMLESS.fullmatch(address))


def csv_line(row: List, links: Links, dialect: str = "rfc4180") -> Line:
    """RFC 4180: every cell in quotes, quotes doubled, CRLF; a URL of ours has none. Nothing for who is left out."""
    url_of, slug, language = partial(links.leave_url, row.id), _cell(row.slug), lru_cache(_cell)
    own, s = further(row.fields), f'"{separator(row, dialect)}"'
    none, between = s * len(own), f"{s}{slug}{s}"

    def line(subscription: Row) -> str:
        _, key, address, name, fields, locale, registered_at, confirmed_at, wording_id = subscription
        if not address:
            address = ""
        elif not address[0].isalnum() and is_left_out(address):  # most begin with a letter, and are done sooner
            return ""
        elif _QUOTE in address:
            address = address.replace(_QUOTE, _QUOTES)
        more = none
        if fields:
            told = json.loads(fields)
            name, more = whole_name(name, told), "".join([s + _cell(told.get(field)) for field in own])
        return (
            f'"{address}{s}{_cell(name)}{between}{language(locale)}{s}'
            f'{registered_at}{s}{confirmed_at}{s}{url_of(key)}{s}{wording_id or ""}{more}"\r\n'
        )

    return line


_QUOTE, _QUOTES = '"', '""'


def _cell(text: str | None) -> str:
    """A text that no spreadsheet takes for a formula; JSON lines are the lossless ones."""
    if not text:
        return ""
    if not text[0].isalnum() and FORMULA.match(text):  # most cells begin with a letter, and are done sooner
        text = "'" + text
    return text.replace('"', '""')


def json_line(row: List, links: Links) -> Line:
    """The id, members in the order of the columns, `fields` where the list has any, the one-click headers."""
    token_of, slug, has_fields = partial(links.leave_token, row.id), quoted(row.slug), bool(further(row.fields))
    id_of, page = links.subscription_ids(row.slug), links.url("unsubscribe", "")
    tag_of = partial(links.by_mail.leave_tag, row.id) if links.by_mail.in_address else None
    named = links.one_click_headers(page + "\0", links.by_mail.url(LEAVES, "\0", "\0"))
    returns_to = returning(links.by_mail, row.id) if links.by_mail.returns_to else None
    url, before, *mailed, after = quoted(page)[:-1], *_json(named).split("\\u0000")

    def line(subscription: Row) -> str:
        _, key, address, name, fields, locale, registered_at, confirmed_at, wording_id = subscription
        known = json.loads(fields) if fields else None
        members = f'"fields": {_json(known or {})}, ' if known or has_fields else ""
        token, wording = token_of(key), f'"{wording_id}"' if wording_id else "null"  # made of a hash's digits
        by_mail = f"{mailed[0]}{tag_of(key) if tag_of else token}" if mailed else ""
        envelope = f'"envelope_from": "{returns_to(key)}", ' if returns_to else ""
        return (
            f'{{"id": "{id_of(key)}", "email": {_text(address)}, "name": {_text(name)}, {members}"list": {slug}, '
            f'"locale": {quoted(locale)}, "registered_at": "{registered_at}", "confirmed_at": "{confirmed_at}", '
            f'"unsubscribe_url": {url}{token}", "wording_id": {wording}, {envelope}'
            f'"headers": {before}{token}{by_mail}{after}}}\n'
        )

    return line


def _text(value: str | None) -> str:
    return "null" if value is None else quoted(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
