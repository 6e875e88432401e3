"""A line to PostgreSQL on which the turns are counted, answers are lost, and all may stand still."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

import sqlalchemy as sa

from tests.support.ports import LOOPBACK, given_back, kept_port

READY, SYNC, FLUSH = b"Z", b"S", b"H"  # PostgreSQL's frontend/backend protocol, version 3: types of messages


class Line:
    """`turns`: how often whoever is at this end has waited for an answer: for the end of one, or for what is there."""

    def __init__(self, url: str) -> None:
        self._to = sa.make_url(url)
        self._port = kept_port()
        self._listener = socket.create_server((LOOPBACK, self._port))
        self._open: list[socket.socket] = [self._listener]
        self._lose_after: int | None = None
        self._flows = threading.Event()
        self._flows.set()
        self.turns = 0

    @property
    def url(self) -> str:
        here = self._to.set(host=LOOPBACK, port=self._port)
        plain = here.update_query_dict({"sslmode": "disable", "gssencmode": "disable"})  # what is asked first else
        return plain.render_as_string(hide_password=False)

    def lose_answer(self, number: int) -> None:
        """Break the connection instead of handing on that answer, counted from now."""
        self._lose_after = number

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It takes what is said and hands nothing on, on new connections too; then all that it has taken."""
        self._flows.clear()
        try:
            yield
        finally:
            self._flows.set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._flows.set()
        for one in self._open:
            _break(one)
        given_back(self._port)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                there = socket.create_connection((self._to.host, self._to.port))
                for end in (here, there):  # a message waits for nothing: else each turn costs 40 ms
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open += [here, there]
                for pair, run in (((here, there), self._ask), ((there, here), self._answer)):
                    threading.Thread(target=run, args=pair, daemon=True).start()

    def _ask(self, here: socket.socket, there: socket.socket) -> None:
        with suppress(OSError, EOFError):
            start = _taken(here, int.from_bytes(head := _taken(here, 4)) - 4, head)  # it has no type
            self._flows.wait()
            there.sendall(start)
            before = b""
            for kind, message in _messages(here):
                self.turns += kind == FLUSH and before != SYNC  # behind a Sync it asks for nothing more
                before = kind
                self._flows.wait()
                there.sendall(message)
        _break(here, there)

    def _answer(self, there: socket.socket, here: socket.socket) -> None:
        with suppress(OSError, EOFError):
            for kind, message in _messages(there):
                if kind == READY and self._is_lost():
                    break
                self.turns += kind == READY
                self._flows.wait()
                here.sendall(message)
        _break(here, there)

    def _is_lost(self) -> bool:
        if self._lose_after is None:
            return False
        self._lose_after -= 1
        if self._lose_after:
            return False
        self._lose_after = None
        return True


def _messages(of: socket.socket) -> Iterator[tuple[bytes, bytes]]:
    while True:
        head = _taken(of, 5)
        yield head[:1], _taken(of, int.from_bytes(head[1:]) - 4, head)


def _taken(of: socket.socket, size: int, found: bytes = b"") -> bytes:
    """What is found already, and so many octets more."""
    size += len(found)
    while len(found) < size:
        more = of.recv(size - len(found))
        if not more:
            raise EOFError
        found += more
    return found


def _break(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
