"""granian, as we run it: one of its workers in each process, HTTP/1 alone, on a socket that is open already."""

import resource
import socket
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.net import SocketHolder  # type: ignore[attr-defined]
from granian.server import MTServer
from granian.server.common import AbstractServer

HEAD_SECONDS, HEAD_AT_MOST = 10, 16 * 1024
STOPS_WITHIN = 15.0  # seconds: a body and its answer; a reader that takes longer sees its stream cut off
FILES = 65_536  # that a process may hold open, where the system allows it
BACKLOG = 1024


class Granian(MTServer):
    """Made for Pythons without a GIL; with one, a worker is a worker all the same (measured: as fast as a child)."""

    def __init__(self, front: Any, listening: socket.socket) -> None:
        self._front, self._listening = front, listening
        super().__init__(
            "app",
            interface=Interfaces.RSGI,
            http=HTTPModes.http1,  # HTTP/2 in the clear is no browser's, and its streams have ended services
            http1_settings=HTTP1Settings(header_read_timeout=HEAD_SECONDS * 1000, max_buffer_size=HEAD_AT_MOST),
            websockets=False,
            log_enabled=False,
            backpressure=2 * FILES,  # connections cost little; the front counts what is in hand
        )

    def run(self) -> int:
        """Serve until a signal, and answer what is in hand; the status to end with."""
        try:
            self.serve(target_loader=lambda: self._front, wrap_loader=False)
        except SystemExit as error:  # its thread has ended by itself
            return int(error.code or 0)
        return 0

    def _stop_workers(self) -> None:
        for worker in self.wrks:
            worker.terminate()  # type: ignore[no-untyped-call]
        for worker in self.wrks:
            worker.join(STOPS_WITHIN)  # type: ignore[no-untyped-call]
        self.wrks.clear()

    def _init_shared_socket(self) -> None:
        self._shd: Any = SocketHolder(self._listening.fileno(), False, BACKLOG)  # type: ignore[call-arg]

    def _check_gil(self) -> None:
        """One worker needs no free threads."""

    def serve(self, *args: Any, **kwargs: Any) -> None:
        AbstractServer.serve(self, *args, **kwargs)  # past a warning that is about free threads


def listen(host: str, port: int) -> socket.socket:
    """The socket that every web process takes connections from; raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    listening.setblocking(False)
    return listening


def raise_file_limit() -> None:
    """1,024 files, the usual limit, are fewer than the connections that somebody may open and say nothing on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
