"""The website that a form is for, as its owner writes it down; and what the configuration has to say for it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from subscriptions.domain.sites import machine_url, origin_of
from subscriptions.languages import marked
from subscriptions.settings.check import is_loopback
from subscriptions.store.models import List

NO_SITE = marked("This is not the address of a website. Copy it from your browser, such as www.example.org.")


@dataclass(frozen=True, slots=True)
class Site:
    """`allowed`: by all lists; `lines`: for each other list, its whole new line in config.toml."""

    typed: str
    origins: Sequence[str] = ()
    lines: Sequence[tuple[List, str]] = ()
    trouble: str = ""
    allowed: Sequence[str] = ()

    @property
    def missing(self) -> list[str]:
        return [origin for origin in self.origins if origin not in self.allowed]


def asked(typed: str, rows: Sequence[List]) -> Site:
    """What is missing until the forms work there."""
    typed = typed.strip()
    if not typed:
        return Site("")
    origins = origins_of(typed)
    if not origins:
        return Site(typed, trouble=NO_SITE)
    lines = [(row, _line(row, origins)) for row in rows if not {*origins} <= {*row.origins}]
    return Site(typed, origins, lines, allowed=[one for one in origins if all(one in row.origins for row in rows)])


def origins_of(typed: str) -> list[str]:
    """With and without www, which browsers tell apart; none where it is no address of a website."""
    try:
        parts = urlsplit(typed if "://" in typed else f"//{typed.removeprefix('//')}")
        host = parts.hostname or ""
    except ValueError:
        return []
    scheme = parts.scheme or ("http" if is_loopback(host) else "https")
    origin, has_name = origin_of(machine_url(f"{scheme}://{parts.netloc}")), _has_name(host)
    if origin is None or not (has_name or is_loopback(host)):
        return []
    bare = origin.replace("://www.", "://", 1)
    return [bare, bare.replace("://", "://www.", 1)] if has_name else [origin]


def _has_name(host: str) -> bool:
    """Neither a number nor of one's own machine."""
    return "." in host.strip(".") and not host.replace(".", "").isdigit() and not is_loopback(host)


def _line(row: List, origins: Sequence[str]) -> str:
    return f"origins = {json.dumps([*dict.fromkeys([*row.origins, *origins])])}"
