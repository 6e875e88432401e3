"""How signed things are made: itsdangerous with SHA-256, a list of keys, one salt for each purpose."""

import base64
import hashlib
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

from itsdangerous import HMACAlgorithm, Serializer, Signer, TimestampSigner, URLSafeSerializer, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode, int_to_bytes

from subscriptions.clock import Clock


class BadLink(Exception):
    """The token is forged, garbled or made for another purpose."""


def derived(purpose: bytes, key: bytes) -> bytes:
    """A key of 32 octets for one purpose that is no signature of itsdangerous."""
    return hashlib.sha256(purpose + b"\x00" + key).digest()


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

    def get_signature(self, value: str | bytes) -> bytes:
        signed = value.encode() if isinstance(value, str) else value
        return _written(self.algorithm.get_signature(self.derive_key(), signed))  # type: ignore[attr-defined]


class _Hmac(HMACAlgorithm):
    """HMAC with SHA-256; itsdangerous' own choice would be SHA-1."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return _mac(key)(value)


@cache
def _mac(key: bytes) -> Callable[[bytes], bytes]:
    """HMAC with SHA-256 (RFC 2104) from copies of the two hashes that have the key in them already.

    OpenSSL looks the algorithm up and takes the key in anew for each (measured: 3.5 us, then 0.8).
    """
    block = (key if len(key) <= 64 else hashlib.sha256(key).digest()).ljust(64, b"\0")
    inside = hashlib.sha256(bytes(octet ^ 0x36 for octet in block))
    outside = hashlib.sha256(bytes(octet ^ 0x5C for octet in block))

    def mac(value: bytes) -> bytes:
        inner, outer = inside.copy(), outside.copy()
        inner.update(value)
        outer.update(inner.digest())
        return outer.digest()

    return mac


_FOR_URLS = bytes.maketrans(b"+/", b"-_")
_derived: dict[Any, bytes] = {}
SHA256 = {"digest_method": hashlib.sha256, "algorithm": _Hmac()}


class _Signer(_DerivedOnce, Signer):
    pass


class _TimedSigner(_DerivedOnce, TimestampSigner):
    clock = Clock()

    def get_timestamp(self) -> int:
        return int(self.clock.now().timestamp())

    def sign(self, value: str | bytes) -> bytes:
        signed = b"%b.%b" % (value.encode() if isinstance(value, str) else value, _second(self.get_timestamp()))
        return b"%b.%b" % (signed, self.get_signature(signed))


def _written(octets: bytes) -> bytes:
    """As itsdangerous writes it, in a third of the time: every mail has three signatures."""
    return b2a_base64(octets, newline=False).translate(_FOR_URLS).rstrip(b"=")


@lru_cache(4)
def _second(timestamp: int) -> bytes:
    return base64_encode(int_to_bytes(timestamp))


class _Plain:
    """itsdangerous tries zlib on every payload, and random bytes never get shorter; it makes a signer for each."""

    _signer: Any = None

    def make_signer(self, salt: str | bytes | None = None) -> Any:
        if salt is not None:
            return super().make_signer(salt)  # type: ignore[misc]
        self._signer = self._signer or super().make_signer()  # type: ignore[misc]
        return self._signer

    @staticmethod
    def dump_payload(payload: bytes) -> bytes:
        return _written(payload)


class _Lasting(_Plain, URLSafeSerializer):
    pass


class _Timed(_Plain, URLSafeTimedSerializer):
    pass


def lasting(newest_first: Sequence[bytes], purpose: bytes) -> "Serializer[Any]":
    """Signs bytes for one purpose, for ever: the newest key signs, all verify."""
    return _Lasting(list(reversed(newest_first)), purpose, serializer=_Bytes, signer=_Signer, signer_kwargs=SHA256)


def timed(newest_first: Sequence[bytes], purpose: bytes, clock: Clock) -> URLSafeTimedSerializer:
    """Signs bytes and the second in which it did."""
    signer = type("TimedSigner", (_TimedSigner,), {"clock": clock})
    return _Timed(list(reversed(newest_first)), purpose, serializer=_Bytes, signer=signer, signer_kwargs=SHA256)


def token(serializer: "Serializer[Any]", payload: bytes) -> str:
    """The payload, signed."""
    written = serializer.dumps(payload)
    return written if isinstance(written, str) else written.decode()


def tokens(serializer: "Serializer[Any]") -> Callable[[bytes], str]:
    """`token` for whoever needs very many: the same text, without what goes on around each (measured: 8 us, then 2)."""
    signer = serializer.make_signer()
    mac, dot = _mac(signer.derive_key()), bytes(signer.sep)

    def written(payload: bytes) -> str:
        value = b2a_base64(payload, newline=False).translate(_FOR_URLS, b"=")
        return (value + dot + b2a_base64(mac(value), newline=False).translate(_FOR_URLS, b"=")).decode()

    return written


def plain(text: str) -> str:
    """Refuses what no token of ours contains, before base64 ignores it: one token, one spelling."""
    if not text.isascii() or len(text) > 200:
        raise BadLink
    last = text.rpartition(".")[2]
    try:
        canonical = base64.urlsafe_b64encode(base64.urlsafe_b64decode(last + "=" * (-len(last) % 4)))
    except ValueError:
        raise BadLink from None
    if canonical.rstrip(b"=").decode() != last:
        raise BadLink
    return text


def sized(payload: object, size: int) -> bytes:
    if not isinstance(payload, bytes) or len(payload) != size:
        raise BadLink
    return payload
