"""The profile: what a person is shown of themselves, behind their mailbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from subscriptions.domain.budget import Budget
from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.domain.policy import Policy, state_at
from subscriptions.store import addresses, outbox, registrations, subscriptions, suppressions
from subscriptions.store.engine import reading
from subscriptions.store.models import Registration, Subscription, Suppression


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything of one address; of several subscriptions to a list the newest, an open one first."""

    address: str | None  # none: known by a suppression alone, or not at all
    subscriptions: dict[int, Subscription]
    waiting: dict[int, Registration]  # sign-ups that can be confirmed
    blocked: dict[int, Registration]
    suppressions: Sequence[Suppression]
    erase_by: datetime | None

    @property
    def open(self) -> list[Subscription]:
        return [row for row in self.subscriptions.values() if row.is_open]

    @property
    def wants_no_mail(self) -> bool:
        return _is_never(self.suppressions)


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
            due_at = max((mail.due_at for mail in outbox.of_registration(session, rows[0])), default=now)
            return (Outcome.WAITS if due_at > now else Outcome.MAILED), due_at
        if subscriptions.find_open(session, key, list_id):
            return Outcome.OPEN, now
        if any(row.list_id in (None, list_id) for row in suppressions.active(session, key, now)):
            return Outcome.QUIET, now
        row = addresses.find(session, key)
        return Outcome.CLOSED, Budget.read(row.mails if row else "", policy.mails).opens(now)


def look(key: bytes, now: datetime) -> Profile:
    """What is known of this address at `now`, without changing anything."""
    with reading() as session:
        known = sorted(subscriptions.shown_of_key(session, key, now), key=lambda row: (row.is_open, row.id))
        sign_ups = registrations.unconfirmed_of_key(session, key, now)
        surest_first: list[Registration | Subscription] = [*reversed(known), *reversed(sign_ups)]
        row = addresses.find(session, key)
        return Profile(
            address=next((row.address for row in surest_first if row.address), None),
            subscriptions={row.list_id: row for row in known},
            waiting=_those(sign_ups, State.PENDING, now),
            blocked=_those(sign_ups, State.BLOCKED, now),
            suppressions=suppressions.active(session, key, now),
            erase_by=row.erase_by if row else None,
        )


def never(key: bytes, now: datetime) -> bool:
    """Whether the owner wants no mail at all."""
    with reading() as session:
        return _is_never(suppressions.active(session, key, now))


def _is_never(rows: Sequence[Suppression]) -> bool:
    return any(row.scope is SuppressionScope.ALL for row in rows)


def _those(rows: Sequence[Registration], state: State, now: datetime) -> dict[int, Registration]:
    return {row.list_id: row for row in rows if state_at(row.state, row.confirm_by, now) is state}
