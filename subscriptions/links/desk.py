"""What the desk signs and seals: links that are mailed, challenges of passkeys, the keys of one-time codes."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from itsdangerous import BadData
from itsdangerous.encoding import base64_decode

from subscriptions.clock import Clock
from subscriptions.links.purposes import BOUND, CHALLENGE, NONCE, Tokens
from subscriptions.links.sealing import Seals
from subscriptions.links.signing import BadLink, derived, encoded


@dataclass(frozen=True, slots=True)
class Challenge:
    """One of ours: the hash by which it is used up, and until when it counts."""

    hash: bytes
    until: datetime


class DeskTokens:
    """`secret_keys`: newest first; the first signs and seals, all verify and open."""

    def __init__(self, secret_keys: Sequence[bytes], clock: Clock) -> None:
        self._link_key = derived(b"desk link", secret_keys[0])
        self._challenges = Tokens(CHALLENGE, secret_keys, clock)
        self._seals = Seals(b"second factor", secret_keys)
        self._clock = clock

    def link(self, mid: bytes) -> str:
        """The secret of the link in the mail of that name: so nobody has it who reads what waits to leave."""
        return encoded(hashlib.blake2b(mid, key=self._link_key, digest_size=32).digest()).decode()

    def challenge(self, about: bytes) -> str:
        """For a passkey to sign, for one purpose of one browser; nothing is stored until it is used."""
        return self._challenges.write(_bound(about), secrets.token_bytes(NONCE))

    def read_challenge(self, text: str, about: bytes) -> Challenge | None:
        """None where it is not ours, made for something else, or too old."""
        try:
            (bound, _), until, used = self._challenges.read(text)
        except BadLink:
            return None
        if until is None or used is None or bound != _bound(about) or self._clock.now() >= until:
            return None
        return Challenge(used, until)

    def seal(self, secret: str, account_id: int) -> str:
        """The key of an account's one-time codes."""
        return encoded(self._seals.seal(secret.encode(), str(account_id).encode())).decode()

    def open(self, text: str, account_id: int) -> str | None:
        """None if it was not sealed for this account, or by a key that is lost."""
        try:
            opened = self._seals.open(base64_decode(text), str(account_id).encode())
        except (BadData, UnicodeError):
            return None
        return opened.decode() if opened else None


def _bound(about: bytes) -> bytes:
    return hashlib.blake2b(about, digest_size=BOUND).digest()
