"""The domains that we write from: DMARC, the key of DKIM, and where bounces go."""

import base64
import re
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from subscriptions.doctor.finding import Asked, Finding, found
from subscriptions.inbound.own_mail import Signature, tags
from subscriptions.mail.compiled_mails import sender_in
from subscriptions.parts import Parts

_SHORT, _USUAL = 1024, 2048  # bits of an RSA key


def senders(parts: Parts) -> dict[str, str]:
    """By the domain that people see, the one that bounces go to."""
    mail, rows = parts.settings.mail, parts.catalogue.configured
    seen = {sender_in(text).domain for text in (mail.sender, *(row.sender for row in rows if row.sender))}
    return {domain: sender_in(mail.envelope_sender).domain or domain for domain in sorted(seen)}


def dmarc_of(asked: Asked, domain: str) -> tuple[str, list[dict[str, str]]]:
    """The domain, or the parent, that has a record, and its records; its last two labels where none has."""
    labels = domain.split(".")
    for start in range(max(0, len(labels) - 5), len(labels) - 1):  # RFC 9989 asks no more than a few
        name = ".".join(labels[start:])
        if known := [text for text in asked.names.texts(f"_dmarc.{name}") if re.match(r"v=DMARC1\s*(;|$)", text)]:
            return name, [tags(text) for text in known]
    return ".".join(labels[-2:]), []


def dmarc(asked: Asked) -> Iterator[Finding]:
    for domain, envelope in senders(asked.parts).items():
        name, known = dmarc_of(asked, domain)
        reports = f"rua=mailto:dmarc@{name}"
        record = f'_dmarc.{name}. IN TXT "v=DMARC1; p=none; {reports}"'
        if not known:
            yield found("dmarc-none", record, domain=domain)
        elif len(known) > 1 or known[0].get("p") not in ("none", "quarantine", "reject"):
            yield found("dmarc-broken", record, domain=name)
        elif "rua" not in known[0]:
            yield found("dmarc-unread", reports, domain=name)
        if dmarc_of(asked, envelope)[0] != name:
            yield found("dmarc-apart", f'envelope_sender = "bounces@{domain}"', domain=domain, other=envelope)


def bounces(asked: Asked) -> Iterator[Finding]:
    for domain in sorted({*senders(asked.parts).values()}):
        hosts = asked.names.exchanges(domain)
        if hosts == [""]:
            yield found("bounces-null", f'envelope_sender = "bounces@{domain}"', domain=domain)
        elif not any(asked.names.addresses(host) for host in hosts or [domain]):
            host = next(iter(hosts), f"mx.{domain}")
            yield found("bounces-lost" if hosts else "bounces-none", f"{domain}. IN MX 10 {host}.", domain=domain,
                        host=host)  # fmt: skip


def dkim(asked: Asked) -> Iterator[Finding]:
    """The selector is only known from an email of ours that has arrived."""
    mail = asked.arrived
    assert mail is not None
    if not mail.signatures:
        yield found("dkim-none", f"d={mail.sender}")
    else:
        name = dmarc_of(asked, mail.sender)[0]
        ours = [one for one in mail.signatures if dmarc_of(asked, one.domain)[0] == name]  # a relay may add its own
        for one in ours:
            yield from _key(asked, one)
        if not ours:
            yield found("dkim-other", f"d={mail.sender}", domain=mail.sender, other=mail.signatures[0].domain)


def _key(asked: Asked, one: Signature) -> Iterator[Finding]:
    name = f"{one.selector}._domainkey.{one.domain}"
    record = next((tags(text) for text in asked.names.texts(name)), None)
    if record is None:
        yield found("key-none", name, name=name)
    elif (bits := _bits(record)) < _SHORT:
        yield found("key-broken", name, name=name)
    elif bits < _USUAL:
        yield found("key-short", name, name=name, num=bits)
    if record and "y" in record.get("t", "").split(":"):
        yield found("key-test", name, name=name)


def _bits(record: dict[str, str]) -> int:
    """Nought: no key."""
    try:
        raw = base64.b64decode(record.get("p", ""), validate=True)
        key = None if record.get("k") == "ed25519" else load_der_public_key(raw)
    except ValueError:
        return 0
    return key.key_size if isinstance(key, RSAPublicKey) else _USUAL * (len(raw) == 32)  # of Ed25519 (RFC 8463)
