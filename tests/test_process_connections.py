"""Connections that bring no request: they hold nothing up, and are closed."""

import contextlib
import socket
import sys
from pathlib import Path

import pytest

from tests.support.ports import LOOPBACK
from tests.support.server import PATIENCE, Server

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
POST_JSON = (  # HPACK (RFC 7541): POST and http by the static table, the rest in full
    b"\x83\x86\x04\x15/api/v1/subscriptions\x01\x09127.0.0.1\x0f\x10\x10application/json"
)
HEADERS, DATA, SETTINGS, END_HEADERS = 1, 0, 4, 4  # RFC 9113
IMPATIENT = "from subscriptions import serve; serve.HEAD_WITHIN = 300; import app; serve.serve(app.create_app)"
UNFINISHED = {
    "nothing": b"",
    "half a request line": b"GET /heal",
    "half a head": b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n",
    "a preface of HTTP/2": PREFACE,
    "half a preface": PREFACE[:10],
}


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def bodies_that_never_end(streams: int) -> bytes:
    """One HTTP/2 connection: so many POSTs, of one byte each so far."""
    asked = (
        frame(HEADERS, END_HEADERS, number, POST_JSON) + frame(DATA, 0, number, b"{")
        for number in range(1, 2 * streams, 2)
    )
    return PREFACE + frame(SETTINGS, 0, 0, b"") + b"".join(asked)


def called(server: Server, says: bytes) -> socket.socket:
    line = socket.create_connection((LOOPBACK, server.port), PATIENCE)
    line.sendall(says)
    return line


def heard(line: socket.socket) -> bytes:
    """All that comes until the server closes."""
    said = b""
    with line, contextlib.suppress(ConnectionResetError):
        while piece := line.recv(65_536):
            said += piece
    return said


@pytest.mark.parametrize("workers", ["1", "2"])
def test_dead_streams_of_http_2_hold_no_thread(workers: str, tmp_path: Path) -> None:
    with Server(tmp_path, "sqlite:///streams.db", SERVER__WORKERS=workers) as server:
        for _ in range(8):  # each worker gets some
            assert not heard(called(server, bodies_that_never_end(32)))
        assert {server.get("/healthz") for _ in range(8)} == {200}
        assert server.stop() == 0


def test_bodies_whose_line_is_dead_hold_no_thread(tmp_path: Path) -> None:
    begun = b"POST /api/v1/subscriptions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    with Server(tmp_path, "sqlite:///bodies.db") as server:
        for length in (b"Content-Length: 100\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"):
            lines = [called(server, begun + length) for _ in range(40)]
            for line in lines:
                line.close()
            assert server.get("/healthz") == 200


def test_who_does_not_say_what_is_wanted_is_not_waited_for(tmp_path: Path) -> None:
    with Server(tmp_path, "sqlite:///silent.db", command=(sys.executable, "-c", IMPATIENT)) as server:
        lines = {name: called(server, says) for name, says in UNFINISHED.items()}
        assert server.get("/healthz") == 200
        assert {name: heard(line) for name, line in lines.items()} == dict.fromkeys(UNFINISHED, b"")
