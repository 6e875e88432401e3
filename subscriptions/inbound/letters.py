"""Mail by pipe: taken in whatever it is, and what nobody understands kept for a human or forwarded to one."""

import hashlib
import zlib
from typing import BinaryIO

from subscriptions.actions import arrived as acts
from subscriptions.actions.arrived import Mark
from subscriptions.domain.address import BadAddress, parse
from subscriptions.domain.arrivals import Outcome
from subscriptions.inbound.door import attempt, mark_of
from subscriptions.inbound.house import House
from subscriptions.inbound.message import Arrived, TooMuch, head, read, text_of
from subscriptions.store.models import LetterToRead

KEPT_WHOLE, HEAD_KEPT = 10 * 2**20, 256 * 1024  # octets
_AT_ONCE = 64 * 1024


def receive(stream: BinaryIO, house: House, sender: str | None = None, recipient: str | None = None) -> Outcome:
    """Take a message from a pipe. Once this returns it is dealt with or kept; raises Unavailable, or Full, if not.

    `sender` and `recipient`: of the envelope, as the mail server tells them; none, and the header does.
    """
    octets, size = _bounded(stream)
    outcome, arrived = attempt(octets, house, sender, recipient)
    if outcome is not Outcome.UNCLEAR:
        return outcome
    arrived = arrived or _head_of(octets)
    mark = Mark(hashlib.sha256(octets).digest(), mark_of(arrived, house.links).message_key if arrived else None)
    return acts.keep(mark, _letter(octets, size, arrived, mark, house), house.now)


def _bounded(stream: BinaryIO) -> tuple[bytes, int]:
    """What is kept of it at most, and how long it is: it is read to its end, or the mail server would take fright."""
    octets = stream.read(KEPT_WHOLE + 1)
    size = len(octets)
    while more := stream.read(_AT_ONCE):
        size += len(more)
    return octets if size <= KEPT_WHOLE else octets[:HEAD_KEPT], size


def _head_of(octets: bytes) -> Arrived | None:
    """Of what is too much: who wrote it, and about what."""
    try:
        return read(head(octets))
    except TooMuch:
        return None


def key_of(author: str, house: House) -> bytes | None:
    try:
        return house.links.key(parse(author).folded)
    except BadAddress:
        return None


def sender_of(arrived: Arrived | None) -> str:
    """Whom a person reads as the sender."""
    return text_of(next(iter(arrived.fields("From")), "")) if arrived else ""


def _letter(octets: bytes, size: int, arrived: Arrived | None, mark: Mark, house: House) -> LetterToRead:
    authors = arrived.authors if arrived else ()
    return LetterToRead(
        at=house.now, key=key_of(authors[0], house) if authors else None, sender=sender_of(arrived),
        subject=arrived.subject if arrived else "", sha256=mark.sha256, octets=zlib.compress(octets), size=size,
        is_to_forward=bool(house.settings.inbound.forward),
    )  # fmt: skip
