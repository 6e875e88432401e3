"""Sites of the web as browsers name them: by their origin, which is all of it or nothing (RFC 6454)."""

import re
from collections.abc import Container
from urllib.parse import urlsplit

from subscriptions.domain.address import ascii_name
from subscriptions.domain.evidence import ANOTHER_SITE

_NEVER = re.compile(r"[\x00-\x20\x7f\\]")  # browsers drop some of these, and read the rest as something else
_PLACE = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d*)?", re.I)  # host and port, nothing before and after
_USUAL = {"http": 80, "https": 443}


def machine_url(url: str) -> str:
    """An address of the web with the name of its host as browsers send it; what is none comes back as it is."""
    try:
        host, place = urlsplit(url).hostname, urlsplit(url).netloc
    except ValueError:
        return url
    if not host or "@" in place or place.startswith("["):
        return url
    name, colon, port = place.partition(":")
    return url.replace(place, ascii_name(name) + colon + port, 1)


def origin_of(url: str) -> str | None:
    """Scheme, host and port of a plain address of the web, as browsers write an origin; None for anything else."""
    if not url.isascii() or _NEVER.search(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _USUAL or not _PLACE.fullmatch(parts.netloc) or not parts.hostname or url[:4] != "http":
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, _USUAL[parts.scheme]) else "")


def host_of(origin: str) -> str:
    """With its port, where that is not the usual one."""
    return origin.partition("://")[2]


def stood_on(origin: str, known: Container[str], *, is_ours: bool) -> str:
    """Where a form stood: the host, if it is ours or known; else that it was another; nothing where nobody said."""
    if is_ours or origin in known:
        return host_of(origin)
    return origin and ANOTHER_SITE


def is_example(url: str) -> bool:
    """Whether its host is one of documentation and tests, behind which there is nobody (RFC 2606)."""
    host = f".{host_of(origin_of(url) or '')}".partition(":")[0]
    return host.endswith((".example.com", ".example.net", ".example.org", ".example", ".invalid", ".test"))
