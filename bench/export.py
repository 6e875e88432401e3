"""An export over HTTP of many confirmed subscriptions, and what it costs those who sign up meanwhile."""

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench import rows
from bench.load import Load, Measured
from bench.machine import Watch, postmaster
from bench.place import Place, connect
from bench.rounds import Figures, say
from bench.server import Server, served
from bench.signup import of_machine, visitors
from bench.sink import Sink
from bench.visitors import SLUG
from subscriptions.clock import Clock

PIECE = 256 * 1024
CONNECTIONS = 16  # of those who sign up beside it


@dataclass(frozen=True, slots=True)
class Download:
    """The export of a list, by a client that counts lines and keeps none."""

    port: int
    token: str
    kind: str

    def rows(self, over: threading.Event | None = None) -> int:
        """How many; fewer when `over` ends it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        path = f"/api/v1/lists/{SLUG}/export?format={self.kind}"
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        answer = connection.getresponse()
        lines = 0
        while not (over and over.is_set()) and (piece := answer.read1(PIECE)):
            lines += piece.count(b"\n")
        connection.close()
        return lines - (self.kind == "csv")


def measure(place: Place, number: int, kind: str, beside: int | None, seconds: int) -> Figures:
    """One run of that version: exported alone, then visitors alone, then both."""
    say(f"{place.version.name}: {number} subscriptions …")
    rows.make_schema(place)
    rows.add_subscriptions(place, number)
    token = rows.add_token(place, "export")
    with Sink() as sink, served(place, sink.port) as server:
        download = Download(server.port, token, kind)
        figures = _alone(place, server, download, number)
        return figures | (_beside(place, server, download, beside, seconds) if beside else {})


def _alone(place: Place, server: Server, download: Download, number: int) -> Figures:
    engine = connect(place.url)
    with Watch(server.pid, database=postmaster(engine)) as watch:
        began, spent = Clock.ticks(), time.thread_time()
        found = download.rows()
        took, spent = Clock.ticks() - began, time.thread_time() - spent
    engine.dispose()
    if found != number:
        say(f"{place.version.name} exported {found} rows, not {number}.")
    each = {name: _of_thousand(watch.used(name), found) for name in ("server", "database")}
    both = [value for value in each.values() if value is not None]
    return {
        "exported": found, "rows": found / took, **each, "processor": sum(both) if both else None,
        "load": _of_thousand(spent, found), **of_machine(watch),
    }  # fmt: skip


def _of_thousand(seconds: float | None, found: int) -> float | None:
    """Milliseconds for a thousand rows."""
    return None if seconds is None or not found else 1e6 * seconds / found


def _beside(place: Place, server: Server, download: Download, rate: int, seconds: int) -> Figures:
    say(f"{place.version.name}: {rate} sign-ups a second for {seconds} s, without the export and beside it …")
    alone = _sign_up(server, rate, seconds, 0)
    with _exported_again_and_again(download):
        both = _sign_up(server, rate, seconds, rate * seconds)
    shares = {"p50": 0.5, "p99": 0.99}
    before = {name: 1e3 * alone.percentile(share) for name, share in shares.items()}
    beside = {name: 1e3 * both.percentile(share) for name, share in shares.items()}
    return {
        **beside, **{f"alone_{name}": value for name, value in before.items()},
        **{f"times_{name}": beside[name] / before[name] for name in shares if before[name]},
        "taken": alone.taken + both.taken, "refused": 2 * rate * seconds - alone.taken - both.taken,
    }  # fmt: skip


def _sign_up(server: Server, rate: int, seconds: int, first: int) -> Measured:
    return Load(server.port, visitors(server, rate * seconds, 0, first), CONNECTIONS, rate).go().result()


@contextmanager
def _exported_again_and_again(download: Download) -> Iterator[None]:
    over = threading.Event()

    def go_on() -> None:
        while not over.is_set():
            download.rows(over)

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join()
