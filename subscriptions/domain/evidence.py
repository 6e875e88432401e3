"""Which facts each event of a life carries as its evidence."""

from collections.abc import Mapping
from enum import StrEnum


class Fact(StrEnum):
    REGISTERED = "registered"
    MAILED = "mailed"
    MAIL_GIVEN_UP = "mail given up"
    CONFIRMED = "confirmed"
    IMPORTED = "imported"
    ASKED_AGAIN = "asked again"
    CORRECTED = "corrected"
    DISOWNED = "disowned"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    RETURNED = "returned"  # a mail came back, which ends nothing
    RESTRICTED = "restricted"
    UNRESTRICTED = "unrestricted"
    ERASED = "erased"
    HELD = "hold placed"
    RELEASED = "hold lifted"


class Channel(StrEnum):
    """How an act reached us."""

    FORM = "form"
    API = "api"
    BUTTON = "button"
    PREFERENCES = "preferences"  # the page behind the mailbox
    ONE_CLICK = "one-click"
    EMAIL = "email"
    LETTER = "letter"
    PHONE = "phone"
    COMMAND = "command"
    DESK = "desk"
    RELAY = "relay"
    BOUNCE = "bounce"  # a mail that says that another one did not arrive (RFC 3464)
    IMPORT = "import"
    COMPLAINT = "complaint"  # a spam report (RFC 5965)


class Cause(StrEnum):
    """Why records are deleted: what the deletion log says."""

    UNCONFIRMED = "unconfirmed sign-ups"
    PROOFS = "proofs whose period is over"
    IPS = "IP addresses whose period is over"
    IPS_ERASED = "IP addresses, by an erasure"
    ERASURE = "erasure"
    OBJECTION = "objection"
    NOT_ME = "this was not me"
    CANCELLED = "cancelled at the desk"
    ATTACK = "cancelled after an attack"
    UNDONE = "an import that was undone"


OF_IPS = frozenset({Cause.IPS, Cause.IPS_ERASED})  # of these the records stay, without their IPs

# GDPR 7(1): time and channel stand with each; these are the details that must stand beside them
DETAILS: Mapping[Fact, frozenset[str]] = {
    Fact.REGISTERED: frozenset({"wording", "wording_sha256", "vouched", "locale"}),
    Fact.MAILED: frozenset(
        {"mail", "message_id", "date", "template", "values", "hashes", "sha256", "redacted_sha256", "locale", "reply"}
    ),
    Fact.MAIL_GIVEN_UP: frozenset({"mail", "reply"}),
    Fact.CONFIRMED: frozenset({"method", "wording", "wording_sha256"}),
    Fact.IMPORTED: frozenset({"source", "file_sha256", "row", "registered_at", "confirmed_at"}),
    Fact.ASKED_AGAIN: frozenset(),
    Fact.CORRECTED: frozenset({"changed"}),  # which fields; what stood in them before is nobody's proof
    Fact.DISOWNED: frozenset(),
    Fact.UNSUBSCRIBED: frozenset({"reason"}),
    Fact.BOUNCED: frozenset({"reply"}),
    Fact.RETURNED: frozenset({"reply", "weight", "on"}),
    Fact.RESTRICTED: frozenset({"reason"}),
    Fact.UNRESTRICTED: frozenset({"told", "told_on"}),  # GDPR 18(3): how and when, before it was lifted
    Fact.ERASED: frozenset({"keeps_until"}),
    Fact.HELD: frozenset({"reason", "review_on"}),
    Fact.RELEASED: frozenset({"reason"}),
}

ANOTHER_SITE = "another site"  # flag of a registration: its form stood on no site of the list and on none of ours
PROMISED_IP = frozenset({Fact.REGISTERED, Fact.CONFIRMED, Fact.IMPORTED})  # what the founding clause promises, alone


class Incomplete(ValueError):
    """An evidence row lacks a detail that its event must carry."""


def complete(fact: Fact, details: Mapping[str, object]) -> Mapping[str, object]:
    """The details, checked; raises Incomplete."""
    missing = DETAILS[fact] - details.keys()
    if missing:
        raise Incomplete(f"{fact} lacks {', '.join(sorted(missing))}")
    return details
