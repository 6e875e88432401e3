"""Well-known mail domains: where they are read on the web, and what looks like a slip of the fingers for one.

A table, since a look-up would tell others about a sign-up. A slip is offered to the visitor and never corrected
unasked (WCAG 3.3.3).
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Webmail:
    """`url` with `{sender}` opens a search for our mails, spam folder included; without it, the inbox."""

    name: str
    url: str
    domains: str
    escaped: int = 1  # how often what stands for {sender} is percent-encoded

    @property
    def searches(self) -> bool:
        return "{sender}" in self.url

    def open(self, sender: str) -> str:
        """The address that leads to a mail of `sender`."""
        for _ in range(self.escaped):
            sender = quote(sender, safe="")
        return self.url.replace("{sender}", sender)


_TABLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
WEBMAILS = tuple(Webmail(**row) for row in _TABLE["webmail"])
NOT_KNOWN = 0  # a number of this table is one more than the place
_NUMBERS = {domain: n for n, known in enumerate(WEBMAILS, 1) for domain in known.domains.split()}


def number_of(domain: str) -> int:
    """The number of the webmail of a domain, by its name alone."""
    return _NUMBERS.get(domain, NOT_KNOWN)


def webmail(number: int) -> Webmail | None:
    """The webmail of that number; None where there is none, or not any more."""
    return WEBMAILS[number - 1] if 0 < number <= len(WEBMAILS) else None


_MEANT: list[str] = _TABLE["meant"].split()
_REAL: frozenset[str] = frozenset(_TABLE["real"].split()).union(_NUMBERS).difference(_MEANT)
_ENDINGS = {typed: meant for meant, many in _TABLE["endings"].items() for typed in many.split()}
_COUNTRIES, _SECONDS = frozenset(_TABLE["countries"].split()), frozenset(_TABLE["seconds"].split())
_SINGLE, _SLIPS = _COUNTRIES.union(_TABLE["generic"].split()), frozenset(_TABLE["slips"].split())


def _with_one_less(domain: str) -> Iterable[str]:
    return (domain[:at] + domain[at + 1 :] for at in range(len(domain)))


# with one letter left out of both, names meet that differ by one letter: missing, too many, mistaken or moved
_NEAR: dict[str, str] = {
    less: meant for meant in reversed([*_MEANT, *sorted(_REAL)]) for less in (*_with_one_less(meant), meant)
}


@lru_cache(4096)
def meant_by(domain: str) -> str | None:
    """The domain that was probably meant, where this one looks like a slip; as machines compare them."""
    if is_well_known(domain):
        return None
    for less in (domain, *_with_one_less(domain)):
        if less in _NEAR and _is_slip(domain, _NEAR[less]):
            return _NEAR[less]
    rest, _, ending = domain.rpartition(".")
    if ending in _ENDINGS and rest:
        right = f"{rest}.{_ENDINGS[ending]}"
        return meant_by(right) or right
    return None


def _is_slip(domain: str, meant: str) -> bool:
    """Another ending that exists is another branch; a name that is nearly the same is a slip for a long one alone."""
    name, _, ending = domain.partition(".")
    if name == meant.partition(".")[0] and not (ending in _SLIPS and meant in _MEANT):
        return not _exists(ending)
    return meant in _MEANT


def _exists(ending: str) -> bool:
    second, _, top = ending.rpartition(".")
    return top in _COUNTRIES and second in _SECONDS if second else top in _SINGLE


def is_well_known(domain: str) -> bool:
    """Whether nobody need be asked if mail can arrive there."""
    return domain in _REAL or domain in _MEANT
