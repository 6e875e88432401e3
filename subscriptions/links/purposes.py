"""The purposes of signed tokens, a row for each, and what writes and reads the tokens of one.

Salts and sizes never change: mailed links live for ever.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from itsdangerous import BadData

from subscriptions.clock import Clock
from subscriptions.domain.policy import CHALLENGE_LIFE, FORM_LIFE, LINK_LIFE, SESSION_LIFE, STEP_LIFE
from subscriptions.links.signing import BadLink, encoded, lasting, plain, signing, timed

REF, KEY, LIST, ACCOUNT = 16, 16, 4, 8  # octets
MILLISECONDS, BOUND, NONCE = 6, 16, 8
FOR_EVER, OFTEN = None, None


def used_hash(purpose: bytes, what: bytes) -> bytes:
    """How the database remembers what was used up: nobody gets from it to the token."""
    return hashlib.blake2b(what, digest_size=16, person=purpose).digest()


def _used_link(payload: bytes) -> bytes:
    return hashlib.sha256(b"preferences\x00" + payload[:REF]).digest()[:16]


_used, _used_step = partial(used_hash, b"used"), partial(used_hash, b"step")


@dataclass(frozen=True, slots=True)
class Purpose:
    """One that says nothing carries nothing, lives for no time and works once.

    `stamped`: with the second in which it was signed; otherwise its payload says it, where it has a life.
    """

    salt: bytes
    carries: tuple[int, ...] = ()  # octets of each part of the payload
    life: timedelta | None = timedelta(0)
    stamped: bool = True
    used: Callable[[bytes], bytes] | None = _used  # the hash by which it is used up


CONFIRM = Purpose(b"confirm", (REF,), used=OFTEN)  # its life is a matter of the configuration
NOT_ME = Purpose(b"not-me", (REF, KEY, LIST), FOR_EVER, stamped=False, used=OFTEN)
LEAVE = Purpose(b"unsubscribe", (KEY, LIST), FOR_EVER, stamped=False, used=OFTEN)
PREFERENCES = Purpose(b"preferences", (REF, KEY), LINK_LIFE, used=_used_link)
SESSION = Purpose(b"preferences-session", (KEY,), SESSION_LIFE, used=OFTEN)
PROLONGED = Purpose(b"my-data-prolonged", (KEY,), SESSION_LIFE, used=OFTEN)  # the same once more, and no longer
NO_NUMBERS = Purpose(b"desk-numbers", (ACCOUNT,), FOR_EVER, stamped=False, used=OFTEN)
FORM_TIME = Purpose(b"form-time", (MILLISECONDS,), FORM_LIFE, stamped=False, used=OFTEN)
STEP = Purpose(
    b"one-more-step", (MILLISECONDS, BOUND, NONCE), STEP_LIFE, stamped=False, used=partial(used_hash, b"step")
)
FORM_SITE = Purpose(b"form-site", (BOUND,), FOR_EVER, stamped=False, used=OFTEN)
CHALLENGE = Purpose(b"passkey-challenge", (BOUND, NONCE), CHALLENGE_LIFE, used=partial(used_hash, b"challenge"))


def of_mailbox(purpose: Purpose) -> Purpose:
    """The same for an address that is one spelling of another mailbox, whose key comes last."""
    return replace(purpose, salt=purpose.salt + b"-of-mailbox", carries=(*purpose.carries, KEY))


TWICE = NOT_ME, PREFERENCES, SESSION, PROLONGED
PURPOSES = (CONFIRM, LEAVE, NO_NUMBERS, FORM_TIME, STEP, FORM_SITE, CHALLENGE, *TWICE, *map(of_mailbox, TWICE))


class Opened(NamedTuple):
    """What a token says. `until`: the first instant at which it is too old; `used`: the hash by which it is used up."""

    parts: tuple[bytes, ...]
    until: datetime | None
    used: bytes | None


class Tokens:
    """`secret_keys`: newest first; the first signs, all verify for ever."""

    def __init__(self, purpose: Purpose, secret_keys: Sequence[bytes], clock: Clock) -> None:
        self._purpose = purpose
        self._ends = [0, *accumulate(purpose.carries)]
        make = partial(timed, clock=clock) if purpose.stamped else lasting
        self._serializer: Any = make(secret_keys, purpose.salt)
        self._signed = signing(self._serializer.make_signer())

    def write(self, *parts: bytes) -> str:
        return self._signed(encoded(b"".join(parts))).decode()

    def read(self, text: str) -> Opened:
        """Raises BadLink. One that is too old is read as well: it says who asks."""
        purpose, read = self._purpose, self._serializer.loads
        try:
            # not itsdangerous' max_age: it takes a clock that is a second behind the sender's for an expired link
            payload, at = read(plain(text), return_timestamp=True) if purpose.stamped else (read(plain(text)), None)
        except BadData:
            raise BadLink from None
        if len(payload) != self._ends[-1]:
            raise BadLink
        until = at + purpose.life if at and purpose.life is not None else None
        parts = tuple(payload[start:end] for start, end in pairwise(self._ends))
        return Opened(parts, until, purpose.used(payload) if purpose.used else None)


class OfMailbox:
    """Tokens that carry the key of an address and, where it is one spelling of another mailbox, the key of that."""

    def __init__(self, purpose: Purpose, secret_keys: Sequence[bytes], clock: Clock) -> None:
        self._plain, self._of_mailbox = (Tokens(one, secret_keys, clock) for one in (purpose, of_mailbox(purpose)))

    def write(self, *parts: bytes, mailbox: bytes | None) -> str:
        return self._of_mailbox.write(*parts, mailbox) if mailbox else self._plain.write(*parts)

    def read(self, text: str) -> tuple[Opened, bytes | None]:
        """What it says, and the mailbox; raises BadLink."""
        try:
            return self._plain.read(text), None
        except BadLink:
            *parts, mailbox = (opened := self._of_mailbox.read(text)).parts
            return opened._replace(parts=tuple(parts)), mailbox
