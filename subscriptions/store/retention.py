"""How much of each class of data is to be deleted by a time, as the sweeps ask it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from subscriptions.domain.codes import visit_tries
from subscriptions.domain.evidence import OF_IPS, Cause
from subscriptions.domain.imports import FILE_KEPT, REMEMBERED
from subscriptions.domain.policy import Policy
from subscriptions.store import arrivals, holds, registrations, requests, traffic
from subscriptions.store.audit import HOUR
from subscriptions.store.models import (
    AccountLink,
    Address,
    Arrival,
    Captured,
    Counted,
    CountedKey,
    Import,
    ImportBatch,
    Invitation,
    LetterToRead,
    Owed,
    Read,
    Registration,
    Removal,
    Request,
    Subscription,
    Suppression,
    Traffic,
    UsedOnce,
)
from subscriptions.store.vacuum import COPIES_KEPT, QUIET

SOON = timedelta(days=30)
Due = Mapping[str, tuple[type[Any], tuple[ColumnElement[bool], ...]]]


def _due(at: datetime, real_at: datetime, policy: Policy) -> Due:
    """By the names in `domain.retention`; those that go with others are no class of their own here."""
    free_sub, free_key = ~holds.on(Subscription), ~holds.on_any_of(Address.key)
    network = policy.network.period if policy.network else QUIET
    ended = {Counted.SIGN_UPS: at - network, Counted.TRIES: at - visit_tries(policy).period}
    over = or_(*((CountedKey.kind == kind) & (CountedKey.since <= edge) for kind, edge in ended.items()))
    return {
        "unconfirmed": (Registration, registrations.over(at)),
        "proof": (Subscription, (Subscription.proof_until <= at, free_sub)),
        "ips": (Subscription, (Subscription.ip_until <= at, free_sub)),
        "suppressions": (Suppression, (Suppression.until <= at, ~holds.on_any_of(Suppression.key))),
        "requests": (Request, requests.over(policy.settled_before(at))),
        "budgets": (Address, (Address.last_mail_at <= at - policy.times_kept, free_key)),
        "attempts": (CountedKey, (over,)),
        "used": (UsedOnce, (UsedOnce.until <= at,)),
        "traffic": (Traffic, (Traffic.minute <= at - traffic.KEPT,)),
        "outbox": (Owed, (Owed.drop_at <= at,)),
        "copies": (Captured, (Captured.real_at <= real_at - COPIES_KEPT, ~holds.on_any_of(Captured.key))),
        "arrivals": (Arrival, (arrivals.over(at),)),
        "letters_to_read": (LetterToRead, arrivals.letters_over(at - policy.keep_letters)),
        "invitations": (Invitation, (Invitation.invited_at <= at - REMEMBERED,)),
        "import files": (ImportBatch, (ImportBatch.import_id.in_(_ended(at)),)),
        "reads": (Read, (Read.hour <= at - HOUR,)),
        "sessions": (AccountLink, (AccountLink.until <= at,)),
    }


def _ended(at: datetime) -> Select[int]:
    return select(Import.id).where(Import.ended_at <= at - FILE_KEPT)


_LOGGED = {
    "unconfirmed": {Cause.UNCONFIRMED, Cause.ERASURE, Cause.OBJECTION, Cause.NOT_ME, Cause.CANCELLED, Cause.ATTACK,
                    Cause.UNDONE},
    "proof": {Cause.PROOFS}, "ips": {*OF_IPS},
}  # fmt: skip


def last_deleted(session: Session) -> dict[str, datetime]:
    """By class, when any of it was last deleted, as far as the deletion log says it."""
    found = session.execute(select(Removal.cause, func.max(Removal.at)).group_by(Removal.cause))
    last: dict[Cause, datetime] = {cause: at for cause, at in found}
    return {name: max(last[cause] for cause in causes & last.keys())
            for name, causes in _LOGGED.items() if causes & last.keys()}  # fmt: skip


def counts(session: Session, at: datetime, real_at: datetime, policy: Policy) -> dict[str, int]:
    """By class, what is due by then; `real_at`: the same where no time machine has moved the clock."""
    return {
        name: session.scalar(select(func.count()).select_from(table).where(*which)) or 0
        for name, (table, which) in _due(at, real_at, policy).items()
    }
