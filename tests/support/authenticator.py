"""A passkey in software: makes one key pair, and answers as a browser's dialogue would (WebAuthn level 2)."""

import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from itsdangerous.encoding import base64_encode

PRESENT, VERIFIED, WITH_KEY = 0x01, 0x04, 0x40


def asked_for(page: str) -> dict[str, Any]:
    """What a page asks of the browser."""
    found = re.search(r'data-passkey="([^"]*)"', page)
    assert found is not None, "this page asks for no passkey"
    return dict(json.loads(unescape(found[1])))


def _text(octets: bytes) -> str:
    return base64_encode(octets).decode()


@dataclass
class Authenticator:
    """`verifies`: whether it asks for a fingerprint or PIN; `count`: how often it says that it was used."""

    origin: str
    verifies: bool = True
    count: int = 0
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, options: dict[str, Any]) -> str:
        """The answer to a page that wants a new passkey, as its form sends it."""
        public = self._key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: public.x.to_bytes(32), -3: public.y.to_bytes(32)}
        about = bytes(16) + len(self.id).to_bytes(2) + self.id + cbor2.dumps(cose)
        data = self._data(options["rp"]["id"], WITH_KEY) + about
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer({"clientDataJSON": self._client("create", options), "attestationObject": made})

    def sign(self, options: dict[str, Any]) -> str:
        """The answer to a page that wants a signature."""
        self.count += 1
        data, client = self._data(options["rpId"]), self._client("get", options)
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer({"clientDataJSON": client, "authenticatorData": data, "signature": signature})

    def _data(self, host: str, more: int = 0) -> bytes:
        flags = PRESENT | (VERIFIED if self.verifies else 0) | more
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4)

    def _client(self, what: str, options: dict[str, Any]) -> bytes:
        said = {"type": f"webauthn.{what}", "challenge": options["challenge"], "origin": self.origin}
        return json.dumps(said | {"crossOrigin": False}).encode()

    def _answer(self, response: dict[str, bytes]) -> str:
        told = {"id": _text(self.id), "rawId": _text(self.id), "type": "public-key", "clientExtensionResults": {}}
        return json.dumps(told | {"response": {name: _text(octets) for name, octets in response.items()}})
