"""What our own server puts in front of Flask: it bounds what is in hand, awaits bodies, and answers what is quick."""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from flask import Flask

from subscriptions import deadline
from subscriptions.clock import Clock
from subscriptions.serving import bodies, bridge
from subscriptions.serving.incoming import Incoming

if TYPE_CHECKING:
    from granian.rsgi import HTTPProtocol, Scope

MOST_IN_HAND = 1024  # requests, of whatever kind; each may hold a body of 64 KiB
THREADS, EXPORTS = 16, 4
BODY_AT_MOST, BODY_SECONDS = 64 * 1024, 10.0
PIECE_SECONDS = 60.0  # for a slow reader to take the next piece of a stream
LIVE = b'{"status": "live"}'
_BUSY = (
    b'{"type": "about:blank", "title": "Service Unavailable", "status": 503, "detail": "Too many requests at once."}'
)
_BARE = [("x-content-type-options", "nosniff"), ("cache-control", "no-store"), ("x-robots-tag", "noindex")]


class Front:
    """The application as granian calls it (RSGI), one for each web process."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._threads = ThreadPoolExecutor(THREADS, "request")
        self._exports = ThreadPoolExecutor(EXPORTS, "export")
        self._probes = ThreadPoolExecutor(1, "probe")
        self._in_hand = 0

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        from subscriptions.parts import parts
        from subscriptions.serving.quick import Quick

        self._quick = Quick(parts(self._app), loop)
        with self._app.app_context():
            parts().catalogue

    async def __rsgi__(self, scope: "Scope", protocol: "HTTPProtocol") -> None:
        if scope.path == "/healthz" and scope.method in ("GET", "HEAD"):
            protocol.response_bytes(200, [("content-type", "application/json"), *_BARE], LIVE)
        elif self._in_hand >= MOST_IN_HAND:
            head = [("content-type", "application/problem+json"), ("retry-after", "5"), *_BARE]
            protocol.response_bytes(503, head, _BUSY)
        else:
            self._in_hand += 1
            try:
                await self._answer(scope, protocol)
            finally:
                self._in_hand -= 1

    async def _answer(self, scope: "Scope", protocol: "HTTPProtocol") -> None:
        headers = headers_of(scope)
        body, refused = b"", 0
        length, chunked = headers.get("content-length"), "transfer-encoding" in headers
        try:
            if length or chunked:
                body = await bodies.read(protocol, length, chunked, BODY_AT_MOST, BODY_SECONDS)
        except bodies.Refused as error:
            refused = error.status
        incoming = Incoming(
            scope.method, scope.scheme, scope.path, scope.query_string, scope.client.rpartition(":")[0], headers, body
        )
        if scope.path == "/api/v1/subscriptions" and scope.method == "POST" and not refused:
            if await self._quick.take(incoming, protocol):
                return
        await self._by_flask(incoming, scope.server, protocol, refused)

    async def _by_flask(self, incoming: Incoming, server: str, protocol: "HTTPProtocol", refused: int) -> None:
        environ = bridge.environ_of(incoming, server)
        if refused:
            environ["yestwice.refused"] = refused
        over_at = Clock.ticks() + deadline.PATIENCE
        (status, headers), body = await self._loop.run_in_executor(self._threads, self._run, environ, over_at)
        if refused:
            headers.append(("connection", "close"))
        if isinstance(body, list):
            protocol.response_bytes(status, headers, b"".join(body))
        else:
            stream = protocol.response_stream(status, headers)
            await self._loop.run_in_executor(self._exports, self._send, body, stream)

    def _run(self, environ: dict[str, Any], over_at: float) -> tuple[bridge.Head, Iterable[bytes]]:
        with deadline.within(over_at):
            return bridge.run(self._app, environ)

    def _send(self, body: Any, stream: Any) -> None:
        """Piece by piece, each once the one before is taken: what the visitor does not read is not made."""
        try:
            for piece in body:
                asyncio.run_coroutine_threadsafe(stream.send_bytes(piece), self._loop).result(PIECE_SECONDS)
        finally:
            body.close()


def headers_of(scope: "Scope") -> dict[str, str]:
    """By name. One with `_` is dropped: WSGI would take `X_Forwarded_For` for the header that a proxy of ours writes."""
    found: dict[str, str] = {}
    for name, value in scope.headers.items():
        if "_" in name:
            continue
        if name in found:
            value = found[name] + ("; " if name == "cookie" else ", ") + value
        found[name] = value
    if scope.authority:
        found["host"] = scope.authority
    return found
