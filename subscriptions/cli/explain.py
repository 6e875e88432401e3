"""The story of one address, told from its evidence in plain words."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from subscriptions.clock import local_time, text, words
from subscriptions.domain.address import Address
from subscriptions.domain.budget import rates_in_words
from subscriptions.domain.evidence import ANOTHER_SITE, way
from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.mail_kinds import SuppressionScope, noun
from subscriptions.domain.policy import state_at
from subscriptions.domain.refusals import Refusal
from subscriptions.mail.aside import EVERYBODY
from subscriptions.mail.rebuild import redacted
from subscriptions.parts import current_parts
from subscriptions.store import addresses, evidence, outbox, registrations, subscriptions, suppressions
from subscriptions.store.engine import reading
from subscriptions.store.models import Evidence, Owed, Registration, Subscription


def story(key: bytes, mailbox: bytes | None = None) -> list[str]:
    """One sentence a line; an address that we know nothing of gets one line that says so.

    `mailbox`: its key, where the address is one spelling of another.
    """
    now = current_parts().clock.now()
    with reading() as session:
        lines = [*_registrations(session, key, now), *_subscriptions(session, key, now)]
        lines += [*_standing(session, key, mailbox, now), *_counted(session, key, mailbox, now)]
    return lines or ["Nothing is stored about this address: it never signed up, or everything has been deleted."]


def never_mailed(address: Address) -> list[str]:
    """Why the address gets no mail whoever asks, where that is so."""
    why = current_parts().mailable.why_not(address)
    return [f"This address is never sent email, though the form answers it like any other: {why}."] if why else []


def _registrations(session: Session, key: bytes, now: datetime) -> Iterator[str]:
    for row in registrations.of_key(session, key):
        yield f"Signed up for {_list(row.list_id)}, {_exactly(row, row.registered_at)}:"
        events, owed = evidence.of_registration(session, row.id), outbox.of_registration(session, row)
        yield from _happened(session, row, events, owed, now)
        yield f"  Now: {_next(row, now)}"


def _subscriptions(session: Session, key: bytes, now: datetime) -> Iterator[str]:
    for row in subscriptions.of_key(session, key):
        yield f"Subscription to {_list(row.list_id)}, confirmed {_exactly(row, row.confirmed_at)}:"
        yield from _happened(session, row, _own(session, row), outbox.of_subscription(session, row.id), now)
        yield f"  Now: {_subscription_now(row)}"


def _happened(
    session: Session, row: Registration | Subscription, events: Sequence[Evidence], owed: Sequence[Owed], now: datetime
) -> Iterator[str]:
    if named := [*(["name"] if row.name else []), *(row.fields or {})]:  # never with what: a story may be passed on
        yield f"  Also filled in: {', '.join(named)}"
    for event in events:
        yield f"  {_exactly(row, event.at)}: {_sentence(event)}{_proof(session, event)}"
        yield from _agreed(event)
    if isinstance(row, Registration) and row.replaces:
        yield "  Once confirmed, this replaces the subscription of another address."
    for mail in owed:
        yield f"  {_waiting(mail, now)}"


def _standing(session: Session, key: bytes, mailbox: bytes | None, now: datetime) -> Iterator[str]:
    for suppression in suppressions.active(session, key, now, mailbox):
        what = "gets no email at all" if suppression.scope is SuppressionScope.ALL else "gets no confirmation emails"
        where = "" if suppression.list_id is None else f" for {_list(suppression.list_id)}"
        until = f" until {words(suppression.until)}" if suppression.until else ""
        other = " for another spelling of the same mailbox" if suppression.of_mailbox else ""
        why = f"{suppression.reason}, set on {words(suppression.set_at)}{other}"
        yield f"Suppressed: this address {what}{where}{until} ({why})."


def _counted(session: Session, key: bytes, mailbox: bytes | None, now: datetime) -> Iterator[str]:
    opens = addresses.budget(session, key, mailbox, current_parts().policy).opens(now)
    if opens > now:
        closed = f"a sign-up before {words(opens)} is answered as usual, but sends no email"
        yield f"Mail budget used up ({rates_in_words(current_parts().policy.mails)}): {closed}."
    row = addresses.find(session, key)
    if row and row.asked:
        yield f"Signed up {row.asked} time{'s' * (row.asked != 1)} in all."
    if row and row.erase_by:
        yield f"Erasure was requested: it is done by {words(row.erase_by)} at the latest."


def as_data(key: bytes, mailbox: bytes | None = None) -> dict[str, Any]:
    """The same for programs: what happened to each sign-up and subscription, and what stands against mails."""
    now = current_parts().clock.now()
    with reading() as session:
        return {
            "sign_ups": [
                {"list": _slug(row), "registered_at": text(row.registered_at), "now": _next(row, now)}
                | _told(row, evidence.of_registration(session, row.id), outbox.of_registration(session, row), now)
                for row in registrations.of_key(session, key)
            ],
            "subscriptions": [
                {"list": _slug(row), "confirmed_at": text(row.confirmed_at), "now": _subscription_now(row)}
                | _told(row, _own(session, row), outbox.of_subscription(session, row.id), now)
                for row in subscriptions.of_key(session, key)
            ],
            "standing": [*_standing(session, key, mailbox, now), *_counted(session, key, mailbox, now)],
        }  # fmt: skip


def _own(session: Session, row: Subscription) -> list[Evidence]:
    """What happened since it was opened."""
    return [event for event in evidence.of_subscription(session, row.id) if event.registration_id is None]


def _slug(row: Registration | Subscription) -> str:
    return current_parts().catalogue.lists[row.list_id].slug


def _told(
    row: Registration | Subscription, events: Sequence[Evidence], owed: Sequence[Owed], now: datetime
) -> dict[str, Any]:
    return {"evidence": [_fact(row, event) for event in events], "mails": [_waiting(mail, now) for mail in owed]}


def _fact(row: Registration | Subscription, event: Evidence) -> dict[str, Any]:
    wording = current_parts().catalogue.wordings.get(event.details.get("wording", ""))
    of_list = current_parts().catalogue.lists[row.list_id]
    return {"fact": event.fact, "at": text(event.at), "local": local_time(of_list, event.at), "channel": event.channel,
            "actor": event.actor, "ip": event.ip, "says": _sentence(event), "details": event.details,
            "wording_text": wording.text if wording else None}  # fmt: skip


def _sentence(event: Evidence) -> str:
    details = event.details
    mail = noun(details.get("mail"))
    ip = f" from {event.ip}" if event.ip else ""
    flagged = " Its domain offers throw-away addresses." if "disposable" in details.get("flags", ()) else ""
    flagged += " The form stood on another site." if ANOTHER_SITE in details.get("flags", ()) else ""
    site = f" on {details['site']}" if "site" in details else ""
    vouched = "" if details.get("vouched", True) else " (not vouched for by the form)"
    agreed = f"consent text {details.get('wording')}{vouched}.{flagged}"
    sentences = {
        "registered": f"signed up {way(event.channel)}{site}{_by(event)}{ip}{_vouched(event)}; {agreed}",
        "mailed": f'the relay took the {mail}: "{details.get("reply")}".',
        "mail given up": f'the {mail} was given up; the relay said "{details.get("reply")}".{_set_aside(details)}',
        "confirmed": f"{_confirmed(str(details.get('method')))}{ip}.",
        "asked again": f"somebody signed this address up again {way(event.channel)}{_by(event)}.",
        "disowned": f'"this was not me", {way(details.get("by", event.channel))}.',
        "unsubscribed": f"unsubscribed {way(event.channel)}{_by(event)}: {details.get('reason')}.",
        "corrected": f"changed on their own page: {', '.join(details.get('changed', []))}.",
        "bounced": f"bounced: {details.get('reply')}.",
        "restricted": f"restricted: {details.get('reason')}.",
        "erased": "the person was erased from this record.",
    }
    return sentences.get(event.fact, event.fact)


def _exactly(row: Registration | Subscription, at: datetime) -> str:
    """A time of evidence: to the second, in UTC, and beside it as the people of its list have it."""
    here = local_time(current_parts().catalogue.lists[row.list_id], at)
    return text(at) if here.endswith(" UTC") else f"{text(at)} ({here})"


def _agreed(event: Evidence) -> Iterator[str]:
    """The consent text, word for word, where the event names one."""
    wording = current_parts().catalogue.wordings.get(event.details.get("wording", ""))
    if wording:
        yield f"    Consent text {wording.id}, word for word:"
        yield from (f"    | {line}" for line in wording.text.splitlines())


def _confirmed(method: str) -> str:
    return method if method.startswith("confirmed") else f"confirmed by the {method}"


def _proof(session: Session, event: Evidence) -> str:
    if event.fact != "mailed":
        return ""
    if redacted(session, event.id, current_parts().links) is None:
        return " It cannot be rebuilt: the person, the name in its greeting or the key that signed it is gone."
    return " Rebuilt from the evidence, with hashes for its links and code, it is the same, byte for byte."


def _vouched(event: Evidence) -> str:
    page, at = event.details.get("page"), event.details.get("submitted_at")
    said = (f" on {page}" if page else "") + (f" at {at}" if at else "")
    return f", by its own account{said}" if said else ""


def _by(event: Evidence) -> str:
    return f" ({event.actor})" if event.actor else ""


def _set_aside(details: Mapping[str, Any]) -> str:
    """Why a mail that everybody's refusal had stopped did not leave later."""
    if not details.get("set_aside"):
        return ""
    over, superseded = "its time was over before the relay took any", "a later sign-up has its own email"
    what = superseded if details.get("superseded") else over
    return f" It had been set aside, because the relay refused everybody; {what}."


