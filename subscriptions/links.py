"""Signed links, one salt per purpose, and the keyed hash of an address."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from itsdangerous import (
    BadData,
    Serializer,
    Signer,
    TimestampSigner,
    URLSafeSerializer,
    URLSafeTimedSerializer,
)
from itsdangerous.encoding import base64_encode

from subscriptions.clock import Clock, StoppedClock
from subscriptions.domain.address import key_of

REF_BYTES = 16


class BadLink(Exception):
    """The token is forged, garbled or made for another purpose."""


class OldLink(Exception):
    """The token is ours, but older than any registration that waits: it may show what became of `ref`, not confirm."""

    def __init__(self, ref: bytes) -> None:
        super().__init__("an old link")
        self.ref = ref


@dataclass(frozen=True, slots=True)
class NotMe:
    ref: bytes
    list_id: int
    key: bytes


@dataclass(frozen=True, slots=True)
class Leave:
    list_id: int
    key: bytes


class _Bytes:
    """Payload format of the tokens: the bytes as they are, so that a link stays short."""

    @staticmethod
    def dumps(payload: bytes) -> bytes:
        return payload

    @staticmethod
    def loads(payload: bytes) -> bytes:
        return payload


class _DerivedOnce:
    """itsdangerous derives the key anew for each signature; once is enough (measured: 24 us, then 9)."""

    secret_keys: list[bytes]

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        secret_key = self.secret_keys[-1] if secret_key is None else secret_key
        found = _derived.get((self.salt, secret_key))  # type: ignore[attr-defined]
        if found is None:
            found = super().derive_key(secret_key)  # type: ignore[misc]
            _derived[self.salt, secret_key] = found  # type: ignore[attr-defined]
        return bytes(found)


_derived: dict[Any, bytes] = {}


class _Signer(_DerivedOnce, Signer):
    pass


class _TimedSigner(_DerivedOnce, TimestampSigner):
    clock = Clock()

    def get_timestamp(self) -> int:
        return int(self.clock.now().timestamp())


class _NotCompressed:
    """itsdangerous tries zlib on every payload; random bytes never get shorter."""

    @staticmethod
    def dump_payload(payload: bytes) -> bytes:
        return base64_encode(payload)


class _Lasting(_NotCompressed, URLSafeSerializer):
    pass


class _Timed(_NotCompressed, URLSafeTimedSerializer):
    pass


class Links:
    """Writes and reads every signed thing that leaves the house.

    `secret_keys`: newest first; the first signs, all verify for ever. `confirm_life`: how long after it was
    written a confirm link is read at all; whether it still confirms is asked of the registration.
    """

    def __init__(
        self, base_url: str, secret_keys: Sequence[bytes], pepper: bytes, clock: Clock, confirm_life: timedelta
    ) -> None:
        self._base = base_url.rstrip("/")
        self._keys = [bytes(key) for key in secret_keys]
        self._pepper = hashlib.sha256(pepper).digest()
        self._life = confirm_life
        self._clock = clock
        timed = type("TimedSigner", (_TimedSigner,), {"clock": clock})
        oldest_first = list(reversed(self._keys))  # itsdangerous signs with the last
        options: dict[str, Any] = {"serializer": _Bytes, "signer_kwargs": {"digest_method": hashlib.sha256}}
        self._confirm = _Timed(oldest_first, b"confirm", signer=timed, **options)
        self._not_me = _Lasting(oldest_first, b"not-me", signer=_Signer, **options)
        self._leave = _Lasting(oldest_first, b"unsubscribe", signer=_Signer, **options)
        self._handle_keys = [hashlib.sha256(b"handle\x00" + key).digest() for key in self._keys]

    def as_written(self, at: datetime) -> Iterator["Links"]:
        """As links were written at that time, once for each key that may have signed them."""
        for key in self._keys:
            yield Links(self._base, [key], b"", StoppedClock(at), self._life)

    def key(self, folded: str) -> bytes:
        """The key of an address: what the database knows it by."""
        return key_of(folded, self._pepper)

    def network_key(self, network: str) -> bytes:
        """The keyed hash by which sign-ups of one network are counted (T-11)."""
        return key_of(f"network {network}", self._pepper)

    def new_handle(self) -> str:
        """The random handle of a visit, made alike for everyone."""
        return secrets.token_urlsafe(REF_BYTES)

    def ref(self, handle: str) -> bytes:
        """The registration reference that belongs to a handle: nobody without our keys gets from one to the other."""
        return hashlib.blake2b(handle.encode(), key=self._handle_keys[0], digest_size=REF_BYTES).digest()

    def confirm_token(self, ref: bytes) -> str:
        return _token(self._confirm, ref)

    def not_me_token(self, ref: bytes, list_id: int, key: bytes) -> str:
        return _token(self._not_me, ref + key + list_id.to_bytes(4))

    def leave_token(self, list_id: int, key: bytes) -> str:
        return _token(self._leave, key + list_id.to_bytes(4))

    def url(self, page: str, token: str) -> str:
        return f"{self._base}/{page}/{token}"

    def confirm_url(self, ref: bytes) -> str:
        return self.url("confirm", self.confirm_token(ref))

    def not_me_url(self, ref: bytes, list_id: int, key: bytes) -> str:
        return self.url("not-me", self.not_me_token(ref, list_id, key))

    def leave_url(self, list_id: int, key: bytes) -> str:
        return self.url("unsubscribe", self.leave_token(list_id, key))

    def one_click_headers(self, url: str) -> dict[str, str]:
        """The header pair of RFC 8058 for a mail whose unsubscribe URL is `url` (D-02)."""
        return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}

    def read_confirm(self, token: str) -> bytes:
        """The reference in a confirm token; raises BadLink or OldLink."""
        try:
            # not itsdangerous' max_age: it takes a clock that is a second behind the sender's for an expired link
            payload, written_at = self._confirm.loads(_plain(token), return_timestamp=True)
        except BadData:
            raise BadLink from None
        ref = _sized(payload, REF_BYTES)
        if self._clock.now() - written_at > self._life:
            raise OldLink(ref)
        return ref

    def read_not_me(self, token: str) -> NotMe:
        payload = _read(self._not_me, token, 36)
        return NotMe(payload[:16], int.from_bytes(payload[32:]), payload[16:32])

    def read_leave(self, token: str) -> Leave:
        payload = _read(self._leave, token, 20)
        return Leave(int.from_bytes(payload[16:]), payload[:16])


def _token(serializer: "Serializer[Any]", payload: bytes) -> str:
    token = serializer.dumps(payload)
    return token if isinstance(token, str) else token.decode()


def _read(serializer: URLSafeSerializer, token: str, size: int) -> bytes:
    try:
        return _sized(serializer.loads(_plain(token)), size)
    except BadData:
        raise BadLink from None


def _plain(token: str) -> str:
    """Refuses what no token of ours contains, before base64 ignores it: one token, one spelling."""
    if not token.isascii() or len(token) > 200:
        raise BadLink
    last = token.rpartition(".")[2]
    try:
        canonical = base64.urlsafe_b64encode(base64.urlsafe_b64decode(last + "=" * (-len(last) % 4)))
    except ValueError:
        raise BadLink from None
    if canonical.rstrip(b"=").decode() != last:
        raise BadLink
    return token


def _sized(payload: object, size: int) -> bytes:
    if not isinstance(payload, bytes) or len(payload) != size:
        raise BadLink
    return payload


def fingerprint(pepper: bytes) -> str:
    """What the database keeps to notice another pepper; it gives nothing away."""
    return hmac.digest(pepper, b"fingerprint", "sha256").hex()[:32]
