"""Which sites' scripts may use the API: those that a list names as its origins, and nobody else."""

import re
from collections.abc import Sequence
from typing import cast
from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, request

from subscriptions.domain.sites import origin_of
from subscriptions.parts import current_parts
from subscriptions.store.models import List
from subscriptions.web.http.problems import answer

_SHARED = re.compile(r"/api/v1/(subscriptions(/again)?|confirmations|lists/[^/]+/form)/?")
_MINUTES_10 = "600"


def init_app(app: Flask) -> None:
    usual = app.make_default_options_response

    def options() -> Response:
        """The browser's question before the request comes by OPTIONS, which Flask answers for every route."""
        asks = "Access-Control-Request-Method" in request.headers
        return _preflight() if asks and _SHARED.fullmatch(request.path) else usual()

    app.make_default_options_response = options  # type: ignore[method-assign]

    @app.after_request
    def open_to_listed(response: Response) -> Response:
        if _SHARED.fullmatch(request.path):
            response.headers.add("Vary", "Origin")
            origin = _origin()
            if origin and origin in g.get("listed", ()):
                response.headers["Access-Control-Allow-Origin"] = origin
        return response


def _origin() -> str | None:
    return cast(str | None, request.environ.get("HTTP_ORIGIN"))  # four times on the hot path: the headers cost more


def _preflight() -> Response:
    """The browser's question before the request: the list stands in the body, so any list's origin will do."""
    refuse_strangers()
    response = Response(status=204)
    response.headers["Access-Control-Allow-Methods"] = "GET" if request.path.rstrip("/").endswith("/form") else "POST"
    response.headers["Access-Control-Allow-Headers"] = "Content-Type"
    response.headers["Access-Control-Max-Age"] = _MINUTES_10
    return response


def _of_any_list() -> set[str]:
    return {origin for row in current_parts().catalogue.configured for origin in row.origins}


def _named(origin: str) -> str:
    return origin if origin_of(origin) == origin else "of this request"


def may_read_problems() -> None:
    """Until it is known which list is meant, a script of any listed site may read what is wrong with its request."""
    if _origin() is not None:
        g.listed = _of_any_list()


def refuse_strangers(rows: Sequence[List] = ()) -> None:
    """403 to a browser whose page's origin is not among those of each of these lists, and to nobody else.

    None: it must not be told which list is meant, so any list's origins will do.
    """
    origin = _foreign()
    if origin is None:
        return
    g.listed = set.intersection(*(set(row.origins) for row in rows)) if rows else _of_any_list()
    if origin not in g.listed:
        closed = next((row.slug for row in rows if origin not in row.origins), "")
        which = f'the list "{closed}"' if closed else "any list here"
        abort(answer(403, f"The origin {_named(origin)} is not among the origins of {which}."))


def _foreign() -> str | None:
    """The origin of another site; ours are the pages under base_url, and under other names that we answer to."""
    origin = _origin()
    if origin is None or origin == current_parts().origin:
        return None
    return None if origin_of(origin) == origin and urlsplit(origin).netloc == request.host else origin