def _waiting(owed: Owed, now: datetime) -> str:
    mail = noun(owed.mail)
    if owed.refusal is Refusal.NOTED:
        said = f'{words(owed.refused_at or now)}: the {mail} was given up; the relay said "{owed.note}".'
        return f"{said} It is tried again only if the relay turns out, within the hour, to refuse everybody."
    if owed.refusal is Refusal.ASIDE and owed.drop_at > now:
        return (
            f'The {mail} is set aside because the relay refuses everybody; it said "{owed.note}". '
            "It is sent when the relay takes emails again, and counts towards the mail budget only then."
        )
    if owed.drop_at <= now:
        said = f" {_why(owed.note)} (attempt {owed.tries}), and" if owed.note else ""
        return f"The {mail} will not be sent:{said} its time is over."
    if owed.note:
        return f"The {mail} is waiting: {_why(owed.note)} (attempt {owed.tries}); next attempt on {words(owed.due_at)}."
    if owed.due_at > now:
        budget = rates_in_words(current_parts().policy.mails)
        return f"The {mail} is waiting until {words(owed.due_at)} (mail budget: {budget})."
    return f"The {mail} is about to be sent."


def _why(note: str) -> str:
    return note if note.startswith((outbox.NOT_WRITTEN, EVERYBODY)) else f'the relay said "{note}"'


def _next(row: Registration, now: datetime) -> str:
    state = state_at(row.state, row.confirm_by, now)
    if state is State.PENDING:
        return f"pending. It can be confirmed until {words(row.confirm_by)}; then it is blocked."
    if state is State.BLOCKED:
        return f"blocked, because nobody confirmed it in time. It is deleted on {words(row.purge_at)}."
    return "confirmed."


def _subscription_now(row: Subscription) -> str:
    if row.ended_at is None:
        return "subscribed, but restricted: it gets no email." if row.restricted else "subscribed."
    until = f". Its proof is kept until {words(row.proof_until)}" if row.proof_until else ""
    return f"{row.state} since {words(row.ended_at)}{until}."


def _list(id_: int) -> str:
    return current_parts().catalogue.lists[id_].name
