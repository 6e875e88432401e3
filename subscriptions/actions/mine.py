"""Mine: what a person is shown of themselves, behind their mailbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.policy import state_at
from subscriptions.store import addresses, chapters, registrations, suppressions
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


def look(key: bytes, now: datetime) -> Mine:
    """What is known of this address at `now`, without changing anything."""
    with reading() as session:
        known = sorted(chapters.shown_of_key(session, key, now), key=lambda one: (one.ended_at is None, one.id))
        sign_ups = registrations.unconfirmed_of_key(session, key, now)
        return Mine(
            address=next((one.address for one in _surest_first(sign_ups, known) if one.address), None),
            chapters={one.list_id: one for one in known},
            waiting=_those(sign_ups, State.PENDING, now),
            blocked=_those(sign_ups, State.BLOCKED, now),
            suppressions=suppressions.active(session, key, now),
            erase_by=_erase_by(session, key),
        )


def _surest_first(sign_ups: Sequence[Registration], known: Sequence[Subscription]) -> list[Registration | Subscription]:
    """The rows that may hold the address as it was once mailed."""
    return [*reversed(known), *reversed(sign_ups)]


def _those(rows: Sequence[Registration], state: State, now: datetime) -> dict[int, Registration]:
    return {one.list_id: one for one in rows if state_at(State(one.state), one.confirm_by, now) is state}


def _erase_by(session: Session, key: bytes) -> datetime | None:
    row = addresses.find(session, key)
    return row.erase_by if row else None
