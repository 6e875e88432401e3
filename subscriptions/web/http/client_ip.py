"""Who asks: the IP as it is stored, and the network by which sign-ups are counted."""

import ipaddress
import logging
import socket
from functools import cached_property, lru_cache

from subscriptions.actions.subscribe import Origin
from subscriptions.domain.texts import Sentence, marked
from subscriptions.parts import Parts
from subscriptions.web.http.incoming import Incoming

log = logging.getLogger(__name__)
LONGEST_PEER = 64  # characters: an IPv6 address in brackets, with zone and port; what is read is kept


class Peer:
    """An IP address; most are asked for their text alone, and what kind they are takes ten times as long."""

    def __init__(self, text: str, ip: ipaddress.IPv4Address | ipaddress.IPv6Address | None = None) -> None:
        """`text`: as it is stored; of an IPv6 address `ip` is given as well."""
        self.text, self._ip = text, ip

    @cached_property
    def ip(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        return self._ip or ipaddress.IPv4Address(self.text)

    @property
    def network(self) -> str:
        """That it is counted with: one IPv4 address or one IPv6 /64, what one household or office has."""
        if self._ip is None or self._ip.version == 4:
            return self.text
        return str(ipaddress.ip_network((self._ip, 64), strict=False))


def origin(incoming: Incoming, parts: Parts) -> Origin:
    """Where this request came from: the peer, or the client that a configured proxy names."""
    peer = _peer(incoming.peer)
    forwarded = incoming.headers.get("x-forwarded-for", "")
    proxies = parts.settings.server.trusted_proxies
    source, client = "peer", peer
    if proxies and forwarded:
        hops = forwarded.split(",")
        named = _peer(hops[-proxies].strip()[:LONGEST_PEER]) if len(hops) >= proxies else None
        if named is not None:
            source, client = "proxy", named
    elif forwarded and peer is not None and peer.ip.is_private:
        _warn_once(parts)
        return Origin(peer.text, "unnamed proxy", None)
    if client is None:
        return Origin(None, source, None)
    return Origin(client.text, source, parts.links.network_key(client.network))


@lru_cache(4096)
def _peer(text: str) -> Peer | None:
    """An address as proxies write it: with a port or in brackets, IPv4 within IPv6 as IPv4."""
    if _is_ipv4(text):
        return Peer(text)
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    client = getattr(found, "ipv4_mapped", None) or found
    return Peer(str(client), client)


def _is_ipv4(text: str) -> bool:
    """Four numbers without zeros before them, as most send it: told in a tenth of the time that reading it takes."""
    try:
        return bool(socket.inet_pton(socket.AF_INET, text))
    except (OSError, ValueError):
        return False


UNNAMED = Sentence(marked(
    "a private address sends X-Forwarded-For while trusted_proxies in [server] is 0: if that is your proxy, set "
    "trusted_proxies; until then every visitor is stored with its address, and none is limited by network"
))  # fmt: skip


def _warn_once(parts: Parts) -> None:
    if UNNAMED not in parts.warnings:
        parts.warnings.append(UNNAMED)
        log.warning(UNNAMED)


FORWARDING = ("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "forwarded", "via")


def is_straight_from_loopback(incoming: Incoming) -> bool:
    """From this machine, and not through a proxy on it."""
    peer = _peer(incoming.peer)
    return peer is not None and peer.ip.is_loopback and not any(name in incoming.headers for name in FORWARDING)
