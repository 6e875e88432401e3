"""The proof of work: challenges that we sign, and solutions that we believe once (ALTCHA)."""

import base64
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import altcha

from subscriptions.clock import Clock
from subscriptions.domain.policy import WORK_LIFE
from subscriptions.links.purposes import used_hash
from subscriptions.links.signing import derived

_OURS = b"proof of work\x00"
ALGORITHM = "PBKDF2/SHA-256"
COST = 2000  # iterations of one try
TRIES = (400, 800)  # the number that is looked for lies between these: no visitor is unlucky
LONGEST = 4000  # characters of a payload


@dataclass(frozen=True, slots=True)
class Solved:
    """A challenge that was solved: the hash by which it is used up, and until when it counts."""

    hash: bytes
    until: datetime


class ProofOfWork:
    """`secret_keys`: newest first; the first signs, all verify."""

    def __init__(
        self, secret_keys: Sequence[bytes], clock: Clock, *, cost: int = COST, tries: tuple[int, int] = TRIES
    ) -> None:
        self._keys = [(derived(_OURS + b"challenge", key), derived(_OURS + b"solution", key)) for key in secret_keys]
        self._clock, self._cost, self._tries = clock, cost, tries

    def challenge(self) -> dict[str, Any]:
        """A fresh one, as the widget reads it."""
        signs, proves = self._keys[0]
        until = self._clock.now() + WORK_LIFE
        # the browser and the library go by the real time, our rules by our clock
        expires_at, data = (
            self._clock.real_now() + WORK_LIFE,
            {"until": round(until.timestamp() * 1000), "most": self._tries[1]},
        )
        return altcha.create_challenge(
            ALGORITHM, self._cost, counter=secrets.choice(range(*self._tries)), expires_at=expires_at, data=data,
            hmac_secret=signs, hmac_key_secret=proves,
        ).to_dict()  # fmt: skip

    def read(self, text: str) -> Solved | None:
        """What a payload proves; None where it proves nothing, or nothing any more."""
        if not text or len(text) > LONGEST or not any(_is_good(text, *keys) for keys in self._keys):
            return None
        parameters = json.loads(base64.b64decode(text))["challenge"]["parameters"]
        until = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=parameters["data"]["until"])
        if self._clock.now() >= until:
            return None
        return Solved(used_hash(b"work", bytes.fromhex(parameters["nonce"])), until)


def _is_good(text: str, signs: bytes, proves: bytes) -> bool:
    try:
        return altcha.verify_solution(text, signs, hmac_key_secret=proves).verified
    except (AttributeError, ValueError, TypeError):  # shapes that the library does not expect
        return False
