"""The document that a court reads: page 1 has what matters, the annexes have the rest, in one language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from flask_babel import force_locale, gettext

from subscriptions.domain.lifecycle import Subscription as State
from subscriptions.domain.texts import filled, marked
from subscriptions.languages import direction, locale_of
from subscriptions.parts import current_parts
from subscriptions.proof import OLDEST_PAGE, Case, Consent
from subscriptions.proof.mail_shown import ShownMail, shown
from subscriptions.proof.record import number, schema_url
from subscriptions.proof.sealed import Sealed
from subscriptions.proof.words import Voice
from subscriptions.proof.workflow import Ran, ran
from subscriptions.store import policies
from subscriptions.store.models import Evidence, List
from subscriptions.story import happened

ON_PAGE_1 = {"name": 60, "party": 120, "wording": 360, "reply": 90, "sentence": 120}  # letters
LINES = 8
POLICY = 60_000  # letters of a privacy policy; proof.json has all of it
JUDGMENT = "BGH, 10.02.2011, I ZR 164/09"


@dataclass(frozen=True, slots=True)
class Told:
    """A consent as the document tells it. `name`: of the file with its confirmation mail; empty: there is none."""

    consent: Consent
    verdict: str
    ips: Sequence[str]  # of the sign-up and of the confirmation
    mail: ShownMail | None
    name: str


def html(case: Case, tag: str, sealed: Sealed, mails: Mapping[str, tuple[Evidence, bytes]],
         versions: Sequence[tuple[datetime, str]], office: str) -> str:  # fmt: skip
    """`mails`: what can be made again, by the name of its file; `office`: who made the document."""
    row, parts = case.row.said_in(tag), current_parts()
    with force_locale(locale_of(tag)):
        voice = Voice(tag, row)
        told = [_told(voice, case, one, mails) for one in case.consents[:OLDEST_PAGE]]
        return current_app.jinja_env.get_template("proof/proof.html").render(
            case=case, row=row, told=told, first=told[0], voice=voice, lang=tag, dir=direction(tag), sealed=sealed,
            sentence=lambda event: voice.sentence(happened.sentence(event)), way=happened.way, cut=cut,
            ran=[*_ran(case, versions)], policy_at_most=POLICY, base_url=parts.settings.server.base_url,
            schema_url=schema_url(), office=office,
            read_from=policies.read_from, number=number(case), judgment=JUDGMENT, party=_party(case.newest, row),
            earlier=case.consents[1:], bare=lambda event: voice.sentence(happened.sentence(event).bare),
        )  # fmt: skip


def cut(text: str, what: str) -> str:
    """As much of it as page 1 has room for."""
    at_most, line = ON_PAGE_1[what], " ".join(text.split())
    return text if len(text) <= at_most and text.count("\n") < LINES else f"{line[:at_most].rstrip()} …"


def _told(voice: Voice, case: Case, one: Consent, mails: Mapping[str, tuple[Evidence, bytes]]) -> Told:
    name, octets = next(((name, octets) for name, (of, octets) in mails.items() if of is one.mail), ("", b""))
    ips = [_ip(voice, one, event, case.now) if event else "" for event in (one.signed_up, one.confirmed)]
    return Told(one, _verdict(voice, one), ips, shown(octets) if name else None, name)


def _party(one: Consent, row: List) -> Sequence[str]:
    """The controller as the wording named it, else as the list does; and how to reach it, as far as is known today."""
    said = one.wording.controller if one.wording else ""
    return [text for text in (said or row.controller or row.sender, row.postal_address, row.privacy_contact) if text]


_SINCE = marked(
    "On the evidence kept, this address was signed up on %(signed_up)s and its mailbox confirmed on %(confirmed)s. "
    "Consent has been in force since then."
)
_UNTIL = marked(
    "On the evidence kept, this address was signed up on %(signed_up)s and its mailbox confirmed on %(confirmed)s. "
    "Consent was in force from then until %(ended)s."
)
_IMPORTED = marked(
    "This consent was not given here. It was imported on %(imported)s from %(source)s, on whose record this address "
    "was signed up on %(signed_up)s and confirmed on %(confirmed)s. The file that says so has the SHA-256 %(sha256)s; "
    "the proof rests on that record."
)
_IN_PART = marked(
    "The evidence kept is not complete. As far as it goes, this address was signed up on %(signed_up)s and its mailbox "
    "confirmed on %(confirmed)s."
)


def _verdict(voice: Voice, one: Consent) -> str:
    row = one.row
    values: dict[str, object] = {"signed_up": voice.when(row.registered_at), "confirmed": voice.when(row.confirmed_at)}
    if one.imported:
        told = {"source": one.imported.details["source"], "sha256": one.imported.details["file_sha256"]}
        return filled(gettext(_IMPORTED), values | told | {"imported": voice.when(one.imported.at)})
    if not one.is_whole:
        return filled(gettext(_IN_PART), values)
    if row.state is State.CONFIRMED or row.ended_at is None:
        return filled(gettext(_SINCE), values)
    return filled(gettext(_UNTIL), values | {"ended": voice.when(row.ended_at)})


def _ip(voice: Voice, one: Consent, event: Evidence, now: datetime) -> str:
    """The address, or since when it is gone, and why: the proof stands without it."""
    if event.ip:
        return event.ip
    if event.ip_source is None:
        return str(gettext("None was stored."))
    over, erased = current_parts().policy.ip_until(one.row.confirmed_at), one.erased_at
    if erased and erased < over:
        return str(gettext("Deleted on %(time)s, when the person was erased.", time=voice.when(erased)))
    if over <= now:
        return str(gettext("Deleted: its period ended on %(time)s.", time=voice.when(over)))
    return str(gettext("Deleted."))


def _ran(case: Case, versions: Sequence[tuple[datetime, str]]) -> Sequence[Ran]:
    """What the evidence of a sign-up says, no version before 0.4 wrote: it then ran before it was noted."""
    one, first = case.newest.row, case.newest.signed_up
    if versions and first and "vouched" in first.details and versions[0][0] > one.registered_at:
        versions = [(one.registered_at, versions[0][1]), *versions[1:]]
    return [*ran(versions, one.registered_at, one.confirmed_at)]
