"""The proof of one consent: what the evidence has on one address and one list, gathered for who has to show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions.domain.evidence import Fact
from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.policy import state_at
from subscriptions.domain.texts import marked
from subscriptions.parts import current_parts
from subscriptions.store import evidence, policies, registrations, subscriptions
from subscriptions.store.models import Evidence, List, Policy, Subscription, Wording
from subscriptions.story.said import OfList, Said

ASKS = frozenset(kind.value for kind in MailKind if kind.row.of_form)
OLDEST_PAGE = 10  # consents that the document tells in full, the newest ones; all are in the record for machines


class NoConsent(Exception):
    """There is none to prove; `says` why."""

    def __init__(self, says: Said) -> None:
        super().__init__(says.text)
        self.says = says


@dataclass(frozen=True, slots=True)
class Consent:
    """One consent with everything that happened to it, in order; what an old record lacks is none."""

    row: Subscription
    events: Sequence[Evidence]
    signed_up: Evidence | None
    confirmed: Evidence | None
    imported: Evidence | None
    asked: Sequence[Evidence]  # the mails that asked for it
    wording: Wording | None
    policy: Policy | None  # the version of the privacy policy that stood there

    @property
    def is_whole(self) -> bool:
        return bool(self.signed_up and self.confirmed)

    @property
    def mail(self) -> Evidence | None:
        """The one that was answered: the last before the confirmation."""
        return self.asked[-1] if self.asked else None

    @property
    def is_vouched(self) -> bool:
        """Whether the form said that the wording stood beside its button."""
        return bool(self.signed_up and self.wording and self.signed_up.details.get("vouched", True))

    @property
    def erased_at(self) -> datetime | None:
        return next((one.at for one in self.events if one.fact is Fact.ERASED), None)


@dataclass(frozen=True, slots=True)
class Case:
    """All consents of one address to one list, the newest first. `address`: as stored, else as it was asked about."""

    row: List
    key: bytes
    address: str | None
    is_stored: bool  # whether the address is, too
    consents: Sequence[Consent]
    now: datetime

    @property
    def newest(self) -> Consent:
        return self.consents[0]


def gather(session: Session, key: bytes, row: List, now: datetime, asked_about: str | None = None) -> Case:
    """What proves consent to that list; `asked_about`: the address as whoever asks has it. Raises NoConsent."""
    rows = [one for one in subscriptions.kept_of_key(session, key, now) if one.list_id == row.id]
    if not rows:
        raise NoConsent(_why_none(session, key, row, now))
    consents = [_consent(session, one) for one in reversed(rows)]
    stored = next((one.row.address for one in consents if one.row.address), None)
    return Case(row, key, stored or asked_about, stored is not None, consents, now)


def _consent(session: Session, row: Subscription) -> Consent:
    events = evidence.of_subscription(session, row.id)
    confirmed = next((one for one in events if one.fact is Fact.CONFIRMED), None)
    of_form = [one for one in events if confirmed and one.registration_id == confirmed.registration_id]
    signed_up = next((one for one in of_form if one.fact is Fact.REGISTERED), None)
    asked = [one for one in of_form if one.fact is Fact.MAILED and one.details.get("mail") in ASKS]
    known, told = current_parts().catalogue.wordings, [one.details for one in (confirmed, signed_up) if one]
    named = (*(details.get("wording") for details in told), row.wording_id)
    wording = next((known[id_] for id_ in named if id_ is not None and id_ in known), None)
    policy = next((details["policy"] for details in told if details.get("policy")), None)
    imported = next((one for one in events if one.fact is Fact.IMPORTED), None)
    return Consent(
        row, events, signed_up, confirmed, imported, asked, wording, policy and policies.find(session, policy)
    )


def _why_none(session: Session, key: bytes, row: List, now: datetime) -> Said:
    signed_up = [one for one in registrations.unconfirmed_of_key(session, key, now) if one.list_id == row.id]
    of = {"list": OfList(row.id)}
    if not signed_up:
        return Said(_NOTHING, of)
    last = signed_up[-1]
    waits = state_at(last.state, last.confirm_by, now) is State.PENDING
    return Said(_WAITS if waits else _BLOCKED, of | {"time": last.registered_at})


_NOTHING = marked(
    "Nothing is stored that proves a consent of this address to %(list)s: it never subscribed, or its proof is over."
)
_WAITS = marked(
    "This address was signed up for %(list)s on %(time)s, and nobody has confirmed yet: there is no consent to prove."
)
_BLOCKED = marked(
    "This address was signed up for %(list)s on %(time)s, and nobody confirmed in time: there is no consent to prove."
)
