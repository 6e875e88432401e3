"""Exports, page by page in constant memory: each row is confirmed when its page is read."""

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache, partial
from json.encoder import encode_basestring as quoted

from subscriptions.domain.fields import further, whole_name
from subscriptions.links import Links
from subscriptions.store import audit, subscriptions
from subscriptions.store.audit import Act
from subscriptions.store.engine import reading
from subscriptions.store.models import List
from subscriptions.store.subscriptions import Row

PAGE = 1000  # rows that are read at once
CHUNK = 250  # rows that are written at once: some 64 KiB
# A thread that only computes gives the interpreter away every 5 ms, and each sign-up waits for it several times;
# one that sleeps between its chunks, however shortly, gives it away at once. It costs 4 % of an export.
BREATH = 0.00005  # seconds
FORMATS = {"csv": "text/csv", "jsonl": "application/jsonl"}
COLUMNS = ("email", "name", "list", "locale", "registered_at", "confirmed_at", "unsubscribe_url")
HEAD = ",".join(f'"{name}"' for name in COLUMNS) + "\r\n"
# what spreadsheets take for the beginning of a formula, full-width forms included
_FORMULA = re.compile(r"^\s*[=+\-@\t\r\n＝＋－＠]")
ACT = "export"  # in the audit
Line = Callable[[Row], str]
Progress = Callable[[int, int], object]  # hears of each chunk how many rows it has, and the last one's id


def account(row: List, act: Act) -> int:
    """Write into the audit who takes so many, before the first of them leaves; how many."""
    with reading() as session:
        count = subscriptions.mailable_count(session, row.id, act.at)
    audit.note(act.of(count))
    return count


def export(
    row: List, kind: str, links: Links, now: datetime, progress: Progress = lambda n, id_: None, after: int = 0
) -> Iterator[bytes]:
    """The export of a list, or what of it is behind that id, a chunk at a time, in UTF-8.

    It waits for nothing but the database, and holds neither transaction nor connection while its reader takes a chunk.
    """
    line = csv_line(row, links) if kind == "csv" else json_line(row, links)
    breath = threading.Event()
    if kind == "csv" and not after:
        yield HEAD.encode()
    for page in _pages(row, now, after):
        for chunk in (page[start : start + CHUNK] for start in range(0, len(page), CHUNK)):
            breath.wait(BREATH)
            progress(len(chunk), chunk[-1][0])
            yield "".join([line(subscription) for subscription in chunk]).encode()


def _pages(row: List, now: datetime, after: int) -> Iterator[Sequence[Row]]:
    """Pages by key: nobody twice, nobody missed."""
    with reading() as session:
        pages = subscriptions.mailable_pages(session, row.id, PAGE, now)
    while True:
        with reading() as session:
            page = subscriptions.mailable_page(session, pages, after)
        if not page:
            return
        yield page
        after = page[-1][0]


# One subscription as a line of CSV or of JSON lines: what `csv` and `json` would write, at a third of the time


def csv_line(row: List, links: Links) -> Line:
    """RFC 4180: every cell in quotes, quotes doubled, CRLF; a URL of ours has none."""
    url_of, slug, language = partial(links.leave_url, row.id), _cell(row.slug), lru_cache(_cell)

    def line(subscription: Row) -> str:
        _, key, address, name, fields, locale, registered_at, confirmed_at = subscription
        if fields:  # the columns are fixed: JSON lines tell the parts
            name = whole_name(name, json.loads(fields))
        return (
            f'"{_cell(address)}","{_cell(name)}","{slug}","{language(locale)}",'
            f'"{registered_at}","{confirmed_at}","{url_of(key)}"\r\n'
        )

    return line


def _cell(text: str | None) -> str:
    """A text that no spreadsheet takes for a formula; JSON lines are the lossless ones."""
    if not text:
        return ""
    if not text[0].isalnum() and _FORMULA.match(text):  # most cells begin with a letter, and are done sooner
        text = "'" + text
    return text.replace('"', '""')


def json_line(row: List, links: Links) -> Line:
    """Members in the order of the columns, `fields` where the list has any, the one-click headers at the end."""
    url_of, slug, has_fields = partial(links.leave_url, row.id), quoted(row.slug), bool(further(row.fields))
    before, after = _json(links.one_click_headers("\0")).split("\\u0000")

    def line(subscription: Row) -> str:
        _, key, address, name, fields, locale, registered_at, confirmed_at = subscription
        known = json.loads(fields) if fields else None
        members = f'"fields": {_json(known or {})}, ' if known or has_fields else ""
        url = quoted(url_of(key))
        return (
            f'{{"email": {_text(address)}, "name": {_text(name)}, {members}"list": {slug}, "locale": {quoted(locale)}, '
            f'"registered_at": "{registered_at}", "confirmed_at": "{confirmed_at}", "unsubscribe_url": {url}, '
            f'"headers": {before}{url[1:-1]}{after}}}\n'
        )

    return line


def _text(value: str | None) -> str:
    return "null" if value is None else quoted(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
