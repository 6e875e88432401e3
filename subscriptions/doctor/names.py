"""What the DNS says of names: each answer within seconds, and what is not there told from what cannot be known."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import dns.resolver

from subscriptions import lookup

SECONDS = 5.0


class Names:
    """`nameservers`: as in [abuse]; none: those of this machine."""

    def __init__(self, nameservers: Sequence[str]) -> None:
        self._nameservers = nameservers

    @cached_property
    def _resolver(self) -> dns.resolver.Resolver:
        return lookup.resolver(self._nameservers, SECONDS)

    def records(self, name: str, kind: str) -> list[Any]:
        """Those of a name; raises DNSException where nobody answers."""
        try:
            return list(self._resolver.resolve(name, kind, lifetime=SECONDS, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []

    def texts(self, name: str) -> list[str]:
        return [b"".join(one.strings).decode("utf-8", "replace") for one in self.records(name, "TXT")]

    def addresses(self, name: str) -> list[str]:
        return [str(one) for kind in ("A", "AAAA") for one in self.records(name, kind)]

    def exchanges(self, name: str) -> list[str]:
        """Who takes the mail of a domain; a null MX (RFC 7505) is an empty name."""
        return [str(one.exchange).rstrip(".") for one in self.records(name, "MX")]
