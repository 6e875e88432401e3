"""Passkeys (WebAuthn): what a browser is asked to make or to sign, and what its answer proves."""

import ipaddress
import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from flask import request
from itsdangerous.encoding import base64_encode

from subscriptions.actions import factors
from subscriptions.actions.factors import Signed
from subscriptions.languages import marked
from subscriptions.links.desk import Challenge
from subscriptions.parts import current_parts
from subscriptions.store.models import Account, Passkey
from subscriptions.web.http import headers
from subscriptions.web.http.adapter import incoming, now

T = TypeVar("T")
SIGN_IN = b"sign in"
NO_GOOD = marked("That passkey did not work. Please try again, or use your password.")
LONGEST = 20_000  # characters of an answer
_KINDS = (-8, -7, -257)  # EdDSA, ES256, RS256
_MILLISECONDS = 5 * 60 * 1000


class Site(NamedTuple):
    """As which browsers know us."""

    id: str
    origin: str


def site() -> Site | None:
    """None where browsers make no passkeys: at an address of numbers, and without TLS but on this very machine."""
    scheme, host = urlsplit(current_parts().settings.server.base_url).scheme, incoming().host
    name = urlsplit(f"//{host}").hostname or ""
    try:
        ipaddress.ip_address(name)
        return None
    except ValueError:
        return Site(name, f"{scheme}://{host}") if scheme == "https" or name == "localhost" else None


def as_localhost() -> str:
    """This page under a name with which passkeys work; empty where there is none."""
    url = urlsplit(request.url)
    is_loopback = url.hostname in ("127.0.0.1", "::1")
    return url._replace(netloc=f"localhost:{url.port}" if url.port else "localhost").geturl() if is_loopback else ""


def are_there() -> bool:
    """Whether somebody may sign in by one, here."""
    return site() is not None and factors.has_passkeys()


def sign_options(about: bytes, keys: Sequence[Passkey] = ()) -> str:
    """What a browser is to sign, as JSON; empty where it would not. `keys`: with one of these alone."""
    at = _ready()
    if at is None:
        return ""
    return json.dumps({
        "challenge": _challenge(about), "rpId": at.id, "userVerification": "required", "timeout": _MILLISECONDS,
        "allowCredentials": _named(keys),
    })  # fmt: skip


def make_options(about: bytes, account: Account, keys: Sequence[Passkey]) -> str:
    """A passkey that a browser is to make, as JSON; empty where it would not. `keys`: those that there are."""
    at = _ready()
    if at is None:
        return ""
    whose = current_parts().links.key(f"passkeys of\0{account.id}")
    return json.dumps({
        "challenge": _challenge(about), "rp": {"id": at.id, "name": at.id}, "timeout": _MILLISECONDS,
        "user": {"id": _text(whose), "name": account.email, "displayName": account.email},
        "pubKeyCredParams": [{"type": "public-key", "alg": kind} for kind in _KINDS], "attestation": "none",
        "excludeCredentials": _named(keys),
        "authenticatorSelection": {
            "residentKey": "required", "requireResidentKey": True, "userVerification": "required",
        },
    })  # fmt: skip


def _ready() -> Site | None:
    at = site()
    if at is not None:
        headers.allow(script_src="'self'")
    return at


def _challenge(about: bytes) -> str:
    return _text(current_parts().links.desk.challenge(about).encode())


def _named(keys: Sequence[Passkey]) -> list[dict[str, Any]]:
    return [{"type": "public-key", "id": _text(key.credential)} for key in keys]


def _text(octets: bytes) -> str:
    return base64_encode(octets).decode()


def signed(about: bytes, sent: str) -> Signed | None:
    """What an answer of a browser proves; None: nothing. That it is not used twice is seen when it is used."""
    from webauthn import verify_authentication_response  # here: only who uses a passkey pays for the library
    from webauthn.helpers import parse_authentication_credential_json

    at, answer = site(), _tried(lambda: parse_authentication_credential_json(sent[:LONGEST]))
    read = _tried(lambda: _challenge_in(answer.response.client_data_json, about)) if answer else None
    key = factors.passkey(answer.raw_id) if answer else None
    if at is None or answer is None or read is None or key is None:
        return None
    checked = _tried(lambda: verify_authentication_response(
        credential=answer, expected_challenge=read[0], expected_rp_id=at.id, expected_origin=at.origin,
        credential_public_key=key.public_key, credential_current_sign_count=key.sign_count,
        require_user_verification=True,
    ))  # fmt: skip
    return Signed(key, read[1], checked.new_sign_count) if checked else None


def made(about: bytes, name: str, sent: str) -> tuple[Passkey, Challenge] | None:
    """The new passkey in an answer of a browser; None where it is none."""
    from webauthn import verify_registration_response
    from webauthn.helpers import parse_registration_credential_json

    at, answer = site(), _tried(lambda: parse_registration_credential_json(sent[:LONGEST]))
    read = _tried(lambda: _challenge_in(answer.response.client_data_json, about)) if answer else None
    if at is None or answer is None or read is None:
        return None
    checked = _tried(lambda: verify_registration_response(
        credential=answer, expected_challenge=read[0], expected_rp_id=at.id, expected_origin=at.origin,
        require_user_verification=True,
    ))  # fmt: skip
    if checked is None:
        return None
    return Passkey(credential=checked.credential_id, public_key=checked.credential_public_key,
                   sign_count=checked.sign_count, name=name, made_at=now()), read[1]  # fmt: skip


def _challenge_in(client_data: bytes, about: bytes) -> tuple[bytes, Challenge] | None:
    """What was signed, if it is a challenge of ours and for this."""
    from webauthn.helpers import parse_client_data_json

    octets = parse_client_data_json(client_data).challenge
    challenge = current_parts().links.desk.read_challenge(octets.decode("ascii"), about)
    return (octets, challenge) if challenge else None


def _tried(read: Callable[[], T]) -> T | None:
    """None for whatever a stranger's octets do to the libraries that read them: they prove nothing."""
    try:
        return read()
    except Exception:
        return None
