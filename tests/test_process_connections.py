"""Connections that bring no request: they hold nothing up, and are closed."""

import resource
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from subscriptions.serving.front import MOST_IN_HAND
from subscriptions.web.http.incoming import FORM
from tests.support.lines import FORM_HEAD, JSON_HEAD, SLOW, answered, called, heard, said, set_to, status_of
from tests.support.load import sign_up
from tests.support.relay import Relay
from tests.support.server import Server, until
from tests.support.sql import connected

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
POST_JSON = (  # HPACK (RFC 7541): POST and http by the static table, the rest in full
    b"\x83\x86\x04\x15/api/v1/subscriptions\x01\x09127.0.0.1\x0f\x10\x10application/json"
)
HEADERS, DATA, SETTINGS, END_HEADERS = 1, 0, 4, 4  # RFC 9113
FEW_FILES = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 4096))"
IMPATIENT = "from subscriptions.serving import server; server.HEAD_SECONDS = 4"
UNFINISHED = {
    "nothing": b"",
    "half a request line": b"GET /heal",
    "half a head": b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n",
    "a preface of HTTP/2": PREFACE,
    "half a preface": PREFACE[:10],
}
HELD = [UNFINISHED[name] for name in ("nothing", "half a request line", "half a head", "half a preface")]
HEAD = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def bodies_that_never_end(streams: int) -> bytes:
    """One HTTP/2 connection: so many POSTs, of one byte each so far."""
    asked = (
        frame(HEADERS, END_HEADERS, number, POST_JSON) + frame(DATA, 0, number, b"{")
        for number in range(1, 2 * streams, 2)
    )
    return PREFACE + frame(SETTINGS, 0, 0, b"") + b"".join(asked)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_dead_streams_of_http_2_hold_no_thread(workers: str, tmp_path: Path) -> None:
    with Server(tmp_path, "sqlite:///streams.db", SERVER__WORKERS=workers) as server:
        for _ in range(8):  # each worker gets some
            assert not said(server, bodies_that_never_end(32))
        assert {server.get("/healthz") for _ in range(8)} == {200}
        assert server.stop() == 0


@pytest.fixture
def many_files() -> Iterator[None]:
    """For a test that holds more connections than a process usually may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_1100_connections_that_want_nothing_hold_up_nobody_and_are_dropped_whatever_the_soft_limit_of_files(
    relay: Relay, tmp_path: Path
) -> None:
    command = set_to(FEW_FILES, IMPATIENT)
    with Server(tmp_path, "sqlite:///silent.db", command=command, relay=relay) as server:
        # what is no HTTP/1 is closed at once: the others are what a stranger can hold
        lines = [called(server, says) for _ in range(275) for says in HELD]
        assert (len(lines), server.get("/healthz"), server.get("/subscribe/newsletter")) == (1100, 200, 200)
        assert server.ask("POST", *sign_up("anne@example.org")[1:])[0] == 202
        assert Counter(heard(line) for line in lines) == {b"": 1100}
        assert not said(server, PREFACE)


@pytest.mark.usefixtures("many_files")
def test_1100_slow_bodies_hold_up_nobody_the_one_awaited_longest_gives_way(relay: Relay, tmp_path: Path) -> None:
    with Server(tmp_path, "sqlite:///slow.db", relay=relay) as server, ExitStack() as held:
        slow = ((JSON_HEAD, FORM_HEAD)[n % 2] + SLOW[n // 2 % 2] for n in range(1100))
        lines = [held.enter_context(called(server, says)) for says in slow]
        until(lambda: answered(lines) == 1100 - MOST_IN_HAND)
        assert answered(lines[:64]) == 64
        assert server.get("/subscribe/newsletter") == server.get("/readyz") == 200
        assert server.ask("POST", *sign_up("anne@example.org")[1:])[0] == 202
        assert server.ask("POST", "/subscribe/newsletter", "email=bart@example.org", FORM)[0] == 303
        gave_way = heard(lines[0])
        assert (status_of(gave_way), b"retry-after: 5" in gave_way) == (503, True)


def test_a_request_beyond_those_at_work_is_503_at_once_and_a_probe_is_answered_all_the_same(
    relay: Relay, tmp_path: Path
) -> None:
    few, url = "from subscriptions.serving import front; front.MOST_IN_HAND = 8", f"sqlite:///{tmp_path}/hand.db"
    asked = "POST", *sign_up("anne@example.org")[1:]
    with Server(tmp_path, url, command=set_to(few), relay=relay) as server, ThreadPoolExecutor(12) as pool:
        with connected(url) as connection:
            connection.exec_driver_sql("DELETE FROM meta WHERE name = 'nothing'")  # who writes has to wait for it
            sign_ups = [pool.submit(server.ask, *asked) for _ in range(12)]
            until(lambda: sum(one.done() for one in sign_ups) == 4)
            assert (server.get("/subscribe/newsletter"), server.get("/healthz")) == (503, 200)
        answers = [one.result() for one in sign_ups]
        assert Counter(status for status, _, _ in answers) == {202: 8, 503: 4}
        assert {headers["retry-after"] for status, headers, _ in answers if status == 503} == {"5"}
        assert server.ask(*asked)[0] == 202


def test_a_head_is_at_most_16_kilobytes_and_a_path_has_no_two_slashes(tmp_path: Path) -> None:
    with Server(tmp_path, "sqlite:///heads.db") as server:
        long = {length: said(server, HEAD % b"/healthz" + b"X-Long: " + b"x" * length + b"\r\n\r\n")
                for length in (15_000, 17_000)}  # fmt: skip
        assert {length: status_of(answer) for length, answer in long.items()} == {15_000: 200, 17_000: 431}
        paths = (
            b"//",
            b"//subscribe/newsletter",
            b"/subscribe//newsletter",
            b"/%2fsubscribe/newsletter",
            b"///healthz",
        )
        assert {path: status_of(said(server, HEAD % path + b"\r\n")) for path in paths} == dict.fromkeys(paths, 404)
