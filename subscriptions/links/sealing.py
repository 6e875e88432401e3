"""What is written so that only we can read it: AES-GCM with a key for each purpose."""

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from subscriptions.links.nonces import nonce
from subscriptions.links.signing import derived

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class Seals:
    """`secret_keys`: newest first; the first seals, all open."""

    def __init__(self, purpose: bytes, secret_keys: Sequence[bytes]) -> None:
        self._purpose, self._secret_keys = purpose, secret_keys

    @cached_property
    def _keys(self) -> "list[AESGCM]":
        """Made at its first use: the library takes 7 MiB, which a process does without that neither seals nor opens."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return [AESGCM(derived(self._purpose, key)) for key in self._secret_keys]

    def seal(self, told: bytes, beside: bytes) -> bytes:
        """Sealed for one place: it opens beside the same octets alone."""
        fresh = nonce(_NONCE)
        return fresh + self._keys[0].encrypt(fresh, told, beside)

    def open(self, octets: bytes, beside: bytes) -> bytes | None:
        """What was sealed; None if we have not sealed it for this place."""
        from cryptography.exceptions import InvalidTag

        for key in self._keys:
            with suppress(InvalidTag, ValueError):  # of what is shorter than a seal
                return key.decrypt(octets[:_NONCE], octets[_NONCE:], beside)
        return None
