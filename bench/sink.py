"""An SMTP sink: takes every mail as a relay would, keeps counts, times and one sample.

A relay that takes its time answers nothing on that connection meanwhile: what is pipelined behind a mail waits.
"""

import asyncio
import ctypes
import multiprocessing
import time
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import RawValue
from typing import Any, Self

from subscriptions.clock import Clock

_HELLO = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
_END = b"\r\n.\r\n"


class _Seen(ctypes.Structure):
    """What the sink has seen; it alone writes. `busy`: connections whose mail it is taking its time for."""

    _fields_ = [
        ("port", ctypes.c_int), ("count", ctypes.c_longlong), ("first", ctypes.c_double), ("last", ctypes.c_double),
        ("busy", ctypes.c_int), ("busy_most", ctypes.c_int), ("busy_seconds", ctypes.c_double),
        ("changed", ctypes.c_double),
    ]  # fmt: skip


class _Session(asyncio.Protocol):
    """Just enough SMTP for one kept connection, pipelined or not."""

    def __init__(self, seen: Any, sample: Connection, delay: float) -> None:
        self._seen, self._sample, self._delay = seen, sample, delay
        self._buffer = b""
        self._in_data = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink ESMTP\r\n")

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()
            self._busy(-1)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._go_on()

    def _go_on(self) -> None:
        """Answer what has come, in its order, up to a mail that takes its time."""
        replies = b""
        while not self._timer and not self._transport.is_closing():
            line, found, rest = self._buffer.partition(_END if self._in_data else b"\r\n")
            if not found:
                break
            self._buffer = rest
            replies += self._mail(line) if self._in_data else self._command(line)
            if replies.endswith(b"221 bye\r\n"):
                break
        if replies:
            self._transport.write(replies)
        if replies.endswith(b"221 bye\r\n"):
            self._transport.close()

    def _command(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"DATA":
            self._in_data = True
            return b"354 go on\r\n"
        if verb == b"QUIT":
            return b"221 bye\r\n"
        return _HELLO if verb == b"EHLO" else b"250 ok\r\n"

    def _mail(self, mail: bytes) -> bytes:
        self._in_data = False
        if not self._seen.first:
            self._seen.first = Clock.ticks()
            self._sample.send_bytes(mail)
        if not self._delay:
            return self._took()
        self._busy(1)
        self._timer = asyncio.get_running_loop().call_later(self._delay, self._later)
        return b""

    def _later(self) -> None:
        self._timer = None
        self._busy(-1)
        self._transport.write(self._took())
        self._go_on()

    def _took(self) -> bytes:
        self._seen.last = Clock.ticks()
        self._seen.count += 1
        return b"250 taken\r\n"

    def _busy(self, more: int) -> None:
        seen, now = self._seen, Clock.ticks()
        seen.busy_seconds += seen.busy * (now - seen.changed)
        seen.busy, seen.changed = seen.busy + more, now
        seen.busy_most = max(seen.busy_most, seen.busy)


def _run(seen: Any, sample: Connection, delay: float) -> None:
    async def listen() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Session(seen, sample, delay), "127.0.0.1", 0, backlog=128)
        seen.port = server.sockets[0].getsockname()[1]
        await server.serve_forever()

    asyncio.run(listen())


class Sink:
    """The sink in a process of its own. `delay`: seconds that it takes for each mail."""

    def __init__(self, delay: float = 0.0) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.seen: Any = RawValue(_Seen)
        self._sample, theirs = spawn.Pipe(duplex=False)
        self._process = spawn.Process(target=_run, args=(self.seen, theirs, delay), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        while not self.seen.port:
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    @property
    def port(self) -> int:
        return int(self.seen.port)

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def count(self) -> int:
        return int(self.seen.count)

    @property
    def last(self) -> float:
        """When the last mail was taken, in the ticks of the clock."""
        return float(self.seen.last)

    def wait_for(self, number: int, patience: float = 30.0) -> None:
        """Returns when so many are in, or none came for so many seconds."""
        newest, since = self.count, Clock.ticks()
        while self.count < number and Clock.ticks() - since < patience:
            time.sleep(0.01)
            if self.count != newest:
                newest, since = self.count, Clock.ticks()

    def lines_busy(self) -> tuple[float, float]:
        """How many connections had a mail that the sink took its time for: at most, and on average."""
        seconds = self.last - float(self.seen.first)
        return float(self.seen.busy_most), float(self.seen.busy_seconds) / seconds if seconds > 0 else 0.0

    def sample(self) -> bytes:
        """The first mail that came, as it came."""
        return self._sample.recv_bytes()
