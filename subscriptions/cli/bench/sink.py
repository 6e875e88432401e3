"""An SMTP sink: takes every mail, keeps a count, the time of the last one and one sample."""

import asyncio
import multiprocessing
import time
from multiprocessing.connection import Connection
from typing import Any

from subscriptions.clock import Clock

_HELLO = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"


class _Session(asyncio.Protocol):
    """Just enough SMTP for one kept connection, pipelined or not."""

    def __init__(self, count: Any, last: Any, sample: Connection, delay: float) -> None:
        self._count, self._last, self._sample, self._delay = count, last, sample, delay
        self._buffer = b""
        self._in_data = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        replies = b""
        while True:
            end = b"\r\n.\r\n" if self._in_data else b"\r\n"
            line, found, rest = self._buffer.partition(end)
            if not found:
                break
            self._buffer = rest
            replies += self._took(line) if self._in_data else self._command(line)
        if replies:
            self._transport.write(replies)

    def _command(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"DATA":
            self._in_data = True
            return b"354 go on\r\n"
        if verb == b"QUIT":
            self._transport.write(b"221 bye\r\n")
            self._transport.close()
            return b""
        return _HELLO if verb == b"EHLO" else b"250 ok\r\n"

    def _took(self, mail: bytes) -> bytes:
        self._in_data = False
        if not self._count.value:
            self._sample.send_bytes(mail)
        self._count.value += 1
        self._last.value = Clock.ticks()
        if not self._delay:
            return b"250 taken\r\n"
        asyncio.get_running_loop().call_later(self._delay, self._transport.write, b"250 taken\r\n")
        return b""


def _run(port: Any, count: Any, last: Any, sample: Connection, delay: float) -> None:
    async def listen() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Session(count, last, sample, delay), "127.0.0.1", 0)
        port.value = server.sockets[0].getsockname()[1]
        await server.serve_forever()

    asyncio.run(listen())


class Sink:
    """The sink in a process of its own. `delay`: seconds that it takes for each mail."""

    def __init__(self, delay: float = 0.0) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._port, self._count = spawn.Value("i", 0), spawn.Value("i", 0)
        self._last = spawn.Value("d", 0.0)
        self._sample, theirs = spawn.Pipe(duplex=False)
        arguments = (self._port, self._count, self._last, theirs, delay)
        self._process = spawn.Process(target=_run, args=arguments, daemon=True)

    def __enter__(self) -> "Sink":
        self._process.start()
        while not self._port.value:
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    @property
    def port(self) -> int:
        return int(self._port.value)

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def count(self) -> int:
        return int(self._count.value)

    @property
    def last(self) -> float:
        """When the last mail came, in the ticks of the clock."""
        return float(self._last.value)

    def sample(self) -> bytes:
        """The first mail that came, as it came."""
        return self._sample.recv_bytes()
