"""From a whole request to Flask and back, on a thread: no thread ever waits for a visitor's bytes."""

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from flask import Flask

from subscriptions.web.http.adapter import KEPT
from subscriptions.web.http.incoming import Incoming

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Head = tuple[int, list[tuple[str, str]]]
Answer = tuple[Head, Iterable[bytes]]  # a whole body is a list


def environ_of(incoming: Incoming, server: str) -> "WSGIEnvironment":
    """PEP 3333. A header whose name holds `_` is none of ours by now: WSGI could not tell it from the one with `-`."""
    name, _, port = server.rpartition(":")
    environ: dict[str, Any] = {
        KEPT: incoming,
        "REQUEST_METHOD": incoming.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": incoming.path.encode().decode("latin-1"),
        "QUERY_STRING": incoming.query.encode().decode("latin-1"),
        "SERVER_NAME": name,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": incoming.peer,
        "CONTENT_LENGTH": str(len(incoming.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": incoming.scheme,
        "wsgi.input": io.BytesIO(incoming.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for header, value in incoming.headers.items():
        if header == "content-type":
            environ["CONTENT_TYPE"] = value
        elif header != "content-length":
            environ["HTTP_" + header.upper().replace("-", "_")] = value
    return environ


def run(app: Flask, environ: "WSGIEnvironment") -> Answer:
    """Run the application."""
    heads: list[Head] = []

    def begin(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
        heads[:] = [(int(status[:3]), [(name.lower(), value) for name, value in headers])]
        return lambda _: None

    body = app.wsgi_app(environ, begin)
    if not isinstance(body, list):
        body = _Begun(body)  # runs up to its first piece: only then is the head known
    return heads[0], body


class _Begun(Iterator[bytes]):
    def __init__(self, body: Iterable[bytes]) -> None:
        self._body, self._pieces = body, iter(body)
        self._first: list[bytes] = []
        for piece in self._pieces:
            self._first.append(piece)
            break

    def __next__(self) -> bytes:
        return self._first.pop() if self._first else next(self._pieces)

    def close(self) -> None:
        if hasattr(self._body, "close"):
            self._body.close()
