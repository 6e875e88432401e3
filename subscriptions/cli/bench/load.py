"""The load: visitors over kept connections, each from another network, from a process of its own."""

import asyncio
import json
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from subscriptions.clock import Clock


@dataclass(frozen=True, slots=True)
class Measured:
    """What a load found: seconds of each answered request, statuses, and when it began and ended."""

    latencies: list[float]
    statuses: dict[int, int]
    began: float
    ended: float
    processor: float

    @property
    def rate(self) -> float:
        return len(self.latencies) / (self.ended - self.began)

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def _requests(number: int, port: int) -> Iterator[bytes]:
    for n in range(number):
        body = json.dumps({"email": f"visitor{n}@example{n % 997}.org", "name": "Ada"}).encode()
        yield (
            f"POST /api/v1/subscriptions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"X-Forwarded-For: 10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body


class _Visitor(asyncio.Protocol):
    """One kept connection: a request, its answer, the next."""

    def __init__(self, requests: Iterator[bytes], result: Any, done: asyncio.Future[None]) -> None:
        self._requests, self._result, self._done = requests, result, done
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            return
        self._sent = Clock.ticks()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) >= length:
            self._buffer = body[length:]
            latencies, statuses = self._result
            latencies.append(Clock.ticks() - self._sent)
            status = int(head[9:12])
            statuses[status] = statuses.get(status, 0) + 1
            self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)


def _run(port: int, number: int, concurrency: int, answer: Any) -> None:
    result: tuple[list[float], dict[int, int]] = ([], {})

    async def drive() -> None:
        loop = asyncio.get_running_loop()
        requests = _requests(number, port)
        ends = [loop.create_future() for _ in range(concurrency)]
        for end in ends:
            await loop.create_connection(partial(_Visitor, requests, result, end), "127.0.0.1", port)
        await asyncio.gather(*ends)

    began = Clock.ticks()
    asyncio.run(drive())
    answer.send(Measured(*result, began, Clock.ticks(), time.process_time()))


def drive(port: int, number: int, concurrency: int) -> Measured:
    """Send `number` sign-ups over `concurrency` connections and wait for every answer."""
    spawn = multiprocessing.get_context("spawn")
    mine, theirs = spawn.Pipe()
    process = spawn.Process(target=_run, args=(port, number, concurrency, theirs))
    process.start()
    theirs.close()
    try:
        return mine.recv()  # type: ignore[no-any-return]
    finally:
        process.join()
