"""A service of which all is well, so that one thing can be broken at a time; and what the doctor then finds."""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask

from subscriptions.doctor import run
from subscriptions.doctor.finding import Finding, Result
from subscriptions.doctor.says import NOTES
from subscriptions.parts import current_parts
from subscriptions.settings import Abuse, Mail, Settings
from tests.builders import World
from tests.conftest import ManualClock
from tests.support.names import NameServer
from tests.support.relay import Relay

DOMAIN, NAME = "example.net", "k1._domainkey.example.net"
FROM = f"Example letters <letters@{DOMAIN}>"
SPF = '"v=spf1 ip4:192.0.2.1 include:_spf.example.com -all"'
DMARC = '"v=DMARC1;p=none;rua=mailto:dmarc@example.net"'
BASE = "https://localhost"


@cache
def key(bits: int = 2048, more: str = "") -> str:
    """A record of DKIM; a text of the DNS has 255 octets at most."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()
    raw = base64.b64encode(made.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    text = f"v=DKIM1;k=rsa;{more}p={raw}"
    return " ".join(f'"{text[at : at + 250]}"' for at in range(0, len(text), 250))


def zone() -> dict[str, Any]:
    return {
        DOMAIN: {"MX": f"10 mx.{DOMAIN}.", "TXT": f'"unrelated"; {SPF}'},
        f"mx.{DOMAIN}": {"A": "192.0.2.1"},
        "_spf.example.com": {"TXT": '"v=spf1 ip4:198.51.100.0/24 ~all"'},
        f"_dmarc.{DOMAIN}": {"TXT": DMARC},
        NAME: {"TXT": key()},
    }


SIGNATURE = (
    f"v=1; a=rsa-sha256; d={DOMAIN}; s=k1; h=from:to:subject:date:message-id:list-unsubscribe:\r\n"
    "\tlist-unsubscribe-post; bh=x; b=y"
)
HEAD: dict[str, str | list[str]] = {
    "Received": [
        "by 2002:a05:6512::1 with SMTP id x; Mon, 23 Nov 2026 12:00:04 +0000",
        "from mail.example.net (mail.example.net [192.0.2.1])\r\n\tby mx.example.com with ESMTPS id y\r\n"
        "\t(version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384); Mon, 23 Nov 2026 12:00:03 +0000",
        "from localhost (localhost [127.0.0.1]) by mail.example.net with ESMTP id z; Mon, 23 Nov 2026 12:00:01 +0000",
    ],
    "Authentication-Results": [
        "mx.example.com; dkim=pass (2048-bit key; dmarc=fail is no result) header.d=example.net;\r\n"
        "\tdkim=fail header.d=other.example; spf=pass smtp.mailfrom=example.net; dmarc=pass header.from=example.net",
        "forged.example; dkim=fail; spf=fail; dmarc=fail",
    ],
    "DKIM-Signature": SIGNATURE,
    "X-Spam-Status": "No, score=0.1 required=5.0",
    "From": FROM,
    "To": "anne@example.org",
    "Subject": "[Test] Please confirm",
    "Date": "Mon, 23 Nov 2026 12:00:00 +0000",
    "Message-ID": "<0011@example.net>",
    "List-Unsubscribe": f"<{BASE}/not-me/this-is-only-an-example>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
}


def email(**changed: str | list[str] | None) -> bytes:
    """The source of an email that arrived; names of headers with `_` for `-`, and none to leave one out."""
    head = HEAD | {name.replace("_", "-"): value for name, value in changed.items()}  # type: ignore[operator]
    rows = [
        (name, text) for name, value in head.items() for text in ([value] if isinstance(value, str) else value or [])
    ]
    return "\r\n".join([*(f"{name}: {text}" for name, text in rows), "", "Hello,", ""]).encode()


def settled(
    make_app: Callable[..., Flask], names: NameServer, *, mail: Mapping[str, Any] | None = None, **sections: Any
) -> Flask:
    """A live service whose DNS is that one."""
    said = {"transport": "smtp", "sender": FROM, "timeout_seconds": 1} | dict(mail or {})
    abuse = Abuse(nameservers=(names.address,), proof_of_work_from="")
    return make_app(mail=Mail(**said), abuse=abuse, **sections)


def looked(app: Flask, *only: str) -> list[Result]:
    with app.app_context():
        return run.run(app, only)


def wrong(app: Flask, *only: str) -> list[Finding]:
    """What is found, but for notes."""
    return [one for result in looked(app, *only) for one in result.findings or () if one.name not in NOTES]


def named(findings: Iterable[Finding]) -> list[str]:
    return [one.name for one in findings]


def give(app: Flask, octets: bytes) -> None:
    """An email that arrived."""
    with app.app_context():
        run.take(current_parts(app), octets)


@contextmanager
def alive(make_app: Callable[..., Flask], settings: Settings, clock: ManualClock) -> Iterator[World]:
    """With a DNS and a relay of which all is well; nobody answers at its own address."""
    with Relay() as relay, NameServer(zone()) as names:
        mail = {"host": relay.host, "port": relay.port}
        app = settled(make_app, names, mail=mail, server=replace(settings.server, base_url=BASE))
        with app.app_context():
            yield World(app, app.test_client(), clock)
