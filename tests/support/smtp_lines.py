"""Lines to and from one SMTP client, over a socket that may become a TLS one."""

import contextlib
import socket
import struct
import threading

from tests.support.certificates import Certificate, server_context
from tests.support.faults import DRIP, FLOOD

LONGEST_LINE = 100_000
PIECES = 3200  # of 64 KiB: what never ends would take this machine down with a client that takes it all


class Gone(Exception):
    """The line is dead, or has to be."""


class Lines:
    """A socket read line by line, so that it is known what the client sent ahead."""

    def __init__(self, connection: socket.socket) -> None:
        # The replies to a pipelined group are many small writes, which Nagle's algorithm would hold back.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._buffer = bytearray()
        self.tls = False

    @property
    def has_more(self) -> bool:
        """Whether the client has sent something beyond the line read last."""
        return bool(self._buffer)

    def read(self) -> bytes:
        """One line with its end; raises Gone where there is none."""
        while (end := self._buffer.find(b"\n")) < 0:
            if not (piece := self._socket.recv(65_536)) or len(self._buffer) > LONGEST_LINE:
                raise Gone
            self._buffer += piece
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        return line

    def write(self, reply: str) -> None:
        """`reply`: octets that are no UTF-8 as surrogates."""
        self._socket.sendall(reply.encode("utf-8", "surrogateescape") + b"\r\n")

    def rave(self, kind: str, code: str, stopping: threading.Event) -> None:
        """An answer that never ends; until the other side hangs up, or it is enough by all measure."""
        self._socket.sendall(f"{code}-".encode())
        if kind == DRIP:
            while not stopping.wait(0.05):
                self._socket.sendall(b"x")
        piece = b"".join(f"{code}-".encode().ljust(1022, b"x") + b"\r\n" for _ in range(64))
        for _ in range(PIECES):
            self._socket.sendall(piece if kind == FLOOD else b"x" * len(piece))

    def start_tls(self, certificate: Certificate) -> None:
        """What the client sent before the handshake is thrown away: it was not protected."""
        self._buffer.clear()
        secured = server_context(certificate).wrap_socket(self._socket, server_side=True, do_handshake_on_connect=False)
        # Kept before the handshake, so that cut() also ends a client that never finishes it.
        self._socket = secured
        secured.do_handshake()
        self.tls = True

    def wait_for_end(self) -> None:
        """Says nothing until the other side gives up."""
        while self._socket.recv(65_536):
            pass

    def reset_at_end(self) -> None:
        """Closing will be a reset, in the midst of whatever was to be sent (SO_LINGER of no seconds)."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def cut(self) -> None:
        """Ends the line under whoever is reading from it, in this thread or another."""
        with contextlib.suppress(OSError):
            # SSLSocket's own shutdown would pull the TLS object from under the reader.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()
