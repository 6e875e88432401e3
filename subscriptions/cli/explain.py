"""The story of one address, told from its evidence in plain words."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from subscriptions.clock import words
from subscriptions.domain.address import Address
from subscriptions.domain.budget import Budget
from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.mail_kinds import noun
from subscriptions.domain.policy import state_at
from subscriptions.mail.rebuild import rebuild
from subscriptions.parts import current_parts
from subscriptions.store import addresses, evidence, outbox, registrations, subscriptions, suppressions
from subscriptions.store.engine import reading
from subscriptions.store.models import Evidence, Owed, Registration, Subscription


def story(key: bytes) -> list[str]:
    """One sentence a line; an address that we know nothing of gets one line that says so."""
    now = current_parts().clock.now()
    with reading() as session:
        lines = [*_registrations(session, key, now), *_chapters(session, key, now), *_standing(session, key, now)]
    return lines or ["Nothing is known about this address: it never signed up, or all of it has been deleted."]


def never_mailed(address: Address) -> list[str]:
    """Why the address gets no mail whoever asks, where that is so."""
    why = current_parts().mailable.why_not(address)
    return [f"Never mailed, and answered like all others: {why}."] if why else []


def _registrations(session: Session, key: bytes, now: datetime) -> Iterator[str]:
    for row in registrations.of_key(session, key):
        yield f"Sign-up for {_list(row.list_id)} at {words(row.registered_at)}:"
        yield from _told(row)
        for one in evidence.of_registration(session, row.id):
            yield f"  {words(one.at)}: {_sentence(one)}{_proof(session, one)}"
        if row.replaces:
            yield "  It moves here from another address, once it is confirmed."
        for owed in outbox.of_registration(session, row):
            yield f"  {_waiting(owed, now)}"
        yield f"  Now: {_next(row, now)}"


def _chapters(session: Session, key: bytes, now: datetime) -> Iterator[str]:
    for chapter in subscriptions.of_key(session, key):
        yield f"Subscription to {_list(chapter.list_id)}, confirmed at {words(chapter.confirmed_at)}:"
        yield from _told(chapter)
        for one in evidence.of_subscription(session, chapter.id):
            if one.registration_id is None:
                yield f"  {words(one.at)}: {_sentence(one)}{_proof(session, one)}"
        for owed in outbox.of_subscription(session, chapter.id):
            yield f"  {_waiting(owed, now)}"
        yield f"  Now: {_chapter_now(chapter)}"


def _told(row: Registration | Subscription) -> Iterator[str]:
    """Which fields were filled, never with what: a story may be passed on."""
    named = [*(["name"] if row.name else []), *(row.fields or {})]
    if named:
        yield f"  Told to be addressed by: {', '.join(named)}"


def _standing(session: Session, key: bytes, now: datetime) -> Iterator[str]:
    for one in suppressions.active(session, key, now):
        what = "gets no mail at all" if one.scope == "all" else "is not asked to confirm"
        where = "" if one.list_id is None else f" for {_list(one.list_id)}"
        until = f" until {words(one.until)}" if one.until else ""
        yield f"Suppressed: this address {what}{where}{until} ({one.reason}, set at {words(one.set_at)})."
    row = addresses.find(session, key)
    if row is None:
        return
    opens = Budget.read(row.mails, current_parts().policy.mails).opens(now)
    if opens > now:
        yield f"Mail budget: used up; a sign-up before {words(opens)} is answered as always and causes no mail."
    yield f"Asked for {row.asked} time{'s' * (row.asked != 1)} in all."
    if row.erase_by:
        yield f"Erasure has been asked for: done by {words(row.erase_by)} at the latest."


def _sentence(one: Evidence) -> str:
    details = one.details
    mail = noun(details.get("mail"))
    ip = f" from {one.ip}" if one.ip else ""
    told = {
        "registered": f"signed up by {one.channel}{_by(one)}{ip}{_vouched(one)}; {_consent(details)}",
        "mailed": f'the relay took the {mail}: "{details.get("reply")}".',
        "mail given up": f'the {mail} was given up; the relay said "{details.get("reply")}".',
        "confirmed": f"confirmed by {details.get('method')}{ip}.",
        "asked again": f"somebody signed this address up again by {one.channel}{_by(one)}.",
        "disowned": f'"this was not me", by {one.channel}.',
        "unsubscribed": f"unsubscribed by {one.channel}{_by(one)}: {details.get('reason')}.",
        "corrected": f"changed on their own page: {', '.join(details.get('changed', []))}.",
        "bounced": f"bounced: {details.get('reply')}.",
        "restricted": f"restricted: {details.get('reason')}.",
        "erased": "the person was erased from this record.",
    }
    return told.get(one.fact, one.fact)


def _proof(session: Session, one: Evidence) -> str:
    """Whether the mail as it was sent can be shown (E-03)."""
    if one.fact != "mailed":
        return ""
    if rebuild(session, one.id, current_parts().sender.composer) is None:
        return " Of it only the hashes are left: the person or the key that signed its links is gone."
    return " Made again from what is kept, it is the same, byte for byte."


def _consent(details: dict[str, Any]) -> str:
    flagged = " Its domain is one for throw-away addresses." if "disposable" in details.get("flags", ()) else ""
    return f"consent text {details.get('wording')}.{flagged}"


def _vouched(one: Evidence) -> str:
    """What a client says of the visitor that it spoke for."""
    page, at = one.details.get("page"), one.details.get("submitted_at")
    where = f" on {page}" if page else ""
    when = f" at {at}" if at else ""
    return f", as it says{where}{when}" if where or when else ""


def _by(one: Evidence) -> str:
    return f" ({one.actor})" if one.actor else ""


def _waiting(owed: Owed, now: datetime) -> str:
    mail = noun(owed.mail)
    if owed.drop_at <= now:
        said = f" {_why(owed.note)} (try {owed.tries}), and" if owed.note else ""
        return f"The {mail} will not be sent:{said} its time is over."
    if owed.note:
        return f"The {mail} waits: {_why(owed.note)} (try {owed.tries}); next try at {words(owed.due_at)}."
    if owed.due_at > now:
        return f"The {mail} waits until {words(owed.due_at)} (one mail to an address in 15 minutes)."
    return f"The {mail} is about to leave."


def _why(note: str) -> str:
    return note if note.startswith(outbox.NOT_WRITTEN) else f'the relay said "{note}"'


def _next(row: Registration, now: datetime) -> str:
    state = state_at(row.state, row.confirm_by, now)
    if state is State.PENDING:
        return f"pending; it can be confirmed until {words(row.confirm_by)}, then it is blocked."
    if state is State.BLOCKED:
        return f"blocked, since nobody confirmed in time; it is deleted at {words(row.purge_at)}."
    return "confirmed."


def _chapter_now(chapter: Subscription) -> str:
    if chapter.ended_at is None:
        return "subscribed, but restricted: not mailed." if chapter.restricted else "subscribed."
    until = f"; its proof is kept until {words(chapter.proof_until)}" if chapter.proof_until else ""
    return f"{chapter.state} since {words(chapter.ended_at)}{until}."


def _list(id_: int) -> str:
    return current_parts().catalogue.lists[id_].name
