"""Spam reports: the feedback that mailbox providers send (RFC 5965), and what Outlook.com sent before it did."""

import re
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy.orm import Session

from subscriptions.actions.returned import Complaint, Effect, Source, complain
from subscriptions.domain.arrivals import Outcome
from subscriptions.domain.evidence import Channel
from subscriptions.inbound.about import about_of
from subscriptions.inbound.house import House
from subscriptions.inbound.message import Arrived

UNWANTED = frozenset({"abuse", "complaint", "opt-out", "opt-out-list"})
NO_COMPLAINT = frozenset({"not-spam", "auth-failure", "dmarc", "miscategorized"})  # all others are for a human


@dataclass(frozen=True, slots=True)
class Report:
    sort: ClassVar[str] = "complaint"
    report: Complaint
    kind: str

    def act(self, session: Session, arrived: Arrived, house: House) -> Outcome:
        if self.kind not in UNWANTED:
            return Outcome.NOTHING if self.kind in NO_COMPLAINT else Outcome.UNCLEAR
        effect = complain(session, self.report, house.now, house.policy)
        return Outcome.NOTHING if effect is Effect.NOTHING else Outcome.DONE


def complaint_of(arrived: Arrived, house: House) -> Report | None:
    """None where it is no report; without anything of ours in it, it changes nothing."""
    kind = _kind(arrived)
    if kind is None:
        return None
    source = Source(Channel.COMPLAINT, at=arrived.sent_at, sha256=arrived.sha256.hex())
    return Report(Complaint(about_of(arrived, house), source), kind)


def _kind(arrived: Arrived) -> str | None:
    parts = [*arrived.message.walk()]
    if any(part.get_content_type() == "message/feedback-report" for part in parts):
        found = _KIND.search(arrived.octets)
        return found[1].decode().lower() if found else ""
    return "abuse" if any("X-HmXmrOriginalRecipient" in part for part in parts) else None  # Outlook.com


_KIND = re.compile(rb"^feedback-type:[ \t]*([a-z-]+)", re.I | re.M)
