"""Exports, page by page in constant memory: each row is confirmed when its page is read."""

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from subscriptions.export import lines
from subscriptions.links import Links
from subscriptions.store import subscriptions
from subscriptions.store.engine import reading
from subscriptions.store.models import List

PAGE = 1000  # rows that are read at once
CHUNK = 250  # rows that are written at once: some 64 KiB
# A thread that only computes gives the interpreter away every 5 ms, and each sign-up waits for it several times;
# one that sleeps between its chunks, however shortly, gives it away at once. It costs 4 % of an export.
BREATH = 0.00005  # seconds
FORMATS = {"csv": "text/csv", "jsonl": "application/jsonl"}


def export(
    row: List, kind: str, links: Links, now: datetime, progress: Callable[[int], object] = lambda n: None
) -> Iterator[bytes]:
    """The export of a list, a chunk at a time, in UTF-8; `progress` hears how many rows each page had.

    It waits for nothing but the database, and holds neither transaction nor connection while its reader takes a chunk.
    """
    line = lines.csv_line(row, links) if kind == "csv" else lines.json_line(row, links)
    breath = threading.Event()
    if kind == "csv":
        yield lines.csv_head().encode()
    for page in _pages(row, now):
        for start in range(0, len(page), CHUNK):
            breath.wait(BREATH)
            yield "".join([line(subscription) for subscription in page[start : start + CHUNK]]).encode()
        progress(len(page))


def _pages(row: List, now: datetime) -> Iterator[Sequence[subscriptions.Row]]:
    """Pages by key: nobody twice, nobody missed."""
    with reading() as session:
        pages = subscriptions.mailable_pages(session, row.id, PAGE, now)
    after = 0
    while True:
        with reading() as session:
            page = subscriptions.mailable_page(session, pages, after)
        if not page:
            return
        yield page
        after = page[-1][0]
