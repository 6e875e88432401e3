"""What our own server puts in front of Flask: it bounds what is in hand, awaits bodies, and answers what is quick."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import Any

from flask import Flask
from granian.rsgi import HTTPProtocol, Scope  # type: ignore[attr-defined]

from subscriptions import deadline
from subscriptions.clock import Clock
from subscriptions.logs import where
from subscriptions.parts import current_parts
from subscriptions.serving import bodies, bridge
from subscriptions.serving.quick import QuickDoor
from subscriptions.serving.streams import Streams
from subscriptions.store.engine import Contention, Unavailable
from subscriptions.web.http import routes
from subscriptions.web.http.client_ip import FORWARDING
from subscriptions.web.http.headers import ARRIVED, REFUSED
from subscriptions.web.http.incoming import Incoming

log = logging.getLogger(__name__)
MOST_IN_HAND = 1024  # requests, of whatever kind; each may hold a body of 64 KiB
THREADS = 16
BARE = [("x-content-type-options", "nosniff"), ("cache-control", "no-store")]
PROBLEM = [("content-type", "application/problem+json"), *BARE]
LIVE = [("content-type", "application/json"), *BARE, ("x-robots-tag", "noindex")], b'{"status": "live"}'
BUSY = (
    (503, [*PROBLEM, ("retry-after", "5")]),
    b'{"title": "Service Unavailable", "status": 503, "detail": "That could not be done in time. Try it again soon."}',
)
# of all others, one that cannot be read is as good as none: a visitor's software may well write such a Referer
DECIDES = {"host", "authorization", "origin", "content-type", "transfer-encoding", "content-length",
           "sec-fetch-site", "sec-fetch-dest", *FORWARDING}  # fmt: skip
BROKEN = (500, PROBLEM), b'{"title": "Internal Server Error", "status": 500}'


class Front:
    """The application as granian calls it (RSGI), one for each web process."""

    def __init__(self, app: Flask, ring: Callable[[int], None] | None) -> None:
        self._app = app
        self._pool = ThreadPoolExecutor(THREADS, "request")
        self._probe = ThreadPoolExecutor(1, "probe")  # waits for nobody
        self._refusals = ThreadPoolExecutor(2, "refusal")  # touch no database, and so do not wait for those who do
        self._streams, self._bodies = Streams(ring), bodies.Bodies()
        self._limits = routes.limits_by(app.url_map)
        self._in_hand = 0

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._quick = QuickDoor(current_parts(self._app), loop)

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        if scope.path == "/healthz" and scope.method in ("GET", "HEAD"):
            protocol.response_bytes(200, *LIVE)
        elif self._in_hand < MOST_IN_HAND or self._bodies.make_room():
            self._in_hand += 1
            try:
                await self._answer(scope, protocol)
            finally:
                self._in_hand -= 1
        else:
            _say_busy(protocol)

    async def _answer(self, scope: Scope, protocol: HTTPProtocol) -> None:
        headers = headers_of(scope)
        body, refused = b"", 0
        try:
            _refuse_doubt(scope)
            limits = self._limits(scope.method, scope.path, headers)
            body = await self._bodies.read(protocol, headers, limits.at_most, limits.seconds)
        except bodies.Refused as error:
            refused = error.status
        if refused == bodies.GAVE_WAY:
            return _say_busy(protocol)
        over_at = Clock.ticks() + deadline.PATIENCE
        peer = scope.client.rpartition(":")[0]
        incoming = Incoming(scope.method, scope.scheme, scope.path, scope.query_string, peer, headers, body)
        answer = incoming if refused else await self._quick.take(incoming, over_at - deadline.TO_ANSWER)
        if isinstance(answer, Incoming):
            await self._by_flask(answer, scope, protocol, refused, over_at)
        else:
            protocol.response_bytes(*answer)

    async def _by_flask(
        self, incoming: Incoming, scope: Scope, protocol: HTTPProtocol, refused: int, over_at: float
    ) -> None:
        environ = bridge.environ_of(incoming, scope.server)
        environ[ARRIVED] = over_at - deadline.PATIENCE
        if refused:
            environ[REFUSED] = refused
        context = copy_context()  # a stream goes on where it was begun, on another thread
        head, body = await self._in_time(self._pool_for(incoming, refused), context, environ, over_at)
        if isinstance(body, bridge.Pieces) and self._streams.is_full:
            context.run(body.rest.close)
            head, body = BUSY
        if isinstance(body, bytes):
            protocol.response_bytes(*head, body)
        else:
            await self._streams.send(protocol, scope.client, head, body, context)

    def _pool_for(self, incoming: Incoming, refused: int) -> Executor:
        if refused or incoming.outcome:
            return self._refusals
        return self._probe if incoming.path == "/readyz" else self._pool

    async def _in_time(
        self, pool: Executor, context: Context, environ: dict[str, Any], over_at: float
    ) -> bridge.Answer:
        """What Flask answers; 503 where it is too late for that."""
        try:
            async with asyncio.timeout(max(deadline.TO_ANSWER, over_at - Clock.ticks())):
                return await self._loop.run_in_executor(pool, context.run, self._run, environ, over_at)
        except (TimeoutError, Unavailable, Contention):
            return BUSY
        except Exception as error:  # of what answers piece by piece: all else Flask has answered itself
            log.error("unexpected error", extra={"error": type(error).__name__, "at": where(error)})
            return BROKEN

    def _run(self, environ: dict[str, Any], over_at: float) -> bridge.Answer:
        with deadline.within(over_at - deadline.TO_ANSWER):
            return bridge.run(self._app, environ)


def headers_of(scope: Scope) -> dict[str, str]:
    """By name. One with `_` is dropped: WSGI could not tell it from the one with `-` that a proxy of ours writes."""
    found: dict[str, str] = {}
    for name, value in scope.headers.items():
        if "_" not in name:
            comma = "; " if name == "cookie" else ", "
            found[name] = found[name] + comma + value if name in found else value
    if scope.authority or "host" not in found:  # an absolute target names the host, and HTTP/1.0 none at all
        found["host"] = scope.authority or scope.server
    return found


def _refuse_doubt(scope: Scope) -> None:
    """Raise Refused where a header that decides something cannot be known.

    Of one with octets that are no ASCII, granian shows the name and leaves the value out: an X-Forwarded-For that
    came so, and that a proxy has added to, would be gone, and its client taken for somebody on this machine.
    `get` looks at the first of several lines; the last is what the nearest proxy wrote.
    """
    if scope.http_version == "1.1" and "host" not in scope.headers:  # RFC 9112 3.2
        raise bodies.Refused(400)
    if any(scope.headers.get(name) is None for name in DECIDES.intersection(scope.headers.keys())):
        raise bodies.Refused(400)


def _say_busy(protocol: HTTPProtocol) -> None:
    head, body = BUSY
    protocol.response_bytes(*head, body)
