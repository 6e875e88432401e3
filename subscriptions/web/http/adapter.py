"""The request that Flask has at hand, as the plain value that the rules read."""

from datetime import datetime

from flask import request

from subscriptions.parts import current_parts
from subscriptions.web.http.incoming import Incoming

KEPT = "yestwice.incoming"  # in the environ: made once, or brought by our own server
FROM_HERE = "yestwice.from_here"  # there too: how an export goes on, for whichever process makes the rest of it


def now() -> datetime:
    """By the clock of the application at hand."""
    return current_parts().clock.now()


def incoming() -> Incoming:
    """The request at hand, without its body, which Flask reads where a view wants it."""
    environ = request.environ
    found: Incoming | None = environ.get(KEPT)
    if found is None:
        path, query, peer = (environ.get(name, "") for name in ("PATH_INFO", "QUERY_STRING", "REMOTE_ADDR"))
        server = {"host": f"{environ.get('SERVER_NAME', '')}:{environ.get('SERVER_PORT', '')}"}  # of HTTP/1.0
        headers = server | {name.lower(): value for name, value in request.headers.items()}
        found = environ[KEPT] = Incoming(request.method, request.scheme, path, query, peer, headers)
    return found
