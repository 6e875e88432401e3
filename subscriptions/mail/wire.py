"""The wire to a relay, which may be mad: each reply is bounded in length and in time, and another thread may cut it."""

import base64
import hmac
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from subscriptions.clock import Clock

LINES, OCTETS = 100, 64 * 1024  # of one reply; those of real relays have a dozen lines
_ONE_LINE = re.compile(rb"(\d{3}) ([ -~]{0,1000})\r\n")  # the reply that comes nearly always (measured: 8 us, then 1)
FAREWELL = 1.0  # seconds that the answer to QUIT is waited for: nothing depends on it


class TooLong(smtplib.SMTPException):
    """A reply of more lines or octets than any relay needs; `code` is what its first line began with."""

    def __init__(self, code: int) -> None:
        super().__init__(f"its reply was longer than {LINES} lines or {OCTETS // 1024} KiB")
        self.code = code


class NoLogin(smtplib.SMTPException):
    """The relay offers none that we speak."""


class Wire(smtplib.SMTP):
    """smtplib's client, which itself reads replies without end and gives every octet a timeout of its own."""

    timeout: float

    def __init__(self, helo: str, within: float, tls: ssl.SSLContext | None = None) -> None:
        """Not connected yet. `within`: seconds for each stage. `tls`: from the first octet."""
        self._tls = tls
        self.is_connected = self.is_greeted = False
        self._heard = b""  # and not yet read as a line
        self._ends: float | None = None
        self._guard = threading.Lock()
        self._handle: socket.socket | None = None  # a second one, since TLS takes the first from its owner
        super().__init__(local_hostname=helo, timeout=within)

    def open(self, host: str, port: int) -> None:
        """Connect and be greeted, within one deadline."""
        self._host = host  # whom the certificate must name
        with self.stage():
            code, text = self.connect(host, port)
        self.is_greeted = True
        if code != 220:
            raise smtplib.SMTPConnectError(code, text)

    @contextmanager
    def stage(self) -> Iterator[None]:
        """All that is said and heard within shares one deadline; elsewhere each reply has its own."""
        self._ends = Clock.ticks() + self.timeout
        try:
            yield
        finally:
            self._ends = None

    def cut(self) -> None:
        """End the line under whoever waits for it, in any thread and at any stage."""
        with self._guard, suppress(OSError):
            if self._handle is not None:
                self._handle.shutdown(socket.SHUT_RDWR)

    def quit(self) -> tuple[int, bytes]:
        self.timeout = min(self.timeout, FAREWELL)
        return super().quit()

    def close(self) -> None:
        super().close()
        self._hold(None)
        self._heard = b""

    def secure(self, context: ssl.SSLContext) -> None:
        """STARTTLS and the handshake, within one deadline."""
        with self.stage():
            self.starttls(context=context)
        self._heard = b""  # what came before the handshake was not protected

    def log_in(self, user: str, password: str) -> None:
        """By PLAIN (RFC 4616), else by another way; in UTF-8, as smtplib's own is not."""
        offered = self.esmtp_features.get("auth", "").upper().split()
        way = next((way for way in _LOGINS if way in offered), None)
        if way is None:
            others = f"only {', '.join(offered)}" if offered else "none, or none on a line without TLS"
            raise NoLogin(f"the relay offers no login by {', '.join(_LOGINS)} ({others}): {_NO_LOGIN}")
        with self.stage():
            code, text = _LOGINS[way](self, user, password)
        if code not in (235, 503):  # welcome; logged in already
            raise smtplib.SMTPAuthenticationError(code, text)

    def send(self, s: Any) -> None:
        if self.sock:
            self.sock.settimeout(_left(self._deadline()))
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        """As smtplib's, within the bounds; its text is UTF-8 that can be stored and shown anywhere."""
        if found := _ONE_LINE.match(self._heard):  # all others that answer a pipelined group have come with the first
            self._heard = self._heard[found.end() :]
            return int(found[1]), found[2]
        ends, texts, size, first = self._deadline(), list[bytes](), 0, -1
        while True:
            line = self._line(ends, OCTETS - size, first)
            size += len(line)
            code = int(line[:3]) if line[:3].isdigit() else -1
            first = first if texts else code
            texts.append(_printable(line if code == -1 else line[4:]))
            if code == -1 or line[3:4] != b"-":
                return code, b"\n".join(texts)
            if len(texts) == LINES:
                raise TooLong(first)

    def _deadline(self) -> float:
        return self._ends if self._ends is not None else Clock.ticks() + self.timeout

    def _line(self, ends: float, at_most: int, first: int) -> bytes:
        while (end := self._heard.find(b"\n") + 1) == 0 and len(self._heard) < at_most:
            self._hear(ends)
        if not 0 < end <= at_most:
            begun = self._heard[:3]
            raise TooLong(first if first != -1 or not begun.isdigit() else int(begun))
        line, self._heard = self._heard[:end], self._heard[end:]
        return line

    def _hear(self, ends: float) -> None:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("the line is closed")
        self.sock.settimeout(_left(ends))
        piece = self.sock.recv(8192)
        if not piece:
            self.close()
            raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")
        self._heard += piece

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        ends = self._deadline()
        line = self._connected(host, port, ends)
        line.settimeout(_left(ends))
        return self._tls.wrap_socket(line, server_hostname=host) if self._tls else line

    def _connected(self, host: str, port: int, ends: float) -> socket.socket:
        """All addresses of the relay share what time there is."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        failure: OSError = OSError("the relay has no address")
        for untried, (family, kind, protocol, _, address) in zip(range(len(found), 0, -1), found, strict=True):
            line = socket.socket(family, kind, protocol)
            self._hold(line.dup())
            try:
                line.settimeout(_left(ends) / untried)
                line.connect(address)
                self.is_connected = True
                return line
            except OSError as error:
                line.close()
                failure = error
        raise failure

    def _hold(self, handle: socket.socket | None) -> None:
        with self._guard:
            if self._handle is not None:
                self._handle.close()
            self._handle = handle


_NO_LOGIN = "let it offer one, or leave username and password in [mail] empty"


def _plain(wire: Wire, user: str, password: str) -> tuple[int, bytes]:
    return wire.docmd("AUTH", "PLAIN " + _encoded("\0" + user + "\0" + password))


def _login(wire: Wire, user: str, password: str) -> tuple[int, bytes]:
    code, text = wire.docmd("AUTH", "LOGIN")
    for answer in (user, password):
        if code == 334:
            code, text = wire.docmd(_encoded(answer))
    return code, text


def _cram_md5(wire: Wire, user: str, password: str) -> tuple[int, bytes]:
    code, text = wire.docmd("AUTH", "CRAM-MD5")
    if code != 334:
        return code, text
    return wire.docmd(_encoded(f"{user} {hmac.new(password.encode(), base64.b64decode(text), 'md5').hexdigest()}"))


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


_LOGINS = {"PLAIN": _plain, "LOGIN": _login, "CRAM-MD5": _cram_md5}


def dotted(octets: bytes) -> bytes:
    """The data with its dots doubled and its end (RFC 5321 4.5.2)."""
    doubled = octets.replace(b"\r\n.", b"\r\n..")
    return (b"." + doubled if doubled.startswith(b".") else doubled) + b".\r\n"


def _printable(said: bytes) -> bytes:
    """Without what steers a terminal, feigns a line, or is refused by PostgreSQL (NUL)."""
    text = said.decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() else " " for sign in text).strip().encode()


def _left(ends: float) -> float:
    left = ends - Clock.ticks()
    if left <= 0:
        raise TimeoutError("the relay did not answer in time")
    return left
