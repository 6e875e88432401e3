"""Lines to and from one SMTP client, over a socket that may become a TLS one."""

import contextlib
import socket

from tests.support.certificates import Certificate, server_context

LONGEST_LINE = 100_000


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
        self._socket.sendall(reply.encode() + b"\r\n")

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

    def cut(self) -> None:
        """Ends the line under whoever is reading from it, in this thread or another."""
        with contextlib.suppress(OSError):
            # SSLSocket's own shutdown would pull the TLS object from under the reader.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()
