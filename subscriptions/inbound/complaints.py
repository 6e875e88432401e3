"""Spam reports: the feedback that mailbox providers send (RFC 5965), and what Outlook.com sent before it did."""

from dataclasses import dataclass
from email.message import Message
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
    for part in arrived.message.walk():
        if part.get_content_type() == "message/feedback-report":
            return _field(part, "Feedback-Type")
        if any(name.lower() == "x-hmxmroriginalrecipient" for name, _ in part.raw_items()):  # Outlook.com
            return "abuse"
    return None


def _field(part: Message, name: str) -> str:
    payload = part.get_payload()
    fields = payload[0] if isinstance(payload, list) and payload else part
    return str(fields.get(name, "")).strip().lower() if isinstance(fields, Message) else ""
