"""A message as it came: read within bounds, whatever it is made of."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.policy import compat32
from email.utils import getaddresses, parsedate_to_datetime

from subscriptions.domain import readable

LOOKED_AT = 2**20  # octets of a message; of more only a human sees anything
_HEADER, _FIELD, _FIELDS = 64 * 1024, 8 * 1024, 500
_LINES, _NESTING, _PARTS, _DEPTH = 40_000, 50, 200, 20
_WORDS = 20_000  # letters
# what can begin another level, counted before anything is read: the parser goes down without end, and ever slower
_NESTS = re.compile(rb"boundary|message/", re.I)
_BEGINS = re.compile(rb"^--", re.M)
_HEAD_ENDS = re.compile(rb"\r?\n\r?\n|\r\r")
_BETWEEN = re.compile(r"[\s<>()\[\]\\,;:\"']+")
_NOBODY = re.compile(r"mailer-daemon", re.I)  # what Postfix gives a command for the null sender
_STEERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


class TooMuch(Exception):
    """Why a message is not looked into: only a human may."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """`envelope_from`: of the bounce address, empty for none at all; `words`: its own text, with what it quotes."""

    octets: bytes
    sha256: bytes
    message: Message
    envelope_from: str | None
    envelope_to: str | None
    authors: tuple[str, ...]  # every address in any From field, also inside a name
    recipients: tuple[str, ...]
    message_id: str | None
    subject: str
    sent_at: datetime | None
    words: str
    is_automatic: bool

    def fields(self, name: str) -> list[str]:
        """Every field of that name from the top down, unfolded, as it was sent."""
        return _fields(self.message, name)


def read(octets: bytes, envelope_from: str | None = None, envelope_to: str | None = None) -> Arrived:
    """Raises TooMuch, and nothing else, whatever the octets are."""
    _check(octets)
    try:
        return _read(octets, envelope_from, envelope_to)
    except TooMuch:
        raise
    except Exception as error:
        raise TooMuch(f"it cannot be read ({type(error).__name__})") from error


def head(octets: bytes) -> bytes:
    """Its header alone, or the beginning of one that does not end."""
    found = _HEAD_ENDS.search(octets, 0, _HEADER)
    return octets[: found.end() if found else _HEADER]


def _check(octets: bytes) -> None:
    found = _HEAD_ENDS.search(octets, 0, _HEADER)
    if len(octets) > LOOKED_AT or octets.count(b"\n") + octets.count(b"\r") > 2 * _LINES:
        raise TooMuch("it is too large")
    if found is None and len(octets) > _HEADER:
        raise TooMuch("its header is too large")
    if len(_NESTS.findall(octets)) > _NESTING or len(_BEGINS.findall(octets)) > 5 * _PARTS:
        raise TooMuch("it has too many parts")


def _read(octets: bytes, envelope_from: str | None, envelope_to: str | None) -> Arrived:
    message = message_from_bytes(octets, policy=compat32)  # the newer ones take minutes for a field of 8 KiB
    if len(message.keys()) > _FIELDS or any(len(value) > _FIELD for _, value in message.raw_items()):
        raise TooMuch("its header is too large")
    parts = [*_parts(message)]
    if envelope_from is None and (paths := _fields(message, "Return-Path")):
        envelope_from = paths[0].strip()
    if envelope_from is not None:
        envelope_from = "" if _NOBODY.fullmatch(envelope_from := envelope_from.strip(" <>")) else envelope_from
    if envelope_to is None:
        delivered = [value for name, value in message.raw_items() if name.lower() in ("delivered-to", "x-original-to")]
        envelope_to = _plain(delivered[0]).strip(" <>") if delivered else None
    ids = _fields(message, "Message-ID")
    return Arrived(
        octets, hashlib.sha256(octets).digest(), message, envelope_from, envelope_to,
        _addresses(_fields(message, "From")), _addresses([*_fields(message, "To"), *_fields(message, "Cc")]),
        " ".join(ids[0].split()) or None if ids else None, text_of(next(iter(_fields(message, "Subject")), "")),
        _date(next(iter(_fields(message, "Date")), "")), _words(parts), _is_automatic(message, envelope_from),
    )  # fmt: skip


def _parts(message: Message) -> Iterator[Message]:
    """All parts, counted; those of a message that is enclosed as well."""
    waiting, number = [(message, 0)], 0
    while waiting:
        part, depth = waiting.pop()
        number += 1
        if number > _PARTS or depth > _DEPTH:
            raise TooMuch("it has too many parts")
        yield part
        inner = part.get_payload() if part.is_multipart() else []
        waiting += [(one, depth + 1) for one in reversed(inner)]  # type: ignore[arg-type]


def _fields(message: Message, name: str) -> list[str]:
    return [_plain(value) for at, value in message.raw_items() if at.lower() == name.lower()]


def _plain(value: object) -> str:
    """One line of a field, octets that are no UTF-8 replaced."""
    raw = str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return re.sub(r"\r?\n|\r", "", raw)


def text_of(field: str) -> str:
    """What a person reads of a field: decoded, on one line, not endless."""
    with suppress(LookupError, ValueError, MessageError):  # a charset that does not exist, base64 that is none
        field = str(make_header(decode_header(field)))
    return _STEERS.sub(" ", field).strip()[:500]


def _addresses(fields: list[str]) -> tuple[str, ...]:
    """First those that the library finds, then all that look like one: a name may be meant to pass for the author."""
    found = [address for _, address in getaddresses(fields)] + [
        one for field in fields for text in (field, text_of(field)) for one in _BETWEEN.split(text)
    ]
    return tuple(dict.fromkeys(one.lower() for one in found if "@" in one[1:-1]))


def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _words(parts: list[Message]) -> str:
    """Of the first part that is text and no attachment, plain before HTML; not of a message that is enclosed."""
    enclosed = {id(one) for part in parts if part.get_content_maintype() == "message" for one in _parts(part)}
    own = [part for part in parts if id(part) not in enclosed and part.get_content_disposition() != "attachment"]
    for kind in ("text/plain", "text/html"):
        for part in own:
            if part.get_content_type() == kind and (text := _text(part, kind).strip()):
                return text[:_WORDS]
    return ""


def _text(part: Message, kind: str) -> str:
    raw = part.get_payload(decode=True)
    text = readable.decoded(raw if isinstance(raw, bytes) else b"", part.get_content_charset() or "")
    if kind == "text/plain":
        return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]", "", text)
    try:
        return readable.text_of(text.encode("utf-8", "replace"), kind, "utf-8", "")
    except readable.Unreadable:
        return ""


def _is_automatic(message: Message, envelope_from: str | None) -> bool:
    """Whether a machine sent it, or it went to many (RFC 3834): then nobody waits for an answer."""
    names = {name.lower() for name in message.keys()}  # noqa: SIM118 it is no mapping of the usual kind
    submitted = [value.partition(";")[0].strip().lower() for value in _fields(message, "Auto-Submitted")]
    precedence = {value.strip().lower() for value in _fields(message, "Precedence")}
    return (
        envelope_from == ""
        or any(value != "no" for value in submitted)
        or not precedence.isdisjoint({"bulk", "junk", "list", "auto_reply"})
        or any(name.startswith(("list-", "x-autoreply", "x-autorespond", "x-auto-response-suppress")) for name in names)
        or message.get_content_type() == "multipart/report"
    )
