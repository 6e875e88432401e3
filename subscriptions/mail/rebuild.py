"""The mail as it was sent, made again from what was kept of it: the letter, the evidence and the rows."""

import hashlib
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from subscriptions.domain.evidence import Fact
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.mail.compiled_mails import Letter
from subscriptions.mail.compose import Composer
from subscriptions.store import outbox
from subscriptions.store.models import Evidence, List, Registration, Subscription
from subscriptions.store.outbox import Due, Member


def rebuild(session: Session, evidence_id: int, composer: Composer) -> bytes | None:
    """Its very bytes, compared by their hash; none where the person is erased or the key that signed is gone."""
    proof = session.get(Evidence, evidence_id)
    if proof is None or proof.fact != Fact.MAILED.value:
        return None
    source, due = outbox.compiled(session, proof.details["template"]), _as_it_was_due(session, proof)
    if source is None or due is None:
        return None
    letter, sent_at = Letter(source), parsedate_to_datetime(proof.details["date"])
    mail, tag = MailKind(due.mail), composer.language(due, composer.entries(due))
    kept = {"date": proof.details["date"], "mid": proof.details["message_id"]}
    for late in (0, 1):  # the clock may have ticked between the date and the signature of a mail
        for links in composer.links.as_written(sent_at + timedelta(seconds=late)):
            octets = letter.fill(composer.values(mail, due, sent_at, links, tag) | kept)
            if hashlib.sha256(octets).hexdigest() == proof.details["sha256"]:
                return octets
    return None


def _as_it_was_due(session: Session, proof: Evidence) -> Due | None:
    registration = session.get(Registration, proof.registration_id) if proof.registration_id else None
    subscription = session.get(Subscription, proof.subscription_id) if proof.subscription_id else None
    about = registration or subscription
    if about is None or about.address is None:
        return None
    fields: dict[str, Any] = dict.fromkeys(Due._fields) | {"id": 0, "mail": proof.details["mail"], "tries": 0}
    fields["mid"] = proof.details["message_id"].strip("<>").rpartition("@")[0]  # links of one use are made of it
    fields["locale"] = proof.details.get("locale", "en")  # older mails were in English
    fields |= {name: getattr(about, name) for name in ("key", "mailbox", "address", "name", "fields", "registered_at")}
    confirm_by = registration.confirm_by if registration else None
    fields["members"] = (Member(_first_list(session, about, proof), None, None, None, confirm_by, None),)
    if registration:
        fields["ref"] = registration.ref
    elif subscription:
        fields |= {"confirmed_at": subscription.confirmed_at, "proof_until": subscription.proof_until}
    if "owed_at" in proof.details:
        fields["owed_at"] = datetime.fromisoformat(proof.details["owed_at"])
    return Due(**fields)


def _first_list(session: Session, about: Registration | Subscription, proof: Evidence) -> int:
    slugs = proof.details.get("lists")
    first = session.scalar(select(List.id).where(List.slug == slugs[0])) if slugs else None
    return first or about.list_id
