"""Exports to slow readers: constant memory, a pool of their own, and none that broke off looks whole."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextvars import copy_context
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.wsgi import ClosingIterator

from subscriptions.clock import Clock
from subscriptions.serving import streams
from subscriptions.serving.bridge import WHOLE, Pieces
from subscriptions.serving.streams import AT_ONCE
from subscriptions.store.models import Subscription, Token
from tests.support.lines import called, heard, set_to, status_of
from tests.support.load import sign_up
from tests.support.relay import Relay
from tests.support.server import PYTHON_APP, Server, until
from tests.support.sql import connected, execute, number

PEOPLE = 40_000  # some ten megabytes: more than the system keeps for a connection
EXPORT = b"GET /api/v1/lists/newsletter/export HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer secret\r\n"
CLOSE, ROOM = b"Connection: close\r\n\r\n", 4096
END = b"\r\n0\r\n\r\n"  # of a body in chunks (RFC 9112 7.1)
HASTY = "from subscriptions.serving import server; server.STOPS_WITHIN = 2"


def fill(url: str) -> None:
    """A list of many people, and a token for whoever may take them all."""
    now = Clock.real_now()
    person = {"list_id": 1, "state": "confirmed", "locale": "en", "registered_at": now, "confirmed_at": now}
    people = ({"key": sha256(b"%d" % n).digest()[:16], "address": f"somebody-{n}@example.org"} for n in range(PEOPLE))
    with connected(url) as connection:
        connection.execute(sa.insert(Subscription), [person | {"restricted": False} | one for one in people])
        token = {"name": "office", "hash": sha256(b"secret").digest(), "scope": "export", "made_at": now}
        connection.execute(sa.insert(Token), [token])


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/export.db"


@pytest.fixture
def server(url: str, relay: Relay, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    told = {"command": set_to(HASTY), **getattr(request, "param", {})}
    with Server(tmp_path, url, relay=relay, **told) as server:
        fill(url)
        yield server


def begun(server: Server) -> socket.socket:
    """An export whose reader has read its first octets, and goes no further."""
    line = called(server, EXPORT + CLOSE, ROOM)
    assert line.recv(12) == b"HTTP/1.1 200"
    return line


def amid(server: Server) -> tuple[socket.socket, bytes]:
    """One of which more has come than what a web process makes itself; and what has come."""
    line, come = begun(server), b""
    while len(come) < 4 * WHOLE:
        come += line.recv(ROOM)
    return line, come


def people(answer: bytes) -> int:
    """How many rows it has, whatever chunks they came in (RFC 9112 7.1)."""
    at, pieces = answer.index(b"\r\n\r\n") + 4, []
    while (end := answer.find(b"\r\n", at)) > at:
        length = int(answer[at:end], 16)
        pieces.append(answer[end + 2 : end + 2 + length])
        at = end + 2 + length + 2
    return b"".join(pieces).count(b"somebody-")


def memory(server: Server) -> int:
    """Megabytes of all its processes that are not shared."""
    files = (Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in (server.pid, *server.children))
    return sum(int(line.split()[1]) for text in files for line in text.splitlines() if "Private_Dirty" in line) // 1024


def test_slow_readers_hold_up_nobody_take_no_memory_and_free_their_place(server: Server) -> None:
    assert heard(called(server, EXPORT + CLOSE)).endswith(END)
    before = memory(server)
    lines = [begun(server) for _ in range(AT_ONCE)]
    assert status_of(heard(called(server, EXPORT + CLOSE))) == 503
    assert memory(server) - before < 16  # of more than thirty that all of them have
    paths = ("/healthz", "/subscribe/newsletter", "/metrics")
    assert [server.get(path) for path in paths] == [200, 200, 200]
    assert server.ask("POST", *sign_up("anne@example.org")[1:])[0] == 202
    whole = heard(lines.pop())
    assert whole.endswith(END) and people(whole) == PEOPLE
    lines.append(begun(server))
    lines.pop().close()  # goes away in the middle
    until(lambda: status_of(heard(called(server, EXPORT + CLOSE))) == 200)
    for line in lines:
        line.close()


def test_a_reader_that_is_gone_before_its_first_octet_frees_its_place_in_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """granian never opens the pipe for it; which of the two is first is chance, and so it is played here."""
    monkeypatch.setattr(streams, "OPENED_WITHIN", 0.05)
    gone: Any = SimpleNamespace(response_file=lambda *_: None)
    at_once, pieces = streams.Streams(), Pieces([b"x" * 2 * WHOLE], ClosingIterator([]))
    sent = at_once.send(gone, "127.0.0.1:1", (200, []), pieces, copy_context())
    asyncio.run(asyncio.wait_for(sent, 10))
    assert not at_once.is_full


@pytest.mark.parametrize("server", [{"SERVER__WORKERS": "2"}, {"SERVER__MAIL_PROCESS": "false"}], indirect=True)
def test_an_export_that_breaks_off_does_not_look_whole(server: Server, url: str) -> None:
    line = begun(server)
    execute(url, "ALTER TABLE suppressions RENAME TO nowhere")
    broken = heard(line)
    execute(url, "ALTER TABLE nowhere RENAME TO suppressions")
    assert not broken.endswith(END) and 0 < people(broken) < PEOPLE
    whole = heard(called(server, EXPORT + CLOSE))
    assert whole.endswith(END) and people(whole) == PEOPLE


@pytest.mark.parametrize("server", [{"command": PYTHON_APP}], indirect=True)
def test_the_process_for_mails_is_missed_amid_an_export_not_before_one_and_ends_its_own_at_a_stop(
    server: Server, url: str
) -> None:
    (line, come), (*_, doomed) = amid(server), server.children
    os.kill(doomed, signal.SIGKILL)
    broken = come + heard(line)
    assert not broken.endswith(END) and people(broken) < PEOPLE
    until(lambda: len(server.children) == 2 and doomed not in server.children)
    *_, stopped = server.children
    with connected(url) as connection:  # while we may write it does not, or nobody could as long as it stands still
        connection.execute(sa.text("UPDATE jobs SET count = count"))
        os.kill(stopped, signal.SIGSTOP)
    whole = heard(called(server, EXPORT + CLOSE))
    os.kill(stopped, signal.SIGCONT)
    assert whole.endswith(END) and people(whole) == PEOPLE
    line, come = amid(server)
    server.process.send_signal(signal.SIGTERM)
    whole = come + heard(line)
    assert (whole.endswith(END), people(whole), server.wait()) == (True, PEOPLE, 0)


def test_an_export_that_cannot_begin_has_an_answer_of_its_own(server: Server, url: str) -> None:
    execute(url, "ALTER TABLE suppressions RENAME TO nowhere")
    assert status_of(heard(called(server, EXPORT + CLOSE))) == 500


def test_a_stop_cuts_off_a_reader_that_does_not_come_to_an_end(server: Server, url: str) -> None:
    line = begun(server)
    assert server.stop() == 0
    assert not heard(line).endswith(END)
    assert not number(url, "SELECT count(*) FROM jobs WHERE lease_until IS NOT NULL")
