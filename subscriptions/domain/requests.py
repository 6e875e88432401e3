"""Requests of people about their data (GDPR 12 to 22): what is asked, until when it is answered, how it stands."""

from datetime import date, datetime
from enum import StrEnum

from subscriptions.domain.policy import months_after

LONGEST = 5000  # characters of what somebody writes, and of an answer
SOON = 7  # days before it is due in which a request counts as due


class RequestKind(StrEnum):
    ACCESS = "access"
    CORRECTION = "correction"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    OBJECTION = "objection"
    COMPLAINT = "complaint"
    OTHER = "other"


class Outcome(StrEnum):
    ANSWERED = "answered"
    REFUSED = "refused"


class Step(StrEnum):
    """What an officer does about one that is open."""

    ANSWER = "answer"
    EXTEND = "extend"
    REFUSE = "refuse"


def due_on(received: datetime) -> date:
    """A month after that day, which is one of the zone of whom it reached (GDPR 12(3); Regulation 1182/71, 3(2)(c)).

    It is not put off where that is a Sunday or a holiday, as 3(4) would allow: holidays differ, and earlier is lawful.
    """
    return months_after(received, 1).date()


def extended_until(received: datetime) -> date:
    """Two months more, where it is complex (GDPR 12(3))."""
    return months_after(received, 3).date()
