"""One request through both doors of the intake, on the same database, and what each answered and stored."""

import asyncio
import re
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Self

import sqlalchemy as sa
from flask import Flask

from subscriptions.busy import BusyNetworks
from subscriptions.clock import Clock
from subscriptions.lookup import Lookup
from subscriptions.parts import current_parts
from subscriptions.serving import bridge
from subscriptions.serving.quick import QuickDoor
from subscriptions.store.models import db
from subscriptions.web.http.incoming import FORM, Incoming

JSON_PATH, FORM_PATH = "/api/v1/subscriptions", "/subscribe/newsletter"
HOST, PEER = "127.0.0.1:8000", "127.0.0.1"
Rows = dict[str, list[dict[str, Any]]]
NAMES = {"id", "ref", "mid", "registration_id", "subscription_id"}  # drawn anew, or counted on
DRAWN = (  # what is drawn anew for each answer, or signed with what is
    (rb'(?<="registration": ")[\w-]+', b"HANDLE"),
    (rb"(?<=[?]r=)[\w-]+", b"HANDLE"),
    (rb"(?<=[?&]a=)[\w-]+|(?<=&amp;a=)[\w-]+", b"ADDRESS"),
    (rb"(?<=urn:request:)[\w.-]+", b"REQUEST"),
    (rb"<code>[\w.-]+</code>", b"REQUEST"),
    (rb'(?<=name="step" value=")[^"]+', b"STEP"),
    (rb'(?<="challenge": ){.*}', b"CHALLENGE"),
)


@dataclass(frozen=True)
class Case:
    """A request as a visitor sends it."""

    body: bytes = b""
    path: str = JSON_PATH
    kind: str = "application/json"
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()
    query: str = ""
    host: str = HOST
    peer: str = PEER

    @property
    def all_headers(self) -> dict[str, str]:
        kind = {"content-type": self.kind} if self.kind else {}
        return {"host": self.host, "content-length": str(len(self.body)), **kind, **dict(self.headers)}


def form(body: bytes, slug: str = "newsletter", *headers: tuple[str, str]) -> Case:
    return Case(body, f"/subscribe/{slug}", FORM, headers=headers)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True)
class Outcome:
    """What came of a request: the answer, and the rows after it."""

    answer: Answer
    rows: Rows


class Doors:
    """Both doors of one application, which begins each request from the same rows."""

    def __init__(self, app: Flask) -> None:
        self._app, self._client = app, app.test_client()
        self._loop = asyncio.new_event_loop()  # on a thread of its own: a browser of the tests has this one's
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._quick = QuickDoor(current_parts(app), self._loop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def both(self, case: Case) -> tuple[Outcome, Outcome, bool]:
        """By Flask alone; with the quick door in front; and whether that one answered by itself."""
        alone = self._from_here(lambda: self.by_flask(case))
        answers: list[bool] = []

        def in_front() -> Answer:
            answer, by_itself = self.in_front(case)
            answers.append(by_itself)
            return answer

        return alone, self._from_here(in_front), answers[0]

    def by_flask(self, case: Case) -> Answer:
        """By a WSGI server that is not ours."""
        with closing(
            self._client.open(
                case.path,
                method=case.method,
                data=case.body,
                headers=list(case.all_headers.items()),
                query_string=case.query,
                base_url=f"http://{HOST}",
                environ_base={"REMOTE_ADDR": case.peer},
            )
        ) as answer:
            return _plain(answer.status_code, list(answer.headers), answer.get_data())

    def quick(self, case: Case) -> tuple[int, list[tuple[str, str]], bytes] | Incoming:
        """What the quick door makes of it."""
        incoming = Incoming(case.method, "http", case.path, case.query, case.peer, case.all_headers, case.body)
        taking = self._quick.take(incoming, Clock.ticks() + 60)
        return asyncio.run_coroutine_threadsafe(taking, self._loop).result(60)

    def in_front(self, case: Case) -> tuple[Answer, bool]:
        answer = self.quick(case)
        if not isinstance(answer, Incoming):
            status, headers, body = answer
            return _plain(status, [*headers, ("content-length", str(len(body)))], body), True
        (status, headers), body = bridge.run(self._app, bridge.environ_of(answer, HOST))  # type: ignore[assignment]
        assert isinstance(body, bytes)
        return _plain(status, headers, body), False

    def _from_here(self, act: Callable[[], Answer]) -> Outcome:
        with self._app.app_context():
            parts = current_parts()
            parts.busy, before = BusyNetworks(), read_rows()
            parts.tally.begin_anew()
            parts.lookup = Lookup(parts.settings.abuse.nameservers, parts.clock)
            outcome = Outcome(act(), read_rows())
            _put_back(before)
        return replace(outcome, rows=_without_names(outcome.rows))


def _plain(status: int, headers: list[tuple[str, str]], body: bytes) -> Answer:
    told = [(name.lower(), _drawn(value.encode()).decode()) for name, value in headers]
    ours = [(name, "DRAWN" if name == "x-request-id" and re.fullmatch(r"[0-9a-f]{16}", value) else value)
            for name, value in told]  # fmt: skip
    return Answer(status, sorted(ours), _drawn(body))


def _drawn(text: bytes) -> bytes:
    for pattern, name in DRAWN:
        text = re.sub(pattern, name, text)
    return text


def read_rows() -> Rows:
    tables = db.metadata.sorted_tables
    with db.engine.connect() as connection:
        found = {one.name: connection.execute(sa.select(one).order_by(*one.primary_key)).mappings() for one in tables}
        return {name: [dict(row) for row in rows] for name, rows in found.items()}


def _put_back(rows: Rows) -> None:
    if rows == read_rows():
        return
    with db.engine.begin() as connection:
        first = ("registrations", "subscriptions")  # evidence goes with them, and in no other way
        rest = [table.name for table in reversed(db.metadata.sorted_tables)]
        for name in (*first, *(name for name in rest if name not in {*first, "evidence", "audit"})):
            connection.execute(sa.delete(db.metadata.tables[name]))
        for table in db.metadata.sorted_tables:
            if rows[table.name] and table.name != "audit":
                connection.execute(sa.insert(table), rows[table.name])


def _without_names(rows: Rows) -> Rows:
    return {table: [{name: value for name, value in row.items() if name not in NAMES} for row in found]
            for table, found in rows.items()}  # fmt: skip
