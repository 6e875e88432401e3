"""Connections as an attacker has them: octets by hand, one connection for each; and a server that is set for tests."""

import contextlib
import select
import socket
import sys
from collections.abc import Sequence

from tests.support.ports import LOOPBACK
from tests.support.server import PATIENCE, Server

JSON_HEAD = b"POST /api/v1/subscriptions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
FORM_HEAD = (
    b"POST /subscribe/newsletter HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
)
SLOW = b"Content-Length: 100\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"  # bodies that go on no further


def set_to(*lines: str) -> tuple[str, ...]:
    """`python app.py`, after these lines of Python: what takes minutes in life takes a blink."""
    start = "import app; from subscriptions.serving import serve; serve(app.create_app)"
    return (sys.executable, "-c", "\n".join([*lines, start]).replace("{", "{{").replace("}", "}}"))


def called(server: Server, says: bytes, room: int = 0) -> socket.socket:
    """A connection on which that has been said; `room`: octets that its reader has room for."""
    line = socket.socket()
    if room:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    line.settimeout(PATIENCE)
    line.connect((LOOPBACK, server.port))
    line.sendall(says)
    return line


def heard(line: socket.socket) -> bytes:
    """All that comes until the server closes."""
    said = b""
    with line, contextlib.suppress(ConnectionResetError):
        while piece := line.recv(65_536):
            said += piece
    return said


def said(server: Server, says: bytes) -> bytes:
    return heard(called(server, says))


def status_of(answer: bytes) -> int:
    return int(answer[9:12] or 0)


def answered(lines: Sequence[socket.socket]) -> int:
    """On how many there is something to be read, or the end."""
    poll = select.poll()
    for line in lines:
        poll.register(line, select.POLLIN)
    return len(poll.poll(0))


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
