"""Messages as people's mail programs and servers send them to us, signed if a test wants it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import format_datetime
from itertools import count

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

LEAVE = "leave@news.example.org"
OURS = "mx.example.org"
_KEY = rsa.generate_private_key(65537, 2048)
_PRIVATE = _KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
)
_PUBLIC = _KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
RECORD = b"v=DKIM1;k=rsa;p=" + b"".join(_PUBLIC.split(b"\n")[1:-2])
SIGNED = ("from", "to", "subject", "date", "message-id")
_numbers = count(1)


def letter(at: datetime, words: str = "unsubscribe", *above: str, **fields: str | None) -> bytes:
    """From Bart to us. `above`: lines on top of it; `fields`: others than these, or None for no such field."""
    said: dict[str, str | None] = {
        "From": "Bart <bart@example.org>", "To": LEAVE, "Subject": "Re: News", "Date": format_datetime(at),
        "Message-ID": f"<{next(_numbers)}@example.org>", "Content-Type": "text/plain; charset=utf-8",
    }  # fmt: skip
    said |= {name.replace("_", "-"): value for name, value in fields.items()}
    lines = [*above, *(f"{name}: {value}" for name, value in said.items() if value is not None), "", words, ""]
    return "\r\n".join(lines).encode()


def signed(octets: bytes, domain: str = "example.org", headers: tuple[str, ...] = SIGNED, **more: bool) -> bytes:
    """With a signature of that domain on top."""
    names = [name.encode() for name in headers]
    made = dkim.DKIM(octets).sign(b"s", domain.encode(), _PRIVATE, include_headers=names, **more)
    return bytes(made) + octets


def trusted(octets: bytes, says: str = "dkim=pass header.d=example.org", by: str = OURS) -> bytes:
    """As our mail server hands it on: with its results above its own line of when the message came."""
    return (
        f"Authentication-Results: {by};\r\n {says}\r\nReceived: from a by {OURS} with ESMTPS; now\r\n".encode() + octets
    )


def keys(records: Mapping[str, bytes]) -> Callable[[str], bytes | None]:
    """A DNS that knows these."""
    return lambda name: records.get(name.rstrip("."))
