"""The way to one's own preferences: a link that works once, and the session that the page behind it carries along."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from itsdangerous import BadData, URLSafeTimedSerializer

from subscriptions.clock import Clock
from subscriptions.domain.policy import LINK_LIFE, SESSION_LIFE
from subscriptions.links.signing import BadLink, plain, sized, timed, token

_KEY, _NONCE = 16, 16


@dataclass(frozen=True, slots=True)
class Opener:
    """What a link to the preferences says: whose, which one of theirs, and until when."""

    key: bytes
    nonce: bytes
    until: datetime

    @property
    def hash(self) -> bytes:
        """What is remembered of a used link: nobody gets from it to the link or to the mail that held it."""
        return hashlib.sha256(b"preferences\x00" + self.nonce).digest()[:16]


@dataclass(frozen=True, slots=True)
class Session:
    """Whose preferences page this is, and until when it works."""

    key: bytes
    until: datetime


class Sessions:
    """Both tokens name the keyed address, never the address. One that is too old is still read: it says who asks."""

    def __init__(self, secret_keys: Sequence[bytes], clock: Clock) -> None:
        self._links = timed(secret_keys, b"preferences", clock)
        self._sessions = timed(secret_keys, b"preferences-session", clock)

    def link_token(self, nonce: bytes, key: bytes) -> str:
        return token(self._links, nonce + key)

    def session_token(self, key: bytes) -> str:
        return token(self._sessions, key)

    def read_link(self, text: str) -> Opener:
        payload, until = _read(self._links, text, _NONCE + _KEY, LINK_LIFE)
        return Opener(payload[_NONCE:], payload[:_NONCE], until)

    def read_session(self, text: str) -> Session:
        return Session(*_read(self._sessions, text, _KEY, SESSION_LIFE))


def _read(serializer: URLSafeTimedSerializer, text: str, size: int, life: timedelta) -> tuple[bytes, datetime]:
    """The payload, and the first instant at which it is too old."""
    try:
        payload, written_at = serializer.loads(plain(text), return_timestamp=True)
    except BadData:
        raise BadLink from None
    return sized(payload, size), written_at + life
