"""The mail as it was sent, made again from what was kept of it: the letter, the evidence and the person's row.

What is shown and handed on is the redacted form, with a hash in place of each token and code: links to leave and "this
was not me" work for ever, so the very bytes are keys.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from sqlalchemy.orm import Session

from subscriptions.domain.address import wire_form
from subscriptions.domain.evidence import Fact
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.links import Links
from subscriptions.mail import before_0_4
from subscriptions.mail.compiled_mails import Letter
from subscriptions.mail.compose import in_person
from subscriptions.mail.opening import hashes, secrets, sha256
from subscriptions.store import compiled_mails, evidence, lists, registrations, subscriptions
from subscriptions.store.models import Evidence, Registration, Subscription
from subscriptions.store.outbox import Due, Member

Values = dict[str, str]


def redacted(session: Session, evidence_id: int, links: Links, to: str | None = None) -> bytes | None:
    """The form that may be shown, compared by its hash; none where the person is gone or has told another name since.

    Of a mail of before 0.4.0, which has one hash alone: none as well where the key that signed it is gone.
    `to`: the address as whoever asks has it, for where none is stored any more: the hash says whether it went there.
    """
    kept = _kept(session, evidence_id, to)
    if kept is None:
        return None
    details, letter, due = kept
    if "redacted_sha256" not in details:
        values = _sent_before_0_4(details, letter, due, links)
        return letter.fill(values | hashes(values, letter.secrets)) if values else None
    with suppress(KeyError):
        octets = letter.fill(_values(details, due) | details["hashes"])
        return octets if sha256(octets) == details["redacted_sha256"] else None
    return None


def as_sent(session: Session, evidence_id: int, links: Links, to: str | None = None) -> bytes | None:
    """Its very bytes, with links that work, compared by their hash; none also where the key that signed it is gone.

    Nobody is shown them: they are for the export that a court asks for.
    """
    kept = _kept(session, evidence_id, to)
    if kept is None:
        return None
    details, letter, due = kept
    if "redacted_sha256" not in details:
        values = _sent_before_0_4(details, letter, due, links)
    else:
        values = _sent(details, letter, due, links)
    octets = letter.fill(values) if values else b""
    return octets if sha256(octets) == details["sha256"] else None


def _sent(details: dict[str, Any], letter: Letter, due: Due, links: Links) -> Values | None:
    """All that was filled in, where a key of ours writes the same links again."""
    for at in _signed_at(details):
        for written in links.as_written(at):
            opens = secrets(MailKind(due.mail), due, written)
            with suppress(KeyError):
                if hashes(opens, letter.secrets) == details["hashes"]:
                    return _values(details, due) | opens
    return None


def _sent_before_0_4(details: dict[str, Any], letter: Letter, due: Due, links: Links) -> Values | None:
    for at in _signed_at(details):
        for key in links.secret_keys:
            for values in before_0_4.values(due, key, at, details.get("locale", "en")):  # the first mails were English
                values |= _head(details, due)
                if letter.uses <= values.keys() and sha256(letter.fill(values)) == details["sha256"]:
                    return values
    return None


def _signed_at(details: dict[str, Any]) -> Iterator[datetime]:
    """The clock may have ticked between the date and the signature of a mail."""
    date = parsedate_to_datetime(details["date"])
    return (date + timedelta(seconds=late) for late in (0, 1))


def _values(details: dict[str, Any], due: Due) -> Values:
    """All that opens nothing. Raises KeyError where the greeting names what is no longer known."""
    values = _head(details, due) | details["values"]
    return in_person(values, due.name, due.fields) if "greeting" in values else values


def _head(details: dict[str, Any], due: Due) -> Values:
    return {"to": wire_form(due.address or ""), "date": details["date"], "mid": details["message_id"]}


def _kept(session: Session, evidence_id: int, to: str | None = None) -> tuple[dict[str, Any], Letter, Due] | None:
    """What evidence says, what was filled in, and what the mail was about."""
    proof = evidence.find(session, evidence_id)
    if proof is None or proof.fact != Fact.MAILED.value:
        return None
    source, due = compiled_mails.source(session, proof.details["template"]), _as_it_was_due(session, proof, to)
    return (proof.details, Letter(source), due) if source and due else None


def _as_it_was_due(session: Session, proof: Evidence, to: str | None) -> Due | None:
    registration = registrations.find(session, proof.registration_id)
    subscription = subscriptions.find(session, proof.subscription_id)
    about = registration or subscription
    if about is None or not (about.address or to):
        return None
    fields: dict[str, Any] = dict.fromkeys(Due._fields) | {"id": 0, "mail": proof.details["mail"], "tries": 0}
    fields["mid"] = proof.details["message_id"].strip("<>").rpartition("@")[0]  # links of one use are made of it
    fields |= {name: getattr(about, name) for name in ("key", "mailbox", "name", "fields", "registered_at")}
    fields["address"] = about.address or to
    confirm_by = registration.confirm_by if registration else None
    fields["members"] = (Member(_first_list(session, about, proof), None, None, None, confirm_by, None),)
    if registration:
        fields["ref"] = registration.ref
    elif subscription:
        fields["confirmed_at"] = subscription.confirmed_at
    if "owed_at" in proof.details:  # before 0.4.0
        fields["owed_at"] = datetime.fromisoformat(proof.details["owed_at"])
    return Due(**fields)


def _first_list(session: Session, about: Registration | Subscription, proof: Evidence) -> int:
    slugs = proof.details.get("lists")
    return (lists.id_of(session, slugs[0]) if slugs else None) or about.list_id
