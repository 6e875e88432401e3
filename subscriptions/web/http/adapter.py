"""The request that Flask has at hand, as the plain value that the rules read."""

from datetime import datetime

from flask import Request, request

from subscriptions.parts import current_parts
from subscriptions.web.http.incoming import Incoming

KEPT = "yestwice.incoming"  # in the environ: made once, or brought by our own server


def now() -> datetime:
    """By the clock of the application at hand."""
    return current_parts().clock.now()


def incoming() -> Incoming:
    """The request at hand."""
    found: Incoming | None = request.environ.get(KEPT)
    if found is None:
        found = request.environ[KEPT] = read(request)
    return found


def read(request: Request) -> Incoming:
    """Without its body, which Flask reads where a view wants it."""
    environ = request.environ
    server = {"host": f"{environ.get('SERVER_NAME', '')}:{environ.get('SERVER_PORT', '')}"}  # of HTTP/1.0
    return Incoming(
        request.method,
        request.scheme,
        environ.get("PATH_INFO", ""),
        environ.get("QUERY_STRING", ""),
        environ.get("REMOTE_ADDR", ""),
        server | {name.lower(): value for name, value in request.headers.items()},
    )
