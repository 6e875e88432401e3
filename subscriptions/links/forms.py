"""What a form of ours carries: when it was shown, and the token of its one more step."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from subscriptions.links.signing import BadLink, lasting, read, token

_TIME, _BOUND, _NONCE = 6, 16, 8


@dataclass(frozen=True, slots=True)
class Step:
    """A page that asked for one more step: since when, and the hash by which it is used up."""

    since: datetime
    hash: bytes


class FormTokens:
    """`secret_keys`: newest first; the first signs, all verify."""

    def __init__(self, secret_keys: Sequence[bytes]) -> None:
        self._time = lasting(secret_keys, b"form-time")
        self._step = lasting(secret_keys, b"one-more-step")

    def time(self, at: datetime) -> str:
        return token(self._time, _written(at))

    def read_time(self, text: str) -> datetime | None:
        """When the form was shown; None where nothing of ours says so."""
        try:
            return _read(read(self._time, text, _TIME))
        except BadLink:
            return None

    def step(self, at: datetime, key: bytes, lists: Iterable[int]) -> str:
        """For this address and these lists alone; random, so that each page is used up by itself."""
        return token(self._step, _written(at) + _bound(key, lists) + secrets.token_bytes(_NONCE))

    def read_step(self, text: str, key: bytes, lists: Iterable[int]) -> Step | None:
        """The step that this address was asked for; None where the token is forged or somebody else's."""
        try:
            payload = read(self._step, text, _TIME + _BOUND + _NONCE)
        except BadLink:
            return None
        if payload[_TIME : _TIME + _BOUND] != _bound(key, lists):
            return None
        return Step(_read(payload[:_TIME]), used_hash(b"step", payload))


def used_hash(purpose: bytes, what: bytes) -> bytes:
    """How the database remembers what was used up."""
    return hashlib.blake2b(what, digest_size=16, person=purpose).digest()


def _bound(key: bytes, lists: Iterable[int]) -> bytes:
    whose = key + b"".join(one.to_bytes(4) for one in sorted(lists))
    return hashlib.blake2b(whose, digest_size=_BOUND).digest()


def _written(at: datetime) -> bytes:
    return round(at.timestamp() * 1000).to_bytes(_TIME)


def _read(octets: bytes) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int.from_bytes(octets))
