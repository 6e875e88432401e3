"""A file that only who has the key file can read, in chunks: none can be left out, moved, changed or cut off.

Each is sealed by AES-256-GCM under a key of this file alone, with its number and whether it is the last as the nonce
(the STREAM construction).
"""

import os
import secrets
from pathlib import Path
from typing import IO, TYPE_CHECKING

from subscriptions.backup import BadBackup

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"yestwice backup, encrypted 1\n"
CHUNK, TAG, SALT, SHORTEST = 2**16, 16, 32, 32
OTHER_KEY = "The backup cannot be decrypted: either it was made with another key file, or it is damaged."


def make_key(path: Path) -> None:
    """A new key, for this user's eyes alone."""
    with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(f"{secrets.token_hex(32)}\n")


def read_key(path: Path) -> bytes:
    key = path.read_bytes().strip()
    if len(key) < SHORTEST:
        raise BadBackup(f"{path} holds no key of at least {SHORTEST} characters.")
    return key


def _aead(key: bytes, salt: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return AESGCM(HKDF(SHA256(), 32, salt=salt, info=MAGIC).derive(key))


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


class Encrypting:
    """To be written from its beginning to its end; only `close` makes it whole."""

    def __init__(self, file: IO[bytes], key: bytes) -> None:
        salt = secrets.token_bytes(SALT)
        self._file, self._aead, self._number, self._left = file, _aead(key, salt), 0, b""
        file.write(MAGIC + salt)

    def write(self, octets: bytes) -> int:
        self._left += octets
        while len(self._left) > CHUNK:
            self._put(is_last=False)
        return len(octets)

    def _put(self, *, is_last: bool) -> None:
        chunk, self._left = self._left[:CHUNK], self._left[CHUNK:]
        self._file.write(self._aead.encrypt(_nonce(self._number, is_last=is_last), chunk, None))
        self._number += 1

    def close(self) -> None:
        self._put(is_last=True)


class Decrypting:
    """What was encrypted; `file` stands behind the magic. Raises BadBackup where it is not as it was written."""

    def __init__(self, file: IO[bytes], key: bytes) -> None:
        self._file, self._aead, self._number, self._left = file, _aead(key, file.read(SALT)), 0, b""
        self._sealed = file.read(CHUNK + TAG)

    def read(self, size: int) -> bytes:
        while len(self._left) < size and (self._sealed or not self._number):
            self._left += self._chunk()
        octets, self._left = self._left[:size], self._left[size:]
        return octets

    def _chunk(self) -> bytes:
        from cryptography.exceptions import InvalidTag

        sealed, self._sealed = self._sealed, self._file.read(CHUNK + TAG)
        nonce, self._number = _nonce(self._number, is_last=not self._sealed), self._number + 1
        try:
            return self._aead.decrypt(nonce, sealed, None)
        except (InvalidTag, ValueError):
            raise BadBackup(OTHER_KEY) from None
