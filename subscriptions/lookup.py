"""Whether a mail domain takes mail, by the DNS alone (RFC 5321 5.1, RFC 7505): a quick answer, or none.

Nobody's mail server is ever asked. A sign-up waits 0.3 seconds at most; look-ups are few at a time and few a second,
and pause where name servers are silent, so that neither a flood nor a broken DNS slows anybody down.
"""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver

from subscriptions.clock import Clock

log = logging.getLogger(__name__)
WITHIN = 0.3  # seconds, for all questions about a domain together
KEY_WITHIN = 3.0
KEPT, KEPT_AT_MOST = timedelta(minutes=10), 2000
AT_ONCE, A_SECOND = 4, 10
SILENT, PAUSE = 3, timedelta(minutes=1)  # so many answers that did not come in a minute, and nobody is asked for one
# RFC 6761 and 2606: no such mail domain can exist, or what stands there is for documents
_NEVER, _UNASKED = ("invalid", "localhost"), ("test", "example", "local", "onion", "arpa")
_DOCUMENTS = frozenset({"example.com", "example.net", "example.org"})


class Lookup:
    """`nameservers`: an address each, with a port or not; none: those of this machine."""

    def __init__(self, nameservers: Sequence[str], clock: Clock) -> None:
        self._nameservers, self._clock = tuple(nameservers), clock
        self._turn = threading.Lock()
        self._places = threading.Semaphore(AT_ONCE)
        self._kept: dict[str, tuple[bool, datetime]] = {}
        self._asked: deque[datetime] = deque(maxlen=A_SECOND)
        self._silent: deque[datetime] = deque(maxlen=SILENT)
        self._resolver: dns.resolver.Resolver | None = None

    def takes_no_mail(self, domain: str, *, ask: bool = True) -> bool:
        """Whether the DNS says for sure that no mail can arrive there; `domain` in A-labels. `ask`: if need be."""
        now = self._clock.now()
        known = self._known(domain, now)
        return known if known is not None else ask and self._ask_if_possible(domain, now)

    def is_quick(self, domain: str) -> bool:
        """Whether there is an answer without asking, or none to be had now."""
        now = self._clock.now()
        return self._known(domain, now) is not None or not self._has_room(now)

    def _known(self, domain: str, now: datetime) -> bool | None:
        ending = domain.rpartition(".")[2]
        if ending in _NEVER:
            return True
        if ending in _UNASKED or domain in _DOCUMENTS:
            return False
        kept = self._kept.get(domain)
        return kept[0] if kept is not None and now < kept[1] else None

    def _ask_if_possible(self, domain: str, now: datetime) -> bool:
        if not self._may_ask(now) or not self._places.acquire(blocking=False):
            return False
        try:
            answer = self._ask(domain)
        finally:
            self._places.release()
        if answer is None:
            self._silent.append(now)
            return False
        with self._turn:
            if len(self._kept) >= KEPT_AT_MOST:
                self._kept.pop(next(iter(self._kept)))
            self._kept[domain] = answer, now + KEPT
        return answer

    def _may_ask(self, now: datetime) -> bool:
        with self._turn:
            if room := self._has_room(now):
                self._asked.append(now)
            return room

    def _has_room(self, now: datetime) -> bool:
        if len(self._silent) == SILENT and now - self._silent[0] < PAUSE:
            return False
        return len(self._asked) < A_SECOND or now - self._asked[0] >= timedelta(seconds=1)

    def _ask(self, domain: str) -> bool | None:
        """No MX, and no address that stands in for one (RFC 5321 5.1); or a null MX (RFC 7505). None: not in time."""
        name, end = dns.name.from_text(domain), self._clock.ticks() + WITHIN
        try:
            exchanges = self._answer(name, "MX", end)
            if exchanges is not None:
                return all(str(exchange).split()[-1] == "." for exchange in exchanges)
            return all(self._answer(name, kind, end) is None for kind in ("A", "AAAA"))
        except dns.resolver.NXDOMAIN:
            return True
        except (dns.exception.DNSException, OSError):
            return None

    def text(self, name: str) -> bytes | None:
        """The key of a signature (RFC 6376): asked for mail that comes, behind which no visitor waits."""
        try:
            [first, *_] = self._resolving().resolve(name, "TXT", lifetime=KEY_WITHIN, search=False)
        except (dns.exception.DNSException, OSError):
            return None
        return b"".join(first.strings)

    def _answer(self, name: dns.name.Name, kind: str, end: float) -> list[object] | None:
        """The records of a name; none where it has no such."""
        seconds = max(0.001, end - self._clock.ticks())
        try:
            return list(self._resolving().resolve(name, kind, lifetime=seconds, search=False))
        except dns.resolver.NoAnswer:
            return None

    def _resolving(self) -> dns.resolver.Resolver:
        if self._resolver is None:
            self._resolver = resolver(self._nameservers, WITHIN)
        return self._resolver


def resolver(nameservers: Sequence[str], seconds: float) -> dns.resolver.Resolver:
    """Which asks these, or those of this machine; each waits so long at most."""
    made = dns.resolver.Resolver(configure=not nameservers)
    if nameservers:
        made.nameservers = [_nameserver(text) for text in nameservers]
    made.timeout = seconds
    return made


def _nameserver(text: str) -> dns.nameserver.Nameserver:
    host, _, port = text.rpartition(":") if text.count(":") == 1 else (text, "", "53")
    return dns.nameserver.Do53Nameserver(host, int(port))
