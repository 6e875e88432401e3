"""Answers that are made piece by piece: through a pipe, as fast as their reader takes them.

granian's own streams take whatever they are given, so that one slow reader would have a whole export held in memory;
and one that breaks off ends there as if it were whole.
"""

import asyncio
import fcntl
import logging
import os
import select
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context
from pathlib import Path

from granian.rsgi import HTTPProtocol  # type: ignore[attr-defined]

from subscriptions.serving.bridge import WHOLE, Head, Pieces

log = logging.getLogger(__name__)
AT_ONCE = 4
OPENED_WITHIN = 5.0  # seconds for granian to begin; where the reader is gone by then it never does
PIECE_SECONDS = 60.0  # for a slow reader to take the next piece


class Streams:
    """So many at once, each with a thread, which is no other request's."""

    def __init__(self) -> None:
        self._open, self._threads = 0, ThreadPoolExecutor(AT_ONCE, "stream")

    @property
    def is_full(self) -> bool:
        return self._open >= AT_ONCE

    async def send(self, protocol: HTTPProtocol, client: str, head: Head, pieces: Pieces, context: Context) -> None:
        """Until it is taken, or its reader has gone; `context`: in which the pieces were begun."""
        self._open += 1
        try:
            pipe = _Pipe()
            protocol.response_file(*head, pipe.path)
            await asyncio.get_running_loop().run_in_executor(self._threads, context.run, _pour, pieces, pipe, client)
        finally:
            self._open -= 1


class _Pipe:
    """Its reading end is opened anew by granian; ours is let go once that has surely happened."""

    def __init__(self) -> None:
        self._taken, self._given = os.pipe()
        self._is_held, self._room = True, select.poll()
        self._room.register(self._given, select.POLLOUT)
        fcntl.fcntl(self._given, fcntl.F_SETPIPE_SZ, WHOLE)  # less than what any stream begins with
        os.set_blocking(self._given, False)

    @property
    def path(self) -> str:
        return f"/proc/self/fd/{self._taken}"

    def put(self, piece: bytes) -> None:
        """Raises BrokenPipeError where the reader has gone, TimeoutError where nothing is taken."""
        left = memoryview(piece)
        while left:
            try:
                left = left[os.write(self._given, left) :]
            except BlockingIOError:
                if not self._room.poll(1000 * (OPENED_WITHIN if self._is_held else PIECE_SECONDS)):
                    raise TimeoutError("not taken") from None
                self._let_go()  # full, and now emptier: somebody else has read

    def _let_go(self) -> None:
        if self._is_held:
            os.close(self._taken)
            self._is_held = False

    def close(self) -> None:
        """What is in it is still taken, and then there is no more."""
        os.close(self._given)
        self._let_go()


def _pour(pieces: Pieces, pipe: _Pipe, client: str) -> None:
    try:
        for piece in pieces:
            pipe.put(piece)
    except BrokenPipeError:
        pass
    except Exception as error:
        log.warning("a stream is cut off", extra={"error": type(error).__name__})
        _cut_off(client)
    finally:
        pieces.close()
        pipe.close()


def _cut_off(client: str) -> None:
    """End a connection here and now, so that its reader sees that there is something missing."""
    host, _, port = client.rpartition(":")
    for opened in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if opened.is_socket():
                with socket.socket(fileno=os.dup(int(opened.name))) as line:
                    if line.getpeername()[:2] == (host.strip("[]"), int(port)):  # those of IPv6 say more
                        line.shutdown(socket.SHUT_RDWR)
