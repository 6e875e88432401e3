"""What stands on every answer, and which requests are answered at all."""

import logging
import random
import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response, abort, g, request
from werkzeug.exceptions import RequestEntityTooLarge, SecurityError

from subscriptions.clock import Clock
from subscriptions.settings import Settings
from subscriptions.settings.check import is_loopback
from subscriptions.web.http import routes
from subscriptions.web.http.adapter import incoming
from subscriptions.web.http.client_ip import is_straight_from_loopback
from subscriptions.web.http.incoming import Incoming

Headers = Sequence[tuple[str, str]]
log = logging.getLogger(__name__)
REFUSED = "yestwice.refused"  # in the environ: the status with which our own server has given up on a body
ARRIVED = "yestwice.arrived"  # there too: when it was whole, by Clock.ticks
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

POLICY = {
    "default-src": "'none'", "style-src": "'self'", "img-src": "'self'", "form-action": "'self'", "base-uri": "'none'",
    "frame-ancestors": "'none'",
}  # fmt: skip
USUAL = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Content-Security-Policy", "; ".join(f"{name} {sources}" for name, sources in POLICY.items())),
    ("Cache-Control", "no-store"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_FOR_SEARCH_ENGINES = ("pages.index", "pages.form", "static")
_OF_ONE_REQUEST = ("policy", "referrer", "listed", "framed", "about", "_flask_babel")
_ANY_HOST = ("/healthz", "/readyz")


class OnEveryAnswer:
    """Adds headers beneath Flask, whose own objects take 40 us a request for them; this takes 2."""

    def __init__(self, app: WSGIApplication, fixed: Headers) -> None:
        self._app, self._fixed = app, fixed

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        whole = False

        def begin(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            nonlocal whole
            own = {name for name, _ in headers}
            whole = "Content-Length" in own
            missing = [header for header in self._fixed if header[0] not in own]  # unless the answer has its own
            return start_response(status, [*headers, *missing], *error)

        answer = self._app(environ, begin)
        if not whole:  # a stream
            return answer
        body = list(answer)  # granian sends a list at once, anything else piece by piece
        if hasattr(answer, "close"):
            answer.close()
        return body


def allow(**sources: str) -> None:
    """What the answer at hand needs beyond the usual policy: `allow(script_src="'self'")`."""
    wanted: dict[str, str] = g.setdefault("policy", {})
    for name, more in sources.items():
        directive = name.replace("_", "-")
        known = wanted.get(directive, POLICY.get(directive, "")).replace("'none'", "")
        wanted[directive] = " ".join(dict.fromkeys(f"{known} {more}".split())) or "'none'"


def refer(policy: str) -> None:
    """Whom the answer at hand tells where its reader came from, if not nobody."""
    g.referrer = policy


def init_app(app: Flask, settings: Settings) -> None:
    most = routes.USUAL.at_most
    app.config.update(MAX_CONTENT_LENGTH=most, MAX_FORM_MEMORY_SIZE=most, MAX_FORM_PARTS=routes.USUAL.parts)
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 86400
    hosts = hosts_of(settings)
    app.wsgi_app = OnEveryAnswer(app.wsgi_app, usual(settings))  # type: ignore[method-assign]

    @app.before_request
    def begin() -> None:
        g.began = Clock.ticks()
        for left in [name for name in g if name in _OF_ONE_REQUEST]:  # a context may outlive its request, as in tests
            g.pop(left)
        g.request_id = request_id(incoming())
        if not is_ours(incoming(), hosts):
            raise SecurityError("unknown host")
        if "//" in incoming().path:  # of which Werkzeug would make one at the beginning
            abort(404)
        if request.environ.get(REFUSED):
            abort(request.environ[REFUSED])
        if (request.content_length or 0) > _limits().at_most:  # also where the body is not read
            raise RequestEntityTooLarge

    @app.after_request
    def end(response: Response) -> Response:
        add = response.headers.add  # what no view sets: to look for it first would cost more than all of this
        add("X-Request-ID", g.get("request_id") or _new_id())
        if request.endpoint not in _FOR_SEARCH_ENGINES:
            add("X-Robots-Tag", "noindex")
        if "policy" in g:
            sources = (f"{name} {sources}" for name, sources in (POLICY | g.policy).items())
            response.headers["Content-Security-Policy"] = "; ".join(sources)
        if "referrer" in g:
            add("Referrer-Policy", g.referrer)
        level = logging.INFO if response.status_code >= 400 else logging.DEBUG
        if log.isEnabledFor(level):
            _log(level, response)
        return response


def _limits() -> routes.Limits:
    """What the request at hand may bring: larger ones than usual only where it shows credentials."""
    found = routes.route(request.endpoint).limits
    if found is routes.USUAL or not routes.shows_credentials(incoming().headers):
        return routes.USUAL
    request.max_content_length = request.max_form_memory_size = found.at_most
    request.max_form_parts = found.parts
    return found


def _new_id() -> str:
    """A name for a request, no secret; the system's own randomness would cost a switch of threads."""
    return f"{random.getrandbits(64):016x}"


def usual(settings: Settings) -> Headers:
    """What stands on every answer that has not its own of that name."""
    is_secure = settings.server.base_url.startswith("https:")
    return (*USUAL, ("Strict-Transport-Security", "max-age=31536000")) if is_secure else USUAL


def request_id(incoming: Incoming) -> str:
    """The name of a request: the one that it came with, or a new one."""
    asked = incoming.headers.get("x-request-id")
    return asked if asked and _ID.fullmatch(asked) else _new_id()


def hosts_of(settings: Settings) -> frozenset[str]:
    """The names that this service answers to."""
    own = urlsplit(settings.server.base_url).hostname or ""
    return frozenset({own.lower(), *(host.lower().strip("[]") for host in settings.server.trusted_hosts)})


def is_ours(incoming: Incoming, hosts: frozenset[str]) -> bool:
    """By whatever name for health checks, which tell no more than that then."""
    return incoming.path in _ANY_HOST or is_known(incoming, hosts)


def is_known(incoming: Incoming, hosts: frozenset[str]) -> bool:
    """base_url's host, the trusted ones, and loopback names from loopback."""
    if incoming.host.partition(":")[0] in hosts:
        return True
    try:
        name = (urlsplit(f"//{incoming.host}").hostname or "").removesuffix(".")
    except ValueError:
        name = ""
    return name in hosts or (is_loopback(name) and is_straight_from_loopback(incoming))


def _log(level: int, response: Response) -> None:
    """The route, never the path: it holds tokens."""
    rule, method = (request.url_rule.rule, request.method) if request.url_rule else ("unknown", "?")
    milliseconds = round((Clock.ticks() - g.get("began", Clock.ticks())) * 1000, 1)
    fields = {"method": method, "route": rule, "status": response.status_code, "ms": milliseconds}
    log.log(level, "request", extra=fields)
