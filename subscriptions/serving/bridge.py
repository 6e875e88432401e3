"""From a whole request to Flask and back, on a thread: no thread ever waits for a visitor's bytes."""

import io
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import Flask
from werkzeug.wsgi import ClosingIterator

from subscriptions.web.http.adapter import FROM_HERE, KEPT
from subscriptions.web.http.incoming import Incoming

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Head = tuple[int, list[tuple[str, str]]]
WHOLE = 64 * 1024  # what is no longer is answered whole, whoever made it piece by piece
_OF_THE_WAY = ("content-length", "transfer-encoding", "trailer", "te")  # said of a body as it came: here it is whole


def environ_of(incoming: Incoming, server: str) -> "WSGIEnvironment":
    """PEP 3333. A header whose name holds `_` is none of ours by now: WSGI could not tell it from the one with `-`."""
    name, _, port = server.rpartition(":")
    environ: dict[str, Any] = {
        KEPT: incoming, "REQUEST_METHOD": incoming.method, "SCRIPT_NAME": "",
        "PATH_INFO": incoming.path.encode().decode("latin-1"),
        "QUERY_STRING": incoming.query.encode().decode("latin-1"),
        "SERVER_NAME": name, "SERVER_PORT": port, "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": incoming.peer,
        "CONTENT_LENGTH": str(len(incoming.body)), "wsgi.input": io.BytesIO(incoming.body), "wsgi.errors": sys.stderr,
        "wsgi.version": (1, 0), "wsgi.url_scheme": incoming.scheme,
        "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False,
    }  # fmt: skip
    for header, value in incoming.headers.items():
        if header == "content-type":
            environ["CONTENT_TYPE"] = value
        elif header not in _OF_THE_WAY:
            environ["HTTP_" + header.upper().replace("-", "_")] = value
    return environ


class Pieces(NamedTuple):
    """A body of more than a few: the first, and the rest, to be closed by who takes it, and how another can go on."""

    first: list[bytes]
    rest: ClosingIterator
    here: list[Any] | None = None


Answer = tuple[Head, bytes | Pieces]


def run(app: Flask, environ: "WSGIEnvironment") -> Answer:
    heads: list[Head] = []

    def begin(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
        heads[:] = [(int(status[:3]), [(name.lower(), value) for name, value in headers])]
        return lambda _: None

    body = app.wsgi_app(environ, begin)
    found = b"".join(body) if isinstance(body, list) else _begun(ClosingIterator(body), environ.get(FROM_HERE))
    return heads[0], found


def _begun(body: ClosingIterator, here: list[Any] | None) -> bytes | Pieces:
    """Run up to its first pieces: what goes wrong until then has an answer of its own."""
    first: list[bytes] = []
    try:
        for piece in body:
            first.append(piece)
            if sum(map(len, first)) > WHOLE:
                return Pieces(first, body, here)
    except BaseException:
        body.close()
        raise
    body.close()
    return b"".join(first)
