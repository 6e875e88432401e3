"""A page of somebody's site, fetched: by https alone, within limits of size and time, and from no network of ours."""

import ipaddress
import socket
import ssl
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError

from subscriptions.clock import Clock
from subscriptions.domain.readable import HTML, KINDS, PDF, TEXTS, Unreadable, text_of
from subscriptions.settings.check import is_loopback
from subscriptions.settings.lists import POLICY_FILES

AT_MOST, SECONDS, REDIRECTS, HTTPS = 2 * 1024 * 1024, 10.0, 3, 443
_PIECE = 64 * 1024
# what not every version of Python knows to be no address of the Internet: NAT64, site-local, documentation, 6to4's
# anycast, and those that protocols use (at one provider of machines, what knows their secrets)
_INSIDE = [ipaddress.ip_network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48", "fec0::/10", "3fff::/20",
                                                 "192.88.99.0/24", "192.0.0.0/24")]  # fmt: skip
_AGENT = "Yestwice (keeps a copy of this privacy policy as proof of consent)"


def read(source: str, root: Path, *, near: bool, seconds: float = SECONDS) -> tuple[str, bytes]:
    """A web address or a file: its text, and what came, compressed. Raises Unreadable.

    `near`: whether the page may be on this machine.
    """
    if "://" not in source:
        raw, kind, charset = _of_file(root / source)
    else:
        raw, kind, charset, source = _of_web(source, near=near, until=Clock.ticks() + seconds)
    return text_of(raw, kind, charset, source), zlib.compress(raw)


def _of_file(path: Path) -> tuple[bytes, str, str]:
    try:
        if not path.is_file():  # a pipe would keep us waiting
            raise Unreadable("is not a file that is there")
        with path.open("rb") as file:
            raw = file.read(AT_MOST + 1)
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror})") from None
    if len(raw) > AT_MOST:
        raise Unreadable(_TOO_LARGE)
    return raw, POLICY_FILES.get(path.suffix.lower(), TEXTS[0]), ""


_TOO_LARGE = f"is larger than {AT_MOST // 1024 // 1024} MiB"
_NO_ADDRESS = "is no web address, or leads to one that is none"
_LATE = "did not answer in time"


def _of_web(url: str, *, near: bool, until: float) -> tuple[bytes, str, str, str]:
    for _ in range(REDIRECTS + 1):
        with _asked(url, near=near, until=until) as answer:
            if answer.status not in (301, 302, 303, 307, 308):
                return *_body(answer, until), url
            url = _next(url, answer.headers.get("Location", ""))
    raise Unreadable(f"leads on more than {REDIRECTS} times")


def _next(url: str, to: str) -> str:
    try:
        return urljoin(url, to)
    except ValueError:
        raise Unreadable(_NO_ADDRESS) from None


@contextmanager
def _asked(url: str, *, near: bool, until: float) -> Iterator[urllib3.BaseHTTPResponse]:
    """The answer of the one address that was looked up and checked, by the name of its host; cut off in time."""
    host, port, target = _parts(url)
    pool = urllib3.HTTPSConnectionPool(
        _checked(host, port, near=near, until=until), port, timeout=max(0.1, until - Clock.ticks()), retries=False,
        ssl_context=ssl.create_default_context(), server_hostname=host,
    )  # fmt: skip
    named = f"[{host}]" if ":" in host else host
    headers = {"Host": named if port == HTTPS else f"{named}:{port}", "User-Agent": _AGENT, "Accept-Encoding": "gzip",
               "Accept": ", ".join(KINDS)}  # fmt: skip
    with pool, _cut_off(pool, until):
        try:
            with pool.urlopen("GET", target, None, headers, redirect=False, preload_content=False) as answer:
                yield answer
        except (HTTPError, OSError) as error:
            raise Unreadable(_LATE if Clock.ticks() >= until else f"cannot be reached ({why(error)})") from None


def _parts(url: str) -> tuple[str, int, str]:
    """Host as the DNS has it, port, and what is asked for there."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port or HTTPS
    except ValueError:
        raise Unreadable(_NO_ADDRESS) from None
    if parts.scheme != "https" or not host:
        raise Unreadable("is no address that begins with https://, or leads to one that does not")
    return host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


@contextmanager
def _cut_off(pool: urllib3.HTTPSConnectionPool, until: float) -> Iterator[None]:
    """Whoever sends a byte now and then begins each timeout of a read anew: so the connection ends from outside.

    By a second handle of its socket, since TLS takes the first one away, and keeps it during the handshake.
    """
    held: list[socket.socket] = []

    def end() -> None:
        for one in held:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    class Held(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            made = super()._new_conn()
            held.append(made.dup())
            if Clock.ticks() >= until:  # the timer has just been
                end()
            return made

    pool.ConnectionCls = Held
    timer = threading.Timer(max(0.0, until - Clock.ticks()), end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        for one in held:
            one.close()


def why(error: Exception) -> str:
    """The name of what went wrong alone: it holds no address."""
    found = [error, *error.args, *(more for one in error.args for more in getattr(one, "args", ()))]
    wrong = [one.verify_message for one in found if isinstance(one, ssl.SSLCertVerificationError)]
    return f"its certificate: {wrong[0]}" if wrong else type(error).__name__


def _checked(host: str, port: int, *, near: bool, until: float) -> str:
    """An address of the host; none of them may be inside: who resolves it anew might get another."""
    found: list[Any] = []

    def look_up() -> None:
        with suppress(OSError, UnicodeError):
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))

    asking = threading.Thread(target=look_up, daemon=True)  # the system's own resolver knows no end
    asking.start()
    asking.join(max(0.0, until - Clock.ticks()))
    ips = [str(one[4][0]) for one in [*found]]
    if not ips:
        raise Unreadable("has a host that the DNS does not know")
    for ip in ips:
        if not (is_loopback(ip) if near and is_loopback(host) else is_outside(ip)):
            raise Unreadable("is in a network that visitors cannot reach, or leads there")
    return ips[0]


def is_outside(ip: str) -> bool:
    """Whether an address is one of the Internet: not ours, no neighbour's, and none that stands for another."""
    address = ipaddress.ip_address(ip.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and (address.sixtofour or address.teredo):
        return False
    if any(address in one for one in _INSIDE):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _body(answer: urllib3.BaseHTTPResponse, until: float) -> tuple[bytes, str, str]:
    if answer.status != 200:
        raise Unreadable(f"answers with the status {answer.status}")
    kind, _, rest = answer.headers.get("Content-Type", "").partition(";")
    if (kind := kind.strip().lower()) not in KINDS:
        raise Unreadable(f"is not {HTML[0]}, {TEXTS[0]} or {PDF}")
    raw = b"".join(_pieces(answer))
    if Clock.ticks() >= until:  # also where it seems to have ended, since we have ended it
        raise Unreadable(_LATE)
    return raw, kind, rest.partition("charset=")[2].partition(";")[0].strip().strip("\"'")


def _pieces(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    encoding, left = answer.headers.get("Content-Encoding", "identity").lower(), AT_MOST
    if encoding not in ("identity", "gzip"):
        raise Unreadable("comes in an encoding that nobody asked for")
    unpack = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    try:
        while piece := answer.read(_PIECE, decode_content=False):
            piece = unpack.decompress(piece, left + 1) if unpack else piece
            if (left := left - len(piece)) < 0:
                raise Unreadable(_TOO_LARGE)
            yield piece
    except zlib.error:
        raise Unreadable("is packed badly") from None
    if unpack and not unpack.eof:
        raise Unreadable("ends too early")
