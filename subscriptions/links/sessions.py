"""The way to one's own preferences: a link that works once, and the session that the page behind it carries along."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from subscriptions.clock import Clock
from subscriptions.links.purposes import PREFERENCES, SESSION, Tokens
from subscriptions.links.signing import BadLink


@dataclass(frozen=True, slots=True)
class Opener:
    """What a link to the preferences says: whose, which one of theirs, and until when."""

    key: bytes
    nonce: bytes
    until: datetime
    hash: bytes  # what is remembered of a used link


@dataclass(frozen=True, slots=True)
class Session:
    """Whose preferences page this is, and until when it works."""

    key: bytes
    until: datetime


class Sessions:
    """Both tokens name the keyed address, never the address. One that is too old is still read: it says who asks."""

    def __init__(self, secret_keys: Sequence[bytes], clock: Clock) -> None:
        self._links = Tokens(PREFERENCES, secret_keys, clock)
        self._sessions = Tokens(SESSION, secret_keys, clock)

    def link_token(self, nonce: bytes, key: bytes) -> str:
        return self._links.write(nonce, key)

    def session_token(self, key: bytes) -> str:
        return self._sessions.write(key)

    def read_link(self, text: str) -> Opener:
        (nonce, key), until, used = self._links.read(text)
        if until is None or used is None:
            raise BadLink
        return Opener(key, nonce, until, used)

    def read_session(self, text: str) -> Session:
        (key,), until, _ = self._sessions.read(text)
        if until is None:
            raise BadLink
        return Session(key, until)
