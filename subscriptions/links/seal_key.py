"""The key that seals evidence: Ed25519 (RFC 8032), derived from the pepper, which is kept and backed up already."""

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_INFO = b"yestwice seal of evidence 1"  # never changes


class SealKey:
    """Imports the library at its first use, as links/sealing.py does."""

    def __init__(self, pepper: bytes) -> None:
        self._pepper = pepper

    @cached_property
    def _private(self) -> "Ed25519PrivateKey":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        seed = HKDF(SHA256(), 32, salt=None, info=_INFO).derive(self._pepper)  # RFC 5869
        return Ed25519PrivateKey.from_private_bytes(seed)

    @cached_property
    def public(self) -> bytes:
        return self._private.public_key().public_bytes_raw()

    def sign(self, text: str) -> bytes:
        return self._private.sign(text.encode())


def is_signed(public: bytes, text: str, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text.encode())
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True
