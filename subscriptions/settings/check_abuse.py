"""What [abuse] must hold to."""

import ipaddress
import re
from collections.abc import Iterator

from subscriptions.domain.address import BadAddress, parse
from subscriptions.settings import Settings

_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")


def abuse_problems(settings: Settings) -> Iterator[str]:
    """One sentence a problem, each naming the key."""
    abuse = settings.abuse
    if abuse.proof_of_work not in ("off", "always", "under_attack"):
        yield 'proof_of_work in [abuse] must be "off", "always" or "under_attack".'
    for key in ("blocked_domains", "allowed_domains"):
        for domain in getattr(abuse, key):
            if not _DOMAIN.fullmatch(domain):
                yield f'{key} in [abuse] holds "{domain}", which is no domain such as "example.org" (a-z, IDNA form).'
    for server in abuse.nameservers:
        if not _is_server(server):
            yield f'nameservers in [abuse] holds "{server}", which is no IP address such as "192.0.2.53".'
    if abuse.alarm_to and not _is_address(abuse.alarm_to):
        yield 'alarm_to in [abuse] must be an address such as "operator@example.org".'


def _is_server(text: str) -> bool:
    host, _, port = text.rpartition(":") if text.count(":") == 1 else (text, ":", "53")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return port.isdecimal() and 0 < int(port) < 65536


def _is_address(text: str) -> bool:
    try:
        parse(text)
    except BadAddress:
        return False
    return True
