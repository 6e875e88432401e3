"""What a form of ours carries: when it was shown, in a frame on which site, and the token of its one more step."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from subscriptions.clock import Clock
from subscriptions.links.purposes import BOUND, FORM_SITE, FORM_TIME, MILLISECONDS, NONCE, STEP, Tokens
from subscriptions.links.signing import BadLink


@dataclass(frozen=True, slots=True)
class Step:
    """A page that asked for one more step: since when, and the hash by which it is used up."""

    since: datetime
    hash: bytes


class FormTokens:
    """`secret_keys`: newest first; the first signs, all verify."""

    def __init__(self, secret_keys: Sequence[bytes]) -> None:
        self._time = Tokens(FORM_TIME, secret_keys, Clock())
        self._step = Tokens(STEP, secret_keys, Clock())
        self._site = Tokens(FORM_SITE, secret_keys, Clock())

    def time(self, at: datetime) -> str:
        return self._time.write(_written(at))

    def read_time(self, text: str) -> datetime | None:
        """When the form was shown; None where nothing of ours says so."""
        try:
            return _read(*self._time.read(text).parts)
        except BadLink:
            return None

    def step(self, at: datetime, key: bytes, lists: Iterable[int]) -> str:
        """For this address and these lists alone; random, so that each page is used up by itself."""
        return self._step.write(_written(at), _bound(key, lists), secrets.token_bytes(NONCE))

    def read_step(self, text: str, key: bytes, lists: Iterable[int]) -> Step | None:
        """The step that this address was asked for; None where the token is forged or somebody else's."""
        try:
            (at, bound, _), _, used = self._step.read(text)
        except BadLink:
            return None
        return Step(_read(at), used) if used and bound == _bound(key, lists) else None

    def site(self, origin: str) -> str:
        """Says that a frame was shown on this site."""
        return self._site.write(_hashed(origin))

    def read_site(self, text: str, origins: Iterable[str]) -> str | None:
        """Which of these it was, or nothing of them; None where nothing of ours says so."""
        try:
            (said,), _, _ = self._site.read(text)
        except BadLink:
            return None
        return next((origin for origin in origins if _hashed(origin) == said), "")


def _hashed(origin: str) -> bytes:
    return hashlib.blake2b(origin.encode(), digest_size=BOUND).digest()


def _bound(key: bytes, lists: Iterable[int]) -> bytes:
    whose = key + b"".join(list_id.to_bytes(4) for list_id in sorted(lists))
    return hashlib.blake2b(whose, digest_size=BOUND).digest()


def _written(at: datetime) -> bytes:
    return round(at.timestamp() * 1000).to_bytes(MILLISECONDS)


def _read(octets: bytes) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int.from_bytes(octets))
