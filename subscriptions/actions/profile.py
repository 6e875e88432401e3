"""Mine: what a person is shown of themselves, behind their mailbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from subscriptions.domain.budget import Budget
from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.policy import Policy, state_at
from subscriptions.store import addresses, outbox, registrations, subscriptions, suppressions
from subscriptions.store.engine import reading
from subscriptions.store.models import Registration, Subscription, Suppression


@dataclass(frozen=True, slots=True)
class Mine:
    """Everything of one address; of several chapters on a list the newest, an open one first."""

    address: str | None  # none: known by a suppression alone, or not at all
    chapters: dict[int, Subscription]
    waiting: dict[int, Registration]  # sign-ups that can be confirmed
    blocked: dict[int, Registration]
    suppressions: Sequence[Suppression]
    erase_by: datetime | None

    @property
    def open(self) -> list[Subscription]:
        return [one for one in self.chapters.values() if one.ended_at is None]


class Outcome(StrEnum):
    """What became of a sign-up; told only to who has proven that the mailbox is theirs."""

    MAILED = "mailed"
    WAITS = "waits"
    CLOSED = "closed"
    QUIET = "quiet"
    OPEN = "open"


def became(ref: bytes, key: bytes, list_id: int, now: datetime, policy: Policy) -> tuple[Outcome, datetime]:
    """Of the sign-up with that reference; and when its mail leaves, or when the budget opens."""
    with reading() as session:
        rows = registrations.of_form(session, ref)
        if rows:
            due_at = max((one.due_at for one in outbox.of_registration(session, rows[0])), default=now)
            return (Outcome.WAITS if due_at > now else Outcome.MAILED), due_at
        if subscriptions.open_one(session, key, list_id):
            return Outcome.OPEN, now
        if any(one.list_id in (None, list_id) for one in suppressions.active(session, key, now)):
            return Outcome.QUIET, now
        row = addresses.find(session, key)
        return Outcome.CLOSED, Budget.read(row.mails if row else "", policy.mails).opens(now)


def look(key: bytes, now: datetime) -> Mine:
    """What is known of this address at `now`, without changing anything."""
    with reading() as session:
        known = sorted(subscriptions.shown_of_key(session, key, now), key=lambda one: (one.ended_at is None, one.id))
        sign_ups = registrations.unconfirmed_of_key(session, key, now)
        return Mine(
            address=next((one.address for one in _surest_first(sign_ups, known) if one.address), None),
            chapters={one.list_id: one for one in known},
            waiting=_those(sign_ups, State.PENDING, now),
            blocked=_those(sign_ups, State.BLOCKED, now),
            suppressions=suppressions.active(session, key, now),
            erase_by=_erase_by(session, key),
        )


def never(key: bytes, now: datetime) -> bool:
    """Whether the owner wants no mail at all."""
    with reading() as session:
        return any(one.scope == "all" for one in suppressions.active(session, key, now))


def _surest_first(sign_ups: Sequence[Registration], known: Sequence[Subscription]) -> list[Registration | Subscription]:
    """The rows that may hold the address as it was once mailed."""
    return [*reversed(known), *reversed(sign_ups)]


def _those(rows: Sequence[Registration], state: State, now: datetime) -> dict[int, Registration]:
    return {one.list_id: one for one in rows if state_at(one.state, one.confirm_by, now) is state}


def _erase_by(session: Session, key: bytes) -> datetime | None:
    row = addresses.find(session, key)
    return row.erase_by if row else None
