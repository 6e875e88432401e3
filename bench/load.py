"""The load: prepared requests over kept connections, from a process of its own that costs as little as it can.

Measured: 16 us of processor time for a request and its answer.
"""

import multiprocessing
import selectors
import socket
import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any, Self

from bench.visitors import TAKEN, Visitors
from subscriptions.clock import Clock

PATIENCE = 60.0  # seconds for an answer
NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """What a load found: seconds of each answered request, statuses, when it began and ended, its processor time."""

    latencies: list[float]
    statuses: dict[int, int]
    began: float
    ended: float
    processor: float

    @property
    def taken(self) -> int:
        return sum(self.statuses.get(status, 0) for status in TAKEN)

    @property
    def rate(self) -> float:
        return len(self.latencies) / (self.ended - self.began)

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


class _Line:
    """One kept connection; made again when the server has closed it."""

    def __init__(self, port: int, selector: selectors.BaseSelector) -> None:
        self._port, self._selector = port, selector
        self._open()

    def _open(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(self._socket, selectors.EVENT_READ, self)
        self._buffer = b""

    def send(self, request: bytes, began: float) -> None:
        self.began = began
        try:
            self._socket.sendall(request)
        except OSError:  # closed while it was idle: the request has not been read
            self._again()
            self._socket.sendall(request)

    def answer(self) -> int | None:
        """The status, once the whole answer is there; NO_ANSWER where the connection broke."""
        try:
            data = self._socket.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._again()
            return NO_ANSWER
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return None
        self._buffer = body[length:]
        return int(head[9:12])

    def _again(self) -> None:
        self._selector.unregister(self._socket)
        self._socket.close()
        self._open()


def _play(lines: list[_Line], requests: list[bytes], rate: int | None, selector: selectors.BaseSelector) -> Measured:
    """Send them all. At a rate, a request counts from when it was due, so that a slow answer hides no waiting."""
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    idle, busy, sent = deque(lines), set[_Line](), 0
    spent, began = time.process_time(), Clock.ticks()
    while sent < len(requests) or busy:
        now = Clock.ticks()
        while idle and sent < len(requests) and (due := began + sent / rate if rate else now) <= now:
            line = idle.popleft()
            line.send(requests[sent], due)
            busy.add(line)
            sent += 1
        pause = max(0.0, began + sent / rate - now) if rate and idle and sent < len(requests) else PATIENCE
        ready = selector.select(pause)
        if not ready and pause == PATIENCE:
            statuses[NO_ANSWER] += len(busy)
            break
        for line in (key.data for key, _ in ready):
            status = line.answer()
            if status is not None and line in busy:
                busy.remove(line)
                idle.append(line)
                statuses[status] += 1
                if status:
                    latencies.append(Clock.ticks() - line.began)
    return Measured(latencies, dict(statuses), began, Clock.ticks(), time.process_time() - spent)


def _run(port: int, visitors: Visitors, concurrency: int, rate: int | None, pipe: Any) -> None:
    requests = visitors.requests(port)
    with selectors.DefaultSelector() as selector:
        lines = [_Line(port, selector) for _ in range(concurrency)]
        pipe.send("ready")
        pipe.recv()
        pipe.send(_play(lines, requests, rate, selector))


class Load:
    """Visitors who wait for `go`. `rate`: so many a second; else each connection's next as soon as one is answered."""

    def __init__(self, port: int, visitors: Visitors, concurrency: int, rate: int | None = None) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        arguments = (port, visitors, concurrency, rate, theirs)
        self._process = spawn.Process(target=_run, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        self._pipe.recv()

    def go(self) -> Self:
        self._pipe.send("go")
        return self

    @property
    def is_going(self) -> bool:
        return not self._pipe.poll()

    def result(self) -> Measured:
        try:
            return self._pipe.recv()  # type: ignore[no-any-return]
        finally:  # also where the benchmark is ended meanwhile
            self._process.terminate()
            self._process.join()


def drive(port: int, visitors: Visitors, concurrency: int, rate: int | None = None) -> Measured:
    """Send them all and wait for every answer."""
    return Load(port, visitors, concurrency, rate).go().result()
