"""What stands on every answer, and which requests are answered at all."""

import logging
import re
import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from werkzeug.exceptions import SecurityError

from subscriptions.clock import Clock
from subscriptions.settings import Settings
from subscriptions.settings.check import is_loopback
from subscriptions.web.limits import is_straight_from_loopback

log = logging.getLogger(__name__)
BODY_AT_MOST = 64 * 1024
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
FIXED = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_FOR_SEARCH_ENGINES = ("pages.index", "pages.form", "static")
_ANY_HOST = ("/healthz", "/readyz")


def init_app(app: Flask, settings: Settings) -> None:
    app.config.update(MAX_CONTENT_LENGTH=BODY_AT_MOST, MAX_FORM_MEMORY_SIZE=BODY_AT_MOST, MAX_FORM_PARTS=50)
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 86400
    hosts = _hosts(settings)
    secure = settings.server.base_url.startswith("https:")
    extra = (("Strict-Transport-Security", "max-age=31536000"),) if secure else ()

    @app.before_request
    def begin() -> None:
        g.began = Clock.ticks()
        asked = request.headers.get("X-Request-ID", "")
        g.request_id = asked if _ID.fullmatch(asked) else secrets.token_hex(8)
        if request.path not in _ANY_HOST and not _is_ours(request.host, hosts):
            raise SecurityError("unknown host")

    @app.after_request
    def end(response: Response) -> Response:
        headers = response.headers
        for name, value in (*FIXED, *extra):
            headers[name] = value
        headers["X-Request-ID"] = g.get("request_id") or secrets.token_hex(8)
        headers.setdefault("Content-Security-Policy", CSP)
        if request.endpoint not in _FOR_SEARCH_ENGINES:
            headers["X-Robots-Tag"] = "noindex"
        if request.endpoint != "static":
            headers["Cache-Control"] = "no-store"
        _log(response)
        return response


def _hosts(settings: Settings) -> frozenset[str]:
    own = urlsplit(settings.server.base_url).hostname or ""
    return frozenset({own.lower(), *(host.lower().strip("[]") for host in settings.server.trusted_hosts)})


def _is_ours(host: str, hosts: frozenset[str]) -> bool:
    """base_url's host, the trusted ones, and loopback names from loopback (X-10)."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name in hosts or (is_loopback(name) and is_straight_from_loopback(request))


def _log(response: Response) -> None:
    """The route, never the path: it holds tokens (K-12)."""
    rule = request.url_rule.rule if request.url_rule else "unknown"
    fields = {"method": request.method if request.url_rule else "?", "route": rule, "status": response.status_code}
    level = logging.INFO if response.status_code >= 400 else logging.DEBUG
    if log.isEnabledFor(level):
        milliseconds = round((Clock.ticks() - g.get("began", Clock.ticks())) * 1000, 1)
        log.log(level, "request", extra=fields | {"ms": milliseconds})
