"""Preferences: the way to one's own (a mail with a link that works once), and the profile that is shown there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from subscriptions.actions.gate import Limited, Need, Pass, ProofNeeded, gate_for
from subscriptions.domain.budget import Budget
from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.mail_kinds import MailKind, SuppressionScope
from subscriptions.domain.policy import Policy, state_at
from subscriptions.links import Opener
from subscriptions.store import addresses, counters, guards, outbox, registrations, subscriptions, suppressions
from subscriptions.store.engine import reading, repeated, transaction
from subscriptions.store.kept import Kept, after_erasure
from subscriptions.store.models import Registration, Subscription, Suppression
from subscriptions.store.trips import trip

_NO_PROOF = Pass(Need.NEVER)  # a mail to the mailbox proves more


@repeated
def ask(key: bytes, typed: str, network: bytes | None, now: datetime, policy: Policy) -> Limited | None:
    """Mail the link, if this address is known, may be written to and its budget is open; told to nobody.

    Whoever asks may be a stranger: what is done and counted is alike for every address.
    """
    with transaction() as session:
        with trip(session) as out:
            budgets = addresses.lock_and_count(out, {key: 1})
            gate = gate_for(out, [(network, _NO_PROOF)], now, policy)
        limited = gate().refuse(network, _NO_PROOF)
        assert not isinstance(limited, ProofNeeded)
        if limited is None:
            _owe(session, key, typed, budgets()[key], now, policy, may_wait=False)
        with trip(session) as out:
            addresses.forget(out, [key])
            counters.write(out, {"limited" if limited else "preferences": 1})
        return limited


@repeated
def ask_again(key: bytes, now: datetime, policy: Policy) -> datetime | None:
    """The same for the holder of an older link: when the mail leaves, or None.

    It came from the mailbox itself, so where only the shortest rule of the budget is closed, the mail waits.
    """
    with transaction() as session:
        addresses.lock(session, key)
        waiting = outbox.of_key(session, key, MailKind.PREFERENCES)
        if waiting is not None:
            return max(waiting.due_at, now)
        row = addresses.find(session, key)
        due_at = _owe(session, key, None, row.mails, now, policy, may_wait=True) if row else None
        counters.add(session, {"preferences": 1})
        return due_at


def _owe(
    session: Session, key: bytes, typed: str | None, budget: str, now: datetime, policy: Policy, *, may_wait: bool
) -> datetime | None:
    hook = _hook(session, key, typed, now)
    known = Budget.read(budget, policy.mails)
    due_at = known.mail_time(now, may_wait=may_wait) if hook else None
    if hook is None or due_at is None:
        return None
    outbox.owe(session, MailKind.PREFERENCES, now=now, due_at=due_at, **hook)
    known.spend(due_at)
    if known.is_changed:
        with trip(session) as out:
            addresses.save_budgets(out, {key: known.written(now)})
    return due_at


def _hook(session: Session, key: bytes, typed: str | None, now: datetime) -> dict[str, Any] | None:
    """What a mail to this address hangs on: the row that holds the address, as it was once mailed."""
    scopes = {row.scope for row in suppressions.active(session, key, now)}
    if SuppressionScope.ALL in scopes:
        return None
    known = subscriptions.shown_of_key(session, key, now)
    if known:
        return {"subscription_id": max(known, key=lambda row: (row.is_open, row.id)).id}
    waiting = registrations.unconfirmed_of_key(session, key, now)
    if waiting:
        return {"registration_id": waiting[-1].id}
    return {"address": typed} if scopes and typed else None


def is_used(opener: Opener) -> bool:
    """Whether a link has been used, without using it."""
    with reading() as session:
        return guards.is_used(session, opener.hash)


@repeated
def open_(opener: Opener, now: datetime) -> bool:
    """Use the link: True the first time, within its half hour."""
    if now >= opener.until:
        return False
    with transaction() as session:
        with trip(session) as out:
            fresh = guards.use(out, {opener.hash: opener.until})
        return bool(fresh())


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything of one address; of several subscriptions to a list the newest, an open one first."""

    address: str | None  # none: known by a suppression alone, or not at all
    subscriptions: dict[int, Subscription]
    waiting: dict[int, Registration]  # sign-ups that can be confirmed
    blocked: dict[int, Registration]
    suppressions: Sequence[Suppression]
    erase_by: datetime | None
    kept: Kept  # if it is erased, or once it was

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


def look(key: bytes, now: datetime, policy: Policy) -> Profile:
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
            kept=after_erasure(session, key, now, policy),
        )


def never(key: bytes, now: datetime) -> bool:
    """Whether the owner wants no mail at all."""
    with reading() as session:
        return _is_never(suppressions.active(session, key, now))


def _is_never(rows: Sequence[Suppression]) -> bool:
    return any(row.scope is SuppressionScope.ALL for row in rows)


def _those(rows: Sequence[Registration], state: State, now: datetime) -> dict[int, Registration]:
    return {row.list_id: row for row in rows if state_at(row.state, row.confirm_by, now) is state}
