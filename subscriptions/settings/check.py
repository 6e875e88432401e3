"""What a configuration must hold to: one sentence for each thing that does not."""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator
from email.utils import getaddresses, parseaddr
from urllib.parse import SplitResult, urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from subscriptions.domain.address import BadAddress, parse
from subscriptions.settings import ListSettings, Settings, rate
from subscriptions.settings.check_abuse import abuse_problems
from subscriptions.settings.check_look import look_problems
from subscriptions.settings.check_sites import site_problems

WEAK = {"", "dev", "secret", "changeme", "change-me", "password"}


def problems_of(settings: Settings) -> list[str]:
    """One sentence a problem, each naming the key."""
    return [
        *_server(settings), *_mail(settings), *_numbers(settings), *_rates(settings), *_database(settings),
        *abuse_problems(settings), *_lists(settings),
    ]  # fmt: skip


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _server(settings: Settings) -> Iterator[str]:
    server = settings.server
    url = _web(server.base_url)
    if url is None or re.search(r"[^!-~]|[<>]", server.base_url):
        yield 'base_url in [server] must be an address such as "https://news.example.org".'
    elif url.path not in ("", "/") or url.query or url.fragment or "@" in url.netloc:
        yield "base_url in [server] must not have a path, a query or a user."
    if len(server.pepper) < 16 and server.pepper:
        yield "pepper in [server] is too short: at least 16 characters."
    for key in server.secret_keys:
        if key.lower() in WEAK or len(key) < 16:
            yield "secret_keys in [server] holds a key that is too short: at least 16 characters each."


def _web(address: str) -> SplitResult | None:
    """The parts of an address of the web, or None if it is none."""
    try:
        url = urlsplit(address)
        return url if url.scheme in ("http", "https") and url.hostname and url.port != 0 else None
    except ValueError:
        return None


def _mail(settings: Settings) -> Iterator[str]:
    mail, server = settings.mail, settings.server
    if mail.transport not in ("mailbox", "smtp"):
        yield 'transport in [mail] must be "mailbox" or "smtp".'
    if mail.security not in ("none", "starttls", "tls"):
        yield 'security in [mail] must be "none", "starttls" or "tls".'
    if mail.password and mail.security == "none" and not is_loopback(mail.host):
        yield 'password in [mail] would cross the network in clear: set security to "starttls" or "tls".'
    for key in ("sender", "envelope_sender"):
        yield from _sender(key, getattr(mail, key))
    if mail.transport == "mailbox":
        url = _web(server.base_url)
        for key, host in (("base_url", url and url.hostname), ("host", server.host)):
            if host is not None and not is_loopback(host):
                yield (
                    f'{key} in [server] is not a loopback address, and transport in [mail] is "mailbox", which shows '
                    'every mail to every visitor: set transport to "smtp", or serve on 127.0.0.1.'
                )


def _sender(key: str, value: str) -> Iterator[str]:
    if key == "envelope_sender" and not value:
        return
    name, address = parseaddr(value)
    try:
        if len(getaddresses([value])) != 1:
            raise BadAddress
        parse(address)
    except BadAddress:
        yield f'{key} in [mail] must be an address such as "Newsletter <newsletter@example.org>".'
    if re.search(r"[\x00-\x1f\x7f]", value) or "[" in name:
        yield f"{key} in [mail] must not hold control characters or place-holders."


_RANGES = {
    ("server", "port"): (1, 65535), ("server", "workers"): (1, 64), ("server", "trusted_proxies"): (0, 10),
    ("mail", "port"): (1, 65535), ("mail", "timeout_seconds"): (1, 300), ("mail", "connections"): (1, 50),
    ("mail", "max_per_minute"): (0, 1_000_000), ("lifecycle", "confirm_within_hours"): (1, 24 * 14),
    ("lifecycle", "purge_after_days"): (1, 31), ("lifecycle", "keep_proof_years"): (0, 30),
    ("lifecycle", "keep_ip_months"): (0, 120), ("abuse", "fill_seconds"): (0, 60),
    ("abuse", "unconfirmed_percent"): (0, 100),
    **{("abuse", f"{what}signups_per_minute"): (0, 1_000_000) for what in ("", "list_", "domain_")},
}  # fmt: skip


def _numbers(settings: Settings) -> Iterator[str]:
    for (section, key), (low, high) in _RANGES.items():
        if not low <= getattr(getattr(settings, section), key) <= high:
            yield f"{key} in [{section}] must be from {low} to {high}."
    life = settings.lifecycle
    if life.confirm_within_hours >= 24 * life.purge_after_days:
        yield "purge_after_days in [lifecycle] must be longer than confirm_within_hours."


def _rates(settings: Settings) -> Iterator[str]:
    limits = settings.limits
    named = [("confirmations_per_address in [limits]", text) for text in limits.confirmations_per_address]
    named.append(("signups_per_network in [limits]", limits.signups_per_network))
    named.append(("proof_of_work_from in [abuse]", settings.abuse.proof_of_work_from))
    for label, text in named:
        try:
            rate(text or "1/1h")
        except ValueError as error:
            yield f"{label}: {error}."


def _database(settings: Settings) -> Iterator[str]:
    try:
        backend = make_url(settings.database.url).drivername
    except (ArgumentError, ValueError):
        backend = ""
    if backend not in ("sqlite", "postgresql+psycopg", "postgresql"):
        yield 'url in [database] must start with "sqlite:///" or "postgresql+psycopg://".'


def _lists(settings: Settings) -> Iterator[str]:
    for slug, times in Counter(configured.slug for configured in settings.lists).items():
        if times > 1:
            yield f'slug "{slug}" stands in more than one of [[lists]].'
    for configured in settings.lists:
        yield from _list(configured, settings)


def _list(configured: ListSettings, settings: Settings) -> Iterator[str]:
    label = f'[[lists]] "{configured.slug}"'
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?", configured.slug):
        yield f"slug in {label} must be of a-z, 0-9 and hyphens, at most 64."
    if not configured.name.strip() or len(configured.name) > 200 or re.search(r"[\x00-\x1f\x7f]", configured.name):
        yield f"name in {label} must be one line of at most 200 characters."
    if not configured.wording.strip():
        yield f"wording in {label} must say what people consent to."
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", configured.locale):
        yield f'locale in {label} must be a language tag such as "en" or "de-AT".'
    if configured.policy_url and _web(configured.policy_url) is None:
        yield f"policy_url in {label} must start with https:// or http://."
    yield from site_problems(configured, label)
    yield from look_problems(configured, label, settings.root)
