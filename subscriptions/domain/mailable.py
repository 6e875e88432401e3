"""Who is answered like everybody and never mailed: blocked domains, addresses of a role, our own.

Decided from the address alone, so it tells nobody anything about what is stored.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from subscriptions.domain.address import Address, mailbox_of

# RFC 2142 and custom; not info@, sales@ and the like, which people of small offices read and subscribe with
_ROLES = frozenset(
    """
    abuse postmaster hostmaster webmaster noc security usenet uucp ftp www root daemon mailer-daemon
    no-reply noreply donotreply do-not-reply listserv majordomo mailman
    """.split()
)
_MACHINES = re.compile(r"owner-.+|.+-(?:request|owner|bounces?)|bounces?(?:[-+=._].*)?")  # RFC 3834 2, VERP


@dataclass(frozen=True, slots=True)
class Mailable:
    """The rules of one installation. `own`: our mailboxes, folded; `roles`: whether those of a role are mailed."""

    blocked: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    roles: bool = False

    def why_not(self, address: Address) -> str | None:
        """Why this address is never mailed, for the operator; none: it may be."""
        local, _, domain = address.folded.rpartition("@")
        if self.own and mailbox_of(address.folded) in self.own:
            return "it belongs to this service"
        if not self.roles and _is_role(local):
            return "it is the address of a role (see role_addresses in [abuse])"
        if self.blocked and is_within(domain, self.blocked):
            return "its domain is one of blocked_domains in [abuse]"
        if self.allowed and not is_within(domain, self.allowed):
            return "its domain is not one of allowed_domains in [abuse]"
        return None


def _is_role(local: str) -> bool:
    base = local.partition("+")[0]
    return base in _ROLES or _MACHINES.fullmatch(base) is not None


@lru_cache(4096)
def is_within(domain: str, domains: frozenset[str]) -> bool:
    """Whether a domain is one of these, or below one."""
    labels = domain.split(".")
    return any(".".join(labels[first:]) in domains for first in range(len(labels)))
