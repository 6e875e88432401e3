"""Lists that come from another program: what becomes of a row, how its times are read, how fast people are asked."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import ceil
from types import MappingProxyType
from typing import NamedTuple, Self

from subscriptions.domain.address import Address
from subscriptions.domain.evidence import Fact
from subscriptions.domain.texts import marked


class Way(StrEnum):
    """How a list may come in; there is no third way."""

    EVIDENCE = "evidence"  # confirmed, since each row says when and how
    INVITE = "invite"  # asked once, by a confirmation email


class Stage(StrEnum):
    """How far an import is."""

    LOOKED = "looked at"  # and not begun
    READING = "reading"
    INVITING = "inviting"
    HALTED = "halted"  # too many invitations came back
    DONE = "done"
    UNDONE = "undone"


class Outcome(StrEnum):
    """What becomes of a row: a letter, as it is kept, and what it `says` to who has sent the file."""

    says: str

    def __new__(cls, letter: str, says: str) -> Self:
        outcome = str.__new__(cls, letter)
        outcome._value_, outcome.says = letter, says
        return outcome

    IMPORTED = "+", marked("imported")
    WAITS = "~", marked("invited in turn")
    UNREADABLE = "u", marked("characters that cannot be read in the encoding of the file")
    UNCLOSED = "q", marked("a quote that is never closed")
    BROKEN = "z", marked("the workbook breaks off here, and nothing after it can be read")
    TOO_WIDE = "w", marked("more cells than the first line has columns")
    NO_ADDRESS = "n", marked("no email address")
    BAD_ADDRESS = "b", marked("an email address that cannot exist")
    ROLE = "r", marked("the address of a role, such as postmaster (role_addresses in [abuse])")
    DOMAIN = "d", marked("a domain that is blocked (blocked_domains in [abuse])")
    OWN = "o", marked("an address of this service")
    NOT_SUBSCRIBED = "s", marked("not subscribed, says the other program")
    TOO_LONG = "l", marked("a field that is too long or has a character that is not allowed")
    NO_TIMES = "t", marked("no time of the sign-up or of the confirmation")
    BAD_TIME = "f", marked("a time that cannot be right: unreadable, before 1995, in the future, or in the wrong order")
    NO_PROOF = "p", marked("neither an IP address nor a document")
    SUPPRESSED = "x", marked("wants no such emails")
    LEFT = "e", marked("left this list, or emails came back: only their own sign-up brings them back")
    KNOWN = "k", marked("subscribed already, or in an earlier row")
    ASKED = "a", marked("asked to confirm already")


BY_LETTER = {one.value: one for one in Outcome}
GOOD = {Way.EVIDENCE: Outcome.IMPORTED, Way.INVITE: Outcome.WAITS}
TAKEN = frozenset(GOOD.values())
NO_WORKBOOK = marked(
    "This file is no list that can be read: save it as XLSX or CSV in the program that it comes from. "
    "Unpack an archive first."
)
NO_EMAIL = marked("No column holds the email addresses: say which one does.")


def never_mailed(why: str) -> Outcome:
    """What `domain.mailable` says against an address."""
    return Outcome.ROLE if "role" in why else Outcome.DOMAIN if "domain" in why else Outcome.OWN


class Person(NamedTuple):
    """A row that may become a subscription or an invitation."""

    row: int
    address: Address
    key: bytes
    mailbox: bytes | None
    locale: str
    name: str | None
    fields: dict[str, str] | None
    registered_at: datetime | None = None
    confirmed_at: datetime | None = None
    ips: Mapping[str, str] = MappingProxyType({})  # of the sign-up, of the confirmation
    source: str = ""
    document: str = ""


# Times

EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)
TIMES, ORDERS = ("registered_at", "confirmed_at"), ("dmy", "mdy")
UNSLASHED = "-"
_SLASHED = re.compile(
    r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?:,?[ T]+(\d{1,2}):(\d\d)(?::(\d\d))?(?: ?([AP])M)?)?", re.I
)
_EPOCH = re.compile(r"\d{9,10}(?:\.\d+)?|\d{12,13}")


def order_of(texts: list[str]) -> str:
    """In which order the dates of a column stand; "-": none has slashes, so all say it; empty: nobody can tell."""
    found = [_SLASHED.match(text) for text in texts]
    pairs = [(int(one[1]), int(one[3])) for one in found if one and one[2] == "/" and len(one[1]) < 3]
    possible = [order for order, place in zip(ORDERS, (1, 0), strict=True) if all(pair[place] <= 12 for pair in pairs)]
    return (possible[0] if len(possible) == 1 else "") if pairs else UNSLASHED


def read_time(text: str, order: str) -> datetime:
    """One without a zone is in UTC. Raises ValueError, also for one that no list can have."""
    if _EPOCH.fullmatch(text):
        seconds = float(text)
        at = datetime.fromtimestamp(seconds / 1000 if seconds > 10**11 else seconds, UTC)
    elif (found := _SLASHED.fullmatch(text)) and len(found[1]) < 3:
        at = _slashed(found, order if found[2] == "/" else ORDERS[0])
    else:
        at = datetime.fromisoformat(text.replace("/", "-"))
    at = (at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)).replace(microsecond=0)
    if at < EARLIEST:
        raise ValueError("before there were such lists")
    return at


def _slashed(found: re.Match[str], order: str) -> datetime:
    if order not in ORDERS:
        raise ValueError("day or month first?")
    first, _, second, year, hour, minute, second_of, half = found.groups()
    day, month = (first, second) if order == "dmy" else (second, first)
    hours = int(hour or 0) % 12 + 12 * (half in "Pp") if half else int(hour or 0)
    return datetime(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day), hours, int(minute or 0),
                    int(second_of or 0), tzinfo=UTC)  # fmt: skip


# The pace of invitations, and when they stop

PER_DAY, MOST_PER_DAY = 200, 100_000
HOURS = 8  # over which the share of a day goes out, so that the first that come back stop the rest
LOOKED_BACK, LEAST, TOO_MANY = 200, 20, 0.05  # of the last so many, so many at least, this part came back
UNDO_WITHIN = timedelta(days=1)
FILE_KEPT = timedelta(days=1)  # after the end
HALTED_AT_MOST = timedelta(days=30)  # then nobody waits any more
REMEMBERED = timedelta(days=365)  # whom an import has invited
CAME_BACK = frozenset({Fact.MAIL_GIVEN_UP.value, "returned"})  # "returned": by a mail that says so


def share(per_day: int, of_day: int, of_hour: int) -> int:
    """How many more may be invited now, after so many in the last 24 hours and in the last one."""
    return max(0, min(per_day - of_day, ceil(per_day / HOURS) - of_hour))


def is_too_many(back: int, sent: int) -> bool:
    return sent >= LEAST and back > TOO_MANY * sent
