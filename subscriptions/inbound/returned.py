"""Bounces: a report of RFC 3464, or one in the forms that `flufl.bounce` knows."""

import logging
import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import ClassVar, NamedTuple

from sqlalchemy.orm import Session

from subscriptions.actions.returned import Effect, Returned, Source, came_back
from subscriptions.domain.address import BadAddress, parse
from subscriptions.domain.arrivals import Outcome
from subscriptions.domain.bounces import STATUS, reply_of, weight_of
from subscriptions.domain.evidence import Channel
from subscriptions.inbound.about import about_of
from subscriptions.inbound.house import House
from subscriptions.inbound.message import Arrived
from subscriptions.links import Links

logging.getLogger("flufl.bounce").disabled = True  # its tracebacks would tell of the mail
LOOKED_AT = 64 * 1024  # octets, in forms of their own
_UNSAID = re.compile(r"(|[245]\.0\.0|[45]\.5\.0)")  # a status that says nothing
_RETURNED = re.compile(
    r"^(received|return-path|message-id|dkim-signature):|^-{2,}.*(original|copy|below|header)", re.M | re.I
)


@dataclass(frozen=True, slots=True)
class Bounce:
    sort: ClassVar[str] = "bounce"
    mail: Returned

    def act(self, session: Session, arrived: Arrived, house: House) -> Outcome:
        effect = came_back(session, self.mail, house.now, house.policy)
        return Outcome.NOTHING if effect is Effect.NOTHING else Outcome.DONE


class Report(NamedTuple):
    """What one of its recipients is said to be; an empty `status`: nothing in a form for programs."""

    recipients: tuple[str, ...]
    status: str
    said: str


def bounce_of(arrived: Arrived, house: House) -> Bounce | None:
    """None where it is no bounce; `about` nothing where it is none of a mail of ours, or of one that is only late."""
    if (reports := reports_of(arrived)) is None:
        return None
    about = about_of(arrived, house) if reports else None
    source = Source(Channel.BOUNCE, at=arrived.sent_at, sha256=arrived.sha256.hex())
    if about is None or not reports:
        return Bounce(Returned(None, source))
    report = next((one for one in reports if about.key in _keys(one, house.links)), reports[0])
    weight, reply = weight_of(report.status, report.said), reply_of(report.status, report.said, report.recipients)
    return Bounce(Returned(about, source, weight, reply, _keys(report, house.links)))


def reports_of(arrived: Arrived) -> list[Report] | None:
    """Those about whom it says that they got nothing; none at all where it is no bounce, or only late."""
    by_rfc = _by_rfc(arrived)
    return _by_form(arrived) if by_rfc is None else by_rfc


def _by_rfc(arrived: Arrived) -> list[Report] | None:
    """Those that failed; none at all where it is no such report, or one that names nobody."""
    parts = (part for part in arrived.message.walk() if part.get_content_type() in _STATUS)
    inner = [block for part in parts for block in part.walk() if block is not part]
    blocks = [block for block in inner if any(name in block for name in _OF_RECIPIENT)]
    return [_report(block, arrived) for block in blocks if _first(block, "Action") not in _FINE] if blocks else None


_STATUS = "message/delivery-status", "message/global-delivery-status"
_OF_RECIPIENT = "Action", "Status", "Final-Recipient"
_FINE = "delayed", "delivered", "relayed", "expanded"  # some servers say "failure" or "error" for "failed"


def _first(block: Message, name: str) -> str:
    """Without the comment that may follow it."""
    return str(block.get(name, "")).partition("(")[0].strip().lower()


def _report(block: Message, arrived: Arrived) -> Report:
    named = (str(block.get(name, "")) for name in ("Original-Recipient", "Final-Recipient"))
    recipients = tuple((text.partition(";")[2] or text).strip() for text in named if text)
    status, said = _first(block, "Status"), re.sub(r"^[\w-]+ ?;", "", str(block.get("Diagnostic-Code", "")).strip())
    if not STATUS.fullmatch(status):
        status, said = "", f"{status} {said}"
    if _UNSAID.fullmatch(status):
        said = f"{said} {_own_words(arrived)}"
    return Report(recipients, status, " ".join(said.split()))


def _by_form(arrived: Arrived) -> list[Report] | None:
    from flufl.bounce import all_failures  # here, as most reports are in the form for programs

    try:
        late, gone = all_failures(message_from_bytes(arrived.octets[:LOOKED_AT]))
    except Exception:  # whatever its heuristics stumble over is no bounce
        return None
    found = [Report((octets.decode("utf-8", "replace"),), "", _own_words(arrived)) for octets in sorted(gone)]
    return found if found or late else None


def _own_words(arrived: Arrived) -> str:
    """What it says itself, without the mail that it returns, whose words would be taken for it."""
    return " ".join(_RETURNED.split(arrived.words, maxsplit=1)[0][:2000].split())


def _keys(report: Report, links: Links) -> tuple[bytes, ...]:
    return tuple(_key(address.strip("<> "), links) for address in report.recipients)


def _key(address: str, links: Links) -> bytes:
    try:
        return links.key(parse(address).folded)
    except BadAddress:
        return b""  # somebody else
