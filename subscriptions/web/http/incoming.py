"""A request as a plain value, whichever server and whichever framework brought it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from urllib.parse import parse_qsl

from werkzeug.datastructures import ImmutableMultiDict, LanguageAccept, MultiDict
from werkzeug.exceptions import SecurityError
from werkzeug.http import parse_accept_header
from werkzeug.sansio.utils import get_host

from subscriptions.actions.gate import Refusal
from subscriptions.domain.sites import origin_of

FORM = "application/x-www-form-urlencoded"
LONGEST_HOST = 300  # characters: a name has 253, and then comes a port
NO_SITE = "none"
MOST_LANGUAGES = 20  # of a header; browsers send up to ten


def form_in(body: bytes) -> "MultiDict[str, str]":
    """The fields of a form, from a body that is urlencoded."""
    pairs = parse_qsl(body.decode(errors=_KEPT), keep_blank_values=True, errors=_KEPT)
    return MultiDict(_readable(pairs) if _IS_NOT_UTF8.search(body) else pairs)


def text_in(name: str, octets: bytes) -> str:
    """A field of a form. A page of an older encoding sends its own: windows-1252, which is what browsers call Latin-1.

    An address is not guessed: it has U+FFFD instead, and its visitor is asked.
    """
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("utf-8" if name == "email" else "cp1252", "replace")


def _readable(pairs: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, value in pairs:
        name = name.encode(errors=_KEPT).decode(errors="replace")
        yield name, text_in(name, value.encode(errors=_KEPT))


_KEPT = "surrogateescape"  # octets that are no UTF-8 are carried through
_IS_NOT_UTF8 = re.compile(rb"[\x80-\xff]|%[89a-fA-F]")  # or may be: most forms hold neither


@dataclass(frozen=True)
class Incoming:
    """`headers`: by their names in small letters; several of one name joined by commas (RFC 9110 5.3).

    `outcome`: what the batch said to the sign-up that this is, where it has been there already.
    """

    method: str
    scheme: str
    path: str
    query: str
    peer: str
    headers: Mapping[str, str]
    body: bytes = b""
    outcome: Refusal | Exception | None = None

    @property
    def host(self) -> str:
        """The name, and the port where it is not the usual one, that the request came by; nothing where none can be."""
        header = self.headers.get("host", "")
        return _host(self.scheme, header) if len(header) <= LONGEST_HOST else ""

    @cached_property
    def args(self) -> ImmutableMultiDict[str, str]:
        return ImmutableMultiDict(parse_qsl(self.query, keep_blank_values=True, errors="werkzeug.url_quote"))

    @property
    def sent_from(self) -> str:
        """The origin of the page that it comes from, as the browser says; none: it does not say, or hides it.

        What is no site of the web (an app, a file) is one by no name.
        """
        said = self.headers.get("origin", "null")
        if said == "null":
            said = self.headers.get("referer", "")
        return _site("/".join(re.split("[/?#]", said, maxsplit=3)[:3])[:LONGEST_HOST]) if said else ""

    @property
    def languages(self) -> tuple[str, ...]:
        """The tags that the reader accepts, the dearest first."""
        # what a header of 16 KiB says would take 20 ms to read, and be kept
        return _accepted(",".join(self.headers.get("accept-language", "")[:1000].split(",")[:MOST_LANGUAGES]))


@lru_cache(1024)  # of sites alone: where on them a visitor was, nobody needs to know
def _site(said: str) -> str:
    return origin_of(said) or NO_SITE


@lru_cache(1024)
def _host(scheme: str, header: str) -> str:
    try:
        return get_host(scheme, header)
    except SecurityError:
        return ""


@lru_cache(1024)
def _accepted(header: str) -> tuple[str, ...]:
    return tuple(tag for tag, quality in parse_accept_header(header, LanguageAccept) if quality)
