"""What a program with a token may say of the visitor that it speaks for: IP address, page and time."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from subscriptions.clock import text
from subscriptions.web.http.problem import Problem

LONGEST_PAGE = 500
EARLY, LATE = timedelta(hours=24), timedelta(minutes=5)  # how far its clock may be behind and ahead of ours
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class Vouched:
    """`details` stand in the evidence of the registration as they are."""

    ip: str | None
    details: Mapping[str, str]


NOTHING = Vouched(None, {})


def vouched(data: Mapping[str, str], now: datetime) -> Vouched | list[Problem]:
    """What the members say, or what is wrong with them."""
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for name, read in _READERS.items():
        if name in data:
            try:
                found[name] = read(data[name], now)
            except ValueError as error:
                problems.append(Problem(name, str(error)))
    if problems:
        return problems
    kept = {"page": "page", "time": "submitted_at"}
    return Vouched(found.get("ip"), {kept[name]: value for name, value in found.items() if name in kept})


def _ip(value: str, _: datetime) -> str:
    try:
        found = ipaddress.ip_address(value)
    except ValueError:
        raise ValueError("An IPv4 or IPv6 address.") from None
    if "%" in value:
        raise ValueError("An IPv6 address without a zone.")
    return str(getattr(found, "ipv4_mapped", None) or found)


def _page(value: str, _: datetime) -> str:
    """The page without query and fragment: those may name the visitor, and evidence outlives an erasure."""
    try:
        url = urlsplit(value)
        fits = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:
        fits = False
    if not fits or len(value) > LONGEST_PAGE or not re.fullmatch(r"[!-~]+", value):
        raise ValueError(f"The address of a page, http or https, of at most {LONGEST_PAGE} characters.")
    kept = url._replace(query="", fragment="").geturl()
    if "@" in kept or "%40" in kept:
        raise ValueError("The address of a page that names nobody: without an @-sign.")
    return kept


def time_in(value: str) -> datetime:
    """A time as programs write it; raises ValueError, which says what is wanted."""
    try:
        if not _TIME.fullmatch(value):
            raise ValueError
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError('A time with its zone (RFC 3339), such as "2026-11-23T12:00:00Z".') from None


def is_time(value: str) -> bool:
    with suppress(ValueError):
        return bool(time_in(value))
    return False


def _time(value: str, now: datetime) -> str:
    at = time_in(value)
    if not now - EARLY <= at <= now + LATE:
        raise ValueError("A time of the last 24 hours.")
    return text(at)


_READERS: dict[str, Callable[[str, datetime], str]] = {"ip": _ip, "page": _page, "time": _time}
