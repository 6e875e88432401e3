"""What our own server puts in front of Flask: it bounds what is in hand, awaits bodies, and answers what is quick."""

import asyncio
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from flask import Flask

from subscriptions import deadline
from subscriptions.clock import Clock
from subscriptions.parts import parts
from subscriptions.serving import bodies, bridge
from subscriptions.serving.quick import QuickDoor
from subscriptions.web.http import routes
from subscriptions.web.http.headers import REFUSED
from subscriptions.web.http.incoming import Incoming

if TYPE_CHECKING:
    from granian.rsgi import HTTPProtocol, Scope  # type: ignore[attr-defined]

MOST_IN_HAND = 1024  # requests, of whatever kind; each may hold a body of 64 KiB
THREADS, EXPORTS = 16, 4
PIECE_SECONDS = 60.0  # for a slow reader to take the next piece of a stream
BARE = [("content-type", "application/json"), ("x-content-type-options", "nosniff"), ("cache-control", "no-store")]
LIVE = b'{"status": "live"}'
BUSY = b'{"title": "Service Unavailable", "status": 503, "detail": "Too many requests at once. Nothing was changed."}'


class Front:
    """The application as granian calls it (RSGI), one for each web process."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._pools = {
            "": ThreadPoolExecutor(THREADS, "request"),
            "/readyz": ThreadPoolExecutor(1, "probe"),  # a probe waits for nobody
        }
        self._streams = ThreadPoolExecutor(EXPORTS, "stream")
        self._limits = routes.limits_by(app.url_map)
        self._in_hand = 0

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._quick = QuickDoor(parts(self._app), loop)

    async def __rsgi__(self, scope: "Scope", protocol: "HTTPProtocol") -> None:
        if scope.path == "/healthz" and scope.method in ("GET", "HEAD"):
            protocol.response_bytes(200, [*BARE, ("x-robots-tag", "noindex")], LIVE)
        elif self._in_hand >= MOST_IN_HAND:
            protocol.response_bytes(503, [*BARE, ("retry-after", "5")], BUSY)
        else:
            self._in_hand += 1
            try:
                await self._answer(scope, protocol)
            finally:
                self._in_hand -= 1

    async def _answer(self, scope: "Scope", protocol: "HTTPProtocol") -> None:
        headers = headers_of(scope)
        body, refused = b"", 0
        try:
            limits = self._limits(scope.method, scope.path, headers)
            body = await bodies.read(protocol, headers, limits.at_most, limits.seconds)
        except bodies.Refused as error:
            refused = error.status
        peer = scope.client.rpartition(":")[0]
        incoming = Incoming(scope.method, scope.scheme, scope.path, scope.query_string, peer, headers, body)
        answer = incoming if refused else await self._quick.take(incoming)
        if isinstance(answer, Incoming):
            await self._by_flask(answer, scope.server, protocol, refused)
        else:
            protocol.response_bytes(*answer)

    async def _by_flask(self, incoming: Incoming, server: str, protocol: "HTTPProtocol", refused: int) -> None:
        environ = bridge.environ_of(incoming, server)
        if refused:
            environ[REFUSED] = refused
        pool = self._pools.get(incoming.path, self._pools[""])
        (status, headers), body = await self._within_patience(pool, environ)
        if isinstance(body, list):
            protocol.response_bytes(status, headers, b"".join(body))
        else:
            stream = protocol.response_stream(status, headers)
            await self._loop.run_in_executor(self._streams, self._send, body, stream)

    async def _within_patience(self, pool: Executor, environ: dict[str, Any]) -> bridge.Answer:
        """What Flask answers; 503 where it is too late for that."""
        over_at = Clock.ticks() + deadline.PATIENCE
        try:
            async with asyncio.timeout(deadline.PATIENCE):
                return await self._loop.run_in_executor(pool, self._run, environ, over_at)
        except TimeoutError:
            return (503, [*BARE, ("retry-after", "5")]), [BUSY]

    def _run(self, environ: dict[str, Any], over_at: float) -> bridge.Answer:
        with deadline.within(over_at):
            return bridge.run(self._app, environ)

    def _send(self, body: Any, stream: Any) -> None:
        """Piece by piece, each once the one before is taken: what the visitor does not read is not made."""
        try:
            for piece in body:
                asyncio.run_coroutine_threadsafe(_sent(stream, piece), self._loop).result(PIECE_SECONDS)
        finally:
            body.close()


async def _sent(stream: Any, piece: bytes) -> None:
    await stream.send_bytes(piece)


def headers_of(scope: "Scope") -> dict[str, str]:
    """By name. One with `_` is dropped: WSGI could not tell it from the one with `-` that a proxy of ours writes."""
    found: dict[str, str] = {}
    for name, value in scope.headers.items():
        if "_" in name:
            continue
        if name in found:
            value = found[name] + ("; " if name == "cookie" else ", ") + value
        found[name] = value
    if scope.authority or "host" not in found:  # an absolute target names the host, and HTTP/1.0 none at all
        found["host"] = scope.authority or scope.server
    return found
