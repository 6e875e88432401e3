"""The codes of confirmation mails: a keyed hash of the registration's reference, never stored."""

import hashlib
from collections.abc import Sequence
from hmac import compare_digest

from subscriptions.domain.codes import spell
from subscriptions.links.signing import derived


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
