"""What a configuration must hold to: one sentence for each thing that does not."""

import ipaddress
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from subscriptions.domain.address import BadAddress, named, parse
from subscriptions.domain.fields import FIELDS, OWN
from subscriptions.domain.sites import origin_of
from subscriptions.settings import ListSettings, ListTexts, Settings
from subscriptions.settings.values import look_problems, unwritable, zone_problems

RULES = tomllib.loads(Path(__file__).with_name("rules.toml").read_text("utf-8"))
_ORIGIN = re.compile(r"https?://([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(:[1-9]\d{0,4})?")
_STEERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # what ends a line or steers a terminal
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,39}: *\S.{0,79}(\n\S.{0,299})?")  # its purpose on a second line
_OURS = "email list lists locale lang wording wordings website return_url altcha r code ip page time fields"
_TAKEN = {*_OURS.split(), *FIELDS}


def problems_of(settings: Settings) -> list[str]:
    """One sentence a problem, each naming the key."""
    checks = (_server, _mail, _lifecycle, _database, _abuse, _admin, _evidence, _ruled, _lists)
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
    for section in (name for name in RULES if name != "lists"):
        yield from _of_table(section, getattr(settings, section), f"[{section}]")


def _of_table(section: str, table: Any, label: str) -> Iterator[str]:
    for key, rule in RULES[section].items():
        yield from _broken(rule, f"{key} in {label}", getattr(table, key))


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
    url = _web(base_url)
    if url is None or re.search(r"[^!-~]|[<>]", base_url):
        yield 'base_url in [server] must be a web address such as "https://news.example.org".'
    elif url.path not in ("", "/") or url.query or url.fragment or "@" in url.netloc:
        yield "base_url in [server] must not have a path, a query or a user."


def _web(address: str) -> SplitResult | None:
    try:
        url = urlsplit(address)
        return url if url.scheme in ("http", "https") and url.hostname and url.port != 0 else None
    except ValueError:
        return None


def _mail(settings: Settings) -> Iterator[str]:
    mail, server = settings.mail, settings.server
    if mail.password and mail.security == "none" and not is_loopback(mail.host):
        yield 'password in [mail] would cross the network unencrypted: set security to "starttls" or "tls".'
    for key in ("username", "password"):
        if _STEERS.search(getattr(mail, key)):
            yield f"{key} in [mail] must not contain line breaks or control characters."
    yield from _sender("sender in [mail]", mail.sender)
    if mail.envelope_sender:
        yield from _sender("envelope_sender in [mail]", mail.envelope_sender)
    if mail.transport == "mailbox":
        url = _web(server.base_url)
        for key, host in (("base_url", url and url.hostname), ("host", server.host)):
            if host is not None and not is_loopback(host):
                yield (
                    f'{key} in [server] is not a loopback address, and transport in [mail] is "mailbox", which shows '
                    'every email to every visitor: set transport to "smtp", or serve on 127.0.0.1.'
                )


def _sender(label: str, value: str) -> Iterator[str]:
    name, address = named(value)
    if not _is_address(address) or (re.search("[<>]", name) and '"' not in value):
        yield f'{label} must be one address such as "Newsletter <newsletter@example.org>".'
    elif not address.rpartition("@")[0].isascii():  # many relays take no such sender, and nobody could answer
        yield f"{label} must only have plain letters (a-z) before the @ of its address."
    if _STEERS.search(value) or "[" in name:
        yield f"{label} must not contain line breaks, control characters or placeholders."


def _is_address(text: str) -> bool:
    try:
        parse(text)
    except BadAddress:
        return False
    return True


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
    if settings.abuse.alarm_to and not _is_address(settings.abuse.alarm_to):
        yield 'alarm_to in [abuse] must be an address such as "operator@example.org".'


def _admin(settings: Settings) -> Iterator[str]:
    for text in settings.admin.networks:
        try:
            ipaddress.ip_network(text)
        except ValueError:
            yield f'networks in [admin] contains "{text}", which is not a network such as "192.0.2.0/24".'


def _evidence(settings: Settings) -> Iterator[str]:
    for text in settings.evidence.head_to:
        if not _is_address(text):
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


def list_problems(configured: ListSettings, label: str, root: Path) -> Iterator[str]:
    """The same of one list, whoever says it: the file, a command or the desk."""
    yield from _of_table("lists", configured, label)
    yield from unwritable(configured, label)
    for key in ("policy_url", "imprint_url"):
        if (url := getattr(configured, key)) and _web(url) is None:
            yield f"{key} in {label} must start with https:// or http://."
    for key in ("sender", "reply_to"):
        if text := getattr(configured, key):
            yield from _sender(f"{key} in {label}", text)
    if configured.timezone:
        yield from zone_problems(configured.timezone, label)
    for tag, texts in configured.texts.items():
        yield from _texts(configured, tag, texts, label)
    yield from site_problems(configured, label)
    yield from look_problems(configured, label, root)


def _texts(configured: ListSettings, tag: str, texts: ListTexts, label: str) -> Iterator[str]:
    """The rules of the list's own texts, for those that there are."""
    own, label = configured.locale.lower(), f"{label}, texts.{tag},"
    if f"{own}-".startswith(f"{tag.lower()}-"):
        yield f'texts in {label} are in the list\'s own language, "{configured.locale}": put them in the list itself.'
    for key in ("name", "wording", "welcome_text", "confirmed_text"):
        if getattr(texts, key):
            yield from _broken(RULES["lists"][key], f"{key} in {label}", getattr(texts, key))
    yield from unwritable(texts, label)
    if texts.policy_url and _web(texts.policy_url) is None:
        yield f"policy_url in {label} must start with https:// or http://."
    keys = {key for text in configured.fields if (key := text.partition(":")[0]) != text}
    for text in texts.fields:
        key = text.partition(":")[0]
        if not _FIELD.fullmatch(text) or key not in keys:
            known = ", ".join(sorted(keys)) or "none"
            yield f'fields in {label} contains "{key}": for the list\'s own fields ({known}), use {OWN}.'


def site_problems(configured: ListSettings, label: str) -> Iterator[str]:
    """Exact origins, redirects that stay on them, and fields that are told apart."""
    for origin in configured.origins:
        if not _ORIGIN.fullmatch(origin) or origin_of(origin) != origin:
            yield f'origins in {label} contains "{origin}", which is not an origin such as "https://www.example.org".'
    for key in ("thank_you_url", "confirmed_url"):
        url = getattr(configured, key)
        if url and origin_of(url) not in configured.origins:
            known = ", ".join(configured.origins) or "none yet"
            yield f"{key} in {label} must be on one of the list's origins ({known})."
    keys = [text.partition(":")[0] for text in configured.fields]
    for text, key in zip(configured.fields, keys, strict=True):
        if text not in FIELDS and (not _FIELD.fullmatch(text) or key in _TAKEN):
            yield f'fields in {label} contains "{key}": use {", ".join(FIELDS)}, or a field of your own, {OWN}.'
    if len(set(keys)) < len(keys):
        yield f"fields in {label} names a field twice."
