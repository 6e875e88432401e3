"""Exports, page by page in constant memory: each row is confirmed when its page is read."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from subscriptions import clock
from subscriptions.domain.fields import further, whole_name
from subscriptions.links import Links
from subscriptions.store import chapters
from subscriptions.store.engine import reading
from subscriptions.store.models import List

PAGE = 1000
COLUMNS = ("email", "name", "list", "locale", "registered_at", "confirmed_at", "unsubscribe_url")
FORMATS = {"csv": "text/csv", "jsonl": "application/jsonl"}

# what spreadsheets take for the beginning of a formula, full-width forms included (P-03)
_FORMULA = re.compile(r"^\s*[=+\-@\t\r\n＝＋－＠]")


def export(
    row: List, kind: str, links: Links, now: datetime, progress: Callable[[int], object] = lambda n: None
) -> Iterator[str]:
    """The export of a list as text, a page at a time; `progress` hears how many rows each page had."""
    return _csv(row, links, now, progress) if kind == "csv" else _jsonl(row, links, now, progress)


def _rows(row: List, links: Links, now: datetime) -> Iterator[list[dict[str, Any]]]:
    """Pages by key, up to the newest subscription of the start: nobody twice, nobody missed (P-01)."""
    with reading() as session:
        up_to = chapters.newest_id(session)
    after = 0
    while True:
        with reading() as session:
            page = chapters.mailable_page(session, row.id, after, up_to, PAGE, now)
        if not page:
            return
        yield [_row(row, links, *fields) for fields in page]
        after = page[-1][0]


def _row(
    row: List,
    links: Links,
    _id: int,
    key: bytes,
    address: str | None,
    name: str | None,
    fields: dict[str, str] | None,
    locale: str,
    registered_at: datetime,
    confirmed_at: datetime,
) -> dict[str, Any]:
    return {
        "email": address,
        "name": name,
        "fields": fields or {},
        "list": row.slug,
        "locale": locale,
        "registered_at": clock.text(registered_at),
        "confirmed_at": clock.text(confirmed_at),
        "unsubscribe_url": links.leave_url(row.id, key),
    }


def _jsonl(row: List, links: Links, now: datetime, progress: Callable[[int], object]) -> Iterator[str]:
    has_fields = bool(further(row.fields))
    for page in _rows(row, links, now):
        for one in page:
            if not (has_fields or one["fields"]):
                del one["fields"]
            one["headers"] = links.one_click_headers(one["unsubscribe_url"])
        yield "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in page)
        progress(len(page))


def _csv(row: List, links: Links, now: datetime, progress: Callable[[int], object]) -> Iterator[str]:
    page_text = io.StringIO(newline="")
    writer = csv.writer(page_text, quoting=csv.QUOTE_ALL)  # RFC 4180: CRLF, quotes doubled
    writer.writerow(COLUMNS)
    yield page_text.getvalue()
    for page in _rows(row, links, now):
        page_text.seek(0)
        page_text.truncate()
        for one in page:
            one["name"] = whole_name(one["name"], one["fields"])  # the columns are fixed: JSONL tells the parts
        writer.writerows([_safe(one[column]) for column in COLUMNS] for one in page)
        yield page_text.getvalue()
        progress(len(page))


def _safe(cell: str | None) -> str:
    """A text that no spreadsheet takes for a formula; the JSONL export is the lossless one (P-04)."""
    text = cell or ""
    return "'" + text if _FORMULA.match(text) else text
