"""What a configuration must hold to: one sentence for each thing that does not."""

import ipaddress
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from subscriptions.domain.address import named
from subscriptions.settings import Settings
from subscriptions.settings.lists import list_problems
from subscriptions.settings.values import STEERS, is_address, sender_problems, web

RULES = tomllib.loads(Path(__file__).with_name("rules.toml").read_text("utf-8"))


def problems_of(settings: Settings) -> list[str]:
    """One sentence a problem, each naming the key."""
    checks = (_server, _mail, _inbound, _lifecycle, _database, _abuse, _admin, _evidence, _ruled, _lists)
    return [problem for check in checks for problem in check(settings)]


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _ruled(settings: Settings) -> Iterator[str]:
    for section, rules in RULES.items():
        for key, rule in rules.items():
            yield from _broken(rule, f"{key} in [{section}]", getattr(getattr(settings, section), key))


def _broken(rule: Any, label: str, value: Any) -> Iterator[str]:
    if isinstance(value, int):
        low, high = rule
        if not low <= value <= high:
            yield f"{label} must be from {low} to {high}."
    else:
        for text in [value] if isinstance(value, str) else value:
            if not re.fullmatch(rule["is"], text):
                yield f"{label}{rule['else'].replace('{}', text)}."


def _server(settings: Settings) -> Iterator[str]:
    base_url = settings.server.base_url
    url = web(base_url)
    if url is None or re.search(r"[^!-~]|[<>]", base_url):
        yield 'base_url in [server] must be a web address such as "https://news.example.org".'
    elif url.path not in ("", "/") or url.query or url.fragment or "@" in url.netloc:
        yield "base_url in [server] must not have a path, a query or a user."


def _mail(settings: Settings) -> Iterator[str]:
    mail, server = settings.mail, settings.server
    if mail.password and mail.security == "none" and not is_loopback(mail.host):
        yield 'password in [mail] would cross the network unencrypted: set security to "starttls" or "tls".'
    for key in ("username", "password"):
        if STEERS.search(getattr(mail, key)):
            yield f"{key} in [mail] must not contain line breaks or control characters."
    yield from sender_problems("sender in [mail]", mail.sender)
    if mail.envelope_sender:
        yield from sender_problems("envelope_sender in [mail]", mail.envelope_sender)
    if mail.transport == "mailbox":
        url = web(server.base_url)
        for key, host in (("base_url", url and url.hostname), ("host", server.host)):
            if host is not None and not is_loopback(host):
                yield (
                    f'{key} in [server] is not a loopback address, and transport in [mail] is "mailbox", which shows '
                    'every email to every visitor: set transport to "smtp", or serve on 127.0.0.1.'
                )


def _inbound(settings: Settings) -> Iterator[str]:
    inbound = settings.inbound
    for key in ("address", "forward"):
        if (text := getattr(inbound, key)) and not is_address(text):
            yield f'{key} in [inbound] must be an address such as "leave@news.example.org".'
    takes_tokens = (
        ("address in [inbound]", inbound.address),
        ("envelope_sender in [mail]", settings.mail.envelope_sender),
    )
    for where, text in takes_tokens if inbound.token_in == "address" else ():  # noqa: S105 no password
        local = named(text)[1].rpartition("@")[0]
        if "+" in local or len(local) > _LOCAL_AT_MOST or not local.isascii():
            yield f"{where} must have at most {_LOCAL_AT_MOST} plain characters and no + before the @: a token follows."
    if inbound.forward and _plain(inbound.forward) == _plain(inbound.address):
        yield "forward in [inbound] is the address that mail is taken for: it would come back; name another."
    if not inbound.address and (inbound.forward or inbound.imap_host):
        yield "address in [inbound] is missing: say to which address the mail is sent that is read here."
    if inbound.imap_security == "none" and inbound.imap_host and not is_loopback(inbound.imap_host):
        yield 'imap_security in [inbound] must be "tls" or "starttls": the password would cross the network in clear.'
    for key in ("imap_host", "imap_username", "imap_password"):
        if STEERS.search(getattr(inbound, key)):
            yield f"{key} in [inbound] must not contain line breaks or control characters."


_LOCAL_AT_MOST = 15  # with a plus and a token of 48 characters the local part has 64, which is all that SMTP takes


def _plain(address: str) -> str:
    """Without its plus part: mail for it is mail for the address."""
    local, at, domain = address.casefold().rpartition("@")
    return local.partition("+")[0] + at + domain


def _lifecycle(settings: Settings) -> Iterator[str]:
    life = settings.lifecycle
    if life.confirm_within_hours >= 24 * life.purge_after_days:
        yield "purge_after_days in [lifecycle] must be longer than confirm_within_hours."


def _database(settings: Settings) -> Iterator[str]:
    try:
        backend = make_url(settings.database.url).drivername
    except (ArgumentError, ValueError):
        backend = ""
    if backend not in ("sqlite", "postgresql+psycopg", "postgresql"):
        yield 'url in [database] must start with "sqlite:///" or "postgresql+psycopg://".'


def _abuse(settings: Settings) -> Iterator[str]:
    for server in settings.abuse.nameservers:
        if not _is_server(server):
            yield f'nameservers in [abuse] contains "{server}", which is not an IP address such as "192.0.2.53".'
    if settings.abuse.alarm_to and not is_address(settings.abuse.alarm_to):
        yield 'alarm_to in [abuse] must be an address such as "operator@example.org".'


def _admin(settings: Settings) -> Iterator[str]:
    for text in settings.admin.networks:
        try:
            ipaddress.ip_network(text)
        except ValueError:
            yield f'networks in [admin] contains "{text}", which is not a network such as "192.0.2.0/24".'


def _evidence(settings: Settings) -> Iterator[str]:
    for text in settings.evidence.head_to:
        if not is_address(text):
            yield f'head_to in [evidence] contains "{text}", which is not an address such as "privacy@example.org".'


def _is_server(text: str) -> bool:
    host, _, port = text.rpartition(":") if text.count(":") == 1 else (text, ":", "53")
    try:
        ipaddress.ip_address(host)
        return port.isdecimal() and 0 < int(port) < 65536
    except ValueError:
        return False


def _lists(settings: Settings) -> Iterator[str]:
    for slug, times in Counter(configured.slug for configured in settings.lists).items():
        if times > 1:
            yield f'slug "{slug}" is used by more than one of [[lists]].'
    for configured in settings.lists:
        yield from list_problems(configured, f'[[lists]] "{configured.slug}"', settings.root)
