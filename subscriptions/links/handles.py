"""The handle of a visit: what the page after the form holds, made alike for everyone; and the address beside it.

It says when the visit was and where the typed domain reads its mail. Both are sealed, so that without our keys
it is random text. From it follow the references of the registrations that the visit may have led to, and from each
of these the code of its confirmation mail, which is never stored.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hmac import compare_digest

from itsdangerous import BadData
from itsdangerous.encoding import base64_decode, base64_encode

from subscriptions.domain.codes import spell
from subscriptions.links import nonces
from subscriptions.links.sealing import Seals
from subscriptions.links.signing import derived, encoded

REF_BYTES = 16
MAILS = 8  # of one visit: the first, and those that were asked for again
_NONCE, _MAC, _SEALED = 14, 10, 6  # 30 bytes: base64 leaves no bits over, so a handle has one spelling
_FORM = re.compile(r"[A-Za-z0-9_-]{40}")
_SEALED_FORM = re.compile(r"[A-Za-z0-9_-]{50,400}")


@dataclass(frozen=True, slots=True)
class Visit:
    """A sign-up by form or JSON, as its handle tells it."""

    handle: str
    at: datetime
    webmail: int
    refs: tuple[bytes, ...]  # of the registration of each mail that it may have led to, the first one first


class Handles:
    """Makes and reads handles. `secret_keys`: newest first; the first makes, all read."""

    def __init__(self, secret_keys: Sequence[bytes]) -> None:
        # of each: what seals the handle, and what makes references of it
        self._keys = [(derived(b"visit", key), derived(b"handle", key)) for key in secret_keys]

    def new(self, at: datetime, webmail: int) -> str:
        """A handle of a visit at that second."""
        (key, _), nonce = self._keys[0], nonces.nonce(_NONCE)
        told = int(at.timestamp()).to_bytes(_SEALED - 1) + bytes([webmail])
        mac = _mac(key, nonce, told)
        return base64_encode(nonce + mac + _sealed(key, nonce + mac, told)).decode()

    def read(self, text: str) -> Visit | None:
        """The visit of a handle; None if we have not made it."""
        if not _FORM.fullmatch(text):
            return None
        octets = base64_decode(text)
        head, nonce, mac = octets[: _NONCE + _MAC], octets[:_NONCE], octets[_NONCE : _NONCE + _MAC]
        for seal, key in self._keys:
            told = _sealed(seal, head, octets[_NONCE + _MAC :])
            if compare_digest(_mac(seal, nonce, told), mac):
                at = datetime.fromtimestamp(int.from_bytes(told[:-1]), UTC)
                return Visit(text, at, told[-1], tuple(_ref(key, text, n) for n in range(MAILS)))
        return None

    def ref(self, handle: str) -> bytes:
        """The reference of the first registration: nobody without our keys gets from one to the other."""
        return _ref(self._keys[0][1], handle, 0)


def _ref(key: bytes, handle: str, n: int) -> bytes:
    """Of mail `n` of the visit. A handle never ends with a number in brackets, so no two meet."""
    text = handle if n == 0 else f"{handle}({n})"
    return hashlib.blake2b(text.encode(), key=key, digest_size=REF_BYTES).digest()


def _mac(key: bytes, nonce: bytes, told: bytes) -> bytes:
    return hashlib.blake2b(nonce + told, key=key, digest_size=_MAC, person=b"mac").digest()


def _sealed(key: bytes, head: bytes, told: bytes) -> bytes:
    """What is told, hidden by a mask of the key and all before it; the same again shows it."""
    mask = hashlib.blake2b(head, key=key, digest_size=_SEALED, person=b"mask").digest()
    return (int.from_bytes(told) ^ int.from_bytes(mask)).to_bytes(_SEALED)


class SealedAddresses:
    """Seals the typed address for the page after the form: of use beside its own handle alone.

    `secret_keys`: newest first; the first seals, all open. Its length tells one of three sizes alone: an address has at
    most 254 octets, and never NUL.
    """

    def __init__(self, secret_keys: Sequence[bytes]) -> None:
        self._seals = Seals(b"inbox address", secret_keys)

    def seal(self, handle: str, address: str) -> str:
        """Measured: half of what the handle takes."""
        told = address.encode()
        told = told.ljust(64 if len(told) <= 64 else 128 if len(told) <= 128 else 256, b"\0")
        return encoded(self._seals.seal(told, handle.encode())).decode()

    def open(self, handle: str, text: str) -> str | None:
        """The address; None if we have not sealed it for this handle."""
        if not _SEALED_FORM.fullmatch(text):
            return None
        try:
            opened = self._seals.open(base64_decode(text), handle.encode())
        except BadData:  # cut off where base64 cannot end
            return None
        return opened.rstrip(b"\0").decode() if opened else None


class Codes:
    """Makes codes and compares them. `secret_keys`: newest first; the first makes, all are right."""

    def __init__(self, secret_keys: Sequence[bytes]) -> None:
        self._keys = [derived(b"code", key) for key in secret_keys]

    def code(self, ref: bytes) -> str:
        """The eight characters for this reference."""
        return _code(self._keys[0], ref)

    def ref_of(self, code: str, refs: Sequence[bytes]) -> bytes | None:
        """The one of these references whose code it is; takes as long when it is none."""
        found = None
        for ref in refs:
            for key in self._keys:
                if compare_digest(_code(key, ref), code):
                    found = ref
        return found


def _code(key: bytes, ref: bytes) -> str:
    """BLAKE2b in its keyed mode, an HMAC for less; 128 bits for 39, so that every code is as likely as any other."""
    return spell(int.from_bytes(hashlib.blake2b(ref, key=key, digest_size=16).digest()))
