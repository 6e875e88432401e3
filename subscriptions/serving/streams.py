"""Answers that are made piece by piece: through a pipe, as fast as their reader takes them.

granian's own streams take whatever they are given, so that one slow reader would have a whole export held in memory;
and one that breaks off ends there as if it were whole.

An export is begun here, and goes on in the process for mails where there is one, which pours into the same pipe: here
it would hold up sign-ups, whose loop shares an interpreter with it. Where nobody takes it, it goes on here.
"""

import asyncio
import fcntl
import json
import logging
import os
import select
import socket
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from contextvars import Context
from pathlib import Path
from typing import Any

from granian.rsgi import HTTPProtocol  # type: ignore[attr-defined]

from subscriptions.parts import current_parts
from subscriptions.serving.bridge import WHOLE, Head, Pieces
from subscriptions.web.api import lists

log = logging.getLogger(__name__)
AT_ONCE = 4
OPENED_WITHIN = 5.0  # seconds for granian to begin; where the reader is gone by then it never does
PIECE_SECONDS = 60.0  # for a slow reader to take the next piece
TAKEN_WITHIN = 1.0  # seconds, by the other process
TAKEN, DONE = b"taken", b"done"


class Streams:
    """So many at once, each with a thread, which is no other request's; `ring`: hands a line to the other process."""

    def __init__(self, ring: Callable[[int], None] | None = None) -> None:
        self._open, self._threads, self._ring = 0, ThreadPoolExecutor(AT_ONCE, "stream"), ring

    @property
    def is_full(self) -> bool:
        return self._open >= AT_ONCE

    async def send(self, protocol: HTTPProtocol, client: str, head: Head, pieces: Pieces, context: Context) -> None:
        """Until it is taken, or its reader has gone; `context`: in which the pieces were begun."""
        self._open += 1
        try:
            pipe = _Pipe()
            protocol.response_file(*head, pipe.path)
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._threads, context.run, self._see_through, pieces, pipe, client)
        finally:
            self._open -= 1

    def _see_through(self, pieces: Pieces, pipe: "_Pipe", client: str) -> None:
        ended = b""
        try:
            if (ended := _pour(pieces.first, pipe)) == DONE:
                ended = self._elsewhere(pieces.here, pipe) or _pour(pieces.rest, pipe)
        finally:
            if ended != DONE:
                log.warning("a stream is cut off", extra={"error": ended.decode()})
                _cut_off(client)
            pieces.rest.close()
            pipe.close()

    def _elsewhere(self, here: list[Any] | None, pipe: "_Pipe") -> bytes | None:
        """How it ended where it went on, or None where nobody has taken it."""
        if not self._ring or not here:
            return None
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, suppress(OSError):
            ours.settimeout(TAKEN_WITHIN)
            with theirs:
                self._ring(theirs.fileno())
            if ours.recv(16) == TAKEN:
                ours.settimeout(None)
                socket.send_fds(ours, [json.dumps(here).encode()], [pipe.given])
                return ours.recv(256) or b"its process has ended"
        return None


class _Pipe:
    """Its reading end is opened anew by granian; ours is let go once that has surely happened.

    `given`: the writing end of one of another process, which has seen to that.
    """

    def __init__(self, given: int | None = None) -> None:
        self._taken: int | None = None
        if given is None:
            self._taken, given = os.pipe()
            self.path = f"/proc/self/fd/{self._taken}"
            fcntl.fcntl(given, fcntl.F_SETPIPE_SZ, WHOLE)  # less than what any stream begins with
            os.set_blocking(given, False)
        self.given = given
        self._room = select.poll()
        self._room.register(self.given, select.POLLOUT)

    def put(self, piece: bytes) -> None:
        """Raises BrokenPipeError where the reader has gone, TimeoutError where nothing is taken."""
        left = memoryview(piece)
        while left:
            try:
                left = left[os.write(self.given, left) :]
            except BlockingIOError:
                if not self._room.poll(1000 * (PIECE_SECONDS if self._taken is None else OPENED_WITHIN)):
                    raise TimeoutError("not taken") from None
                self._let_go()  # full, and now emptier: somebody else has read

    def _let_go(self) -> None:
        if self._taken is not None:
            os.close(self._taken)
            self._taken = None

    def close(self) -> None:
        """What is in it is still taken, and then there is no more."""
        os.close(self.given)
        self._let_go()


def _pour(pieces: Iterable[bytes], pipe: _Pipe) -> bytes:
    """DONE, also where the reader has gone, or what went wrong."""
    try:
        for piece in pieces:
            pipe.put(piece)
    except BrokenPipeError:
        pass
    except Exception as error:
        return type(error).__name__.encode()
    return DONE


def make(end: int) -> None:
    """In the other process: the rest of what is asked for on that line, unless who asked has given up."""
    with socket.socket(fileno=end) as line, suppress(OSError):
        current_parts().follow()  # before a word is given: the list may be newer than what this process knows
        line.send(TAKEN)
        here, pipes, *_ = socket.recv_fds(line, 4096, 1)
        for given in pipes:
            with closing(_Pipe(given)) as pipe:
                line.send(_pour(lists.go_on(json.loads(here)), pipe))


def _cut_off(client: str) -> None:
    """End a connection here and now, so that its reader sees that there is something missing."""
    host, _, port = client.rpartition(":")
    for opened in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if opened.is_socket():
                with socket.socket(fileno=os.dup(int(opened.name))) as line:
                    if line.getpeername()[:2] == (host.strip("[]"), int(port)):  # those of IPv6 say more
                        line.shutdown(socket.SHUT_RDWR)
