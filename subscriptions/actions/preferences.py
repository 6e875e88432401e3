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
from subscriptions.domain.policy import DOWNLOADS, RENEWED, TYPED, TYPED_IN_PEACE, Policy, Rate, state_at
from subscriptions.links import Opener
from subscriptions.store import (
    addresses,
    counters,
    guards,
    holds,
    imports,
    outbox,
    registrations,
    requests,
    subscriptions,
    suppressions,
)
from subscriptions.store.engine import reading, repeated, transaction
from subscriptions.store.kept import Kept, after_erasure
from subscriptions.store.models import Counted, Registration, Request, Subscription
from subscriptions.store.suppressions import Standing
from subscriptions.store.trips import trip

_NO_PROOF = Pass(Need.NEVER)  # a mail to the mailbox proves more


@repeated
def ask(
    key: bytes, typed: str, network: bytes | None, now: datetime, policy: Policy, mailbox: bytes | None = None, *,
    is_mailable: bool = True,
) -> Limited | None:  # fmt: skip
    """Mail the link, or that nothing is stored, if the address may be written to and its budget is open.

    Whoever asks may be a stranger: what is done and counted is alike for every address, and told to nobody. `mailbox`,
    here and below: its key, where the address is one spelling of another.
    """
    with transaction() as session:
        with trip(session) as out:
            addresses.lock_and_count(out, {mailbox or key: 0, key: 0})
            gate = gate_for(out, [(network, _NO_PROOF)], now, policy)
        limited = gate().refuse(network, _NO_PROOF)
        assert not isinstance(limited, ProofNeeded)
        if limited is None:
            standing = suppressions.active(session, key, now, mailbox)
            hook, is_known = _hook(session, key, typed, standing, now), _is_known(session, key, standing, now)
            if hook or is_known:
                rates = TYPED_IN_PEACE if standing else TYPED
                owe(session, mailbox or key, "requests", rates, hook, now)
            elif is_mailable:
                told = {"address": typed}
                owe(session, mailbox or key, "requests", TYPED_IN_PEACE, told, now, MailKind.NOTHING_STORED)
        with trip(session) as out:
            addresses.forget(out, [key, mailbox or key])
            counters.write(out, {"limited" if limited else "preferences": 1})
        return limited


@repeated
def ask_again(key: bytes, now: datetime, mailbox: bytes | None = None, typed: str | None = None) -> datetime | None:
    """The same for the holder of an older link: when the mail leaves, or None.

    It came from the mailbox itself, so no stranger has spent this budget, and where it is closed the mail waits.
    `typed`: the address, where its holder has told it and it is that of the key; else a row has to hold it.
    """
    with transaction() as session:
        addresses.lock_or_create(session, key, mailbox)
        waiting = outbox.of_key(session, key, MailKind.PREFERENCES, typed)
        if waiting is not None:
            return max(waiting.due_at, now)
        hook = _hook(session, key, typed, suppressions.active(session, key, now, mailbox), now)
        due_at = owe(session, mailbox or key, "renewals", RENEWED, hook, now)
        with trip(session) as out:
            addresses.forget(out, [key, mailbox or key])
            counters.write(out, {"preferences": 1})
        return due_at


def owe(
    session: Session, mailbox: bytes, column: str, rates: Sequence[Rate], hook: dict[str, Any] | None, now: datetime,
    kind: MailKind = MailKind.PREFERENCES,
) -> datetime | None:  # fmt: skip
    """Owe the mail within the budget that stands in that column; when it leaves."""
    row = addresses.find(session, mailbox)
    budget = Budget.read((getattr(row, column) if row else None) or "", rates)
    due_at = budget.mail_time(now, may_wait=rates is RENEWED)
    if row is None or hook is None or due_at is None:
        return None
    outbox.owe(session, kind, now=now, due_at=due_at, **hook)
    budget.spend(due_at)
    setattr(row, column, budget.written(now))
    row.last_mail_at = max(filter(None, (row.last_mail_at, due_at)))
    return due_at


def _hook(
    session: Session, key: bytes, typed: str | None, standing: Sequence[Standing], now: datetime
) -> dict[str, Any] | None:
    """What a mail to this address hangs on: the row that holds the address, as it was once mailed.

    Of who objected under another spelling, no spelling is mailed that we do not know by itself.
    """
    if _is_never(standing):
        return None
    known = subscriptions.shown_of_key(session, key, now)
    if known:
        return {"subscription_id": max(known, key=lambda row: (row.is_open, row.id)).id}
    waiting = registrations.unconfirmed_of_key(session, key, now)
    if waiting:
        return {"registration_id": waiting[-1].id}
    objects = any(row.set_as is SuppressionScope.ALL for row in standing)
    is_known = any(not row.of_mailbox for row in standing) if objects else _is_known(session, key, standing, now)
    return {"address": typed} if is_known and typed else None


def _is_known(session: Session, key: bytes, standing: Sequence[Standing], now: datetime) -> bool:
    """Whether anything is stored that a person may see: a proof, a request, a hold, or that an import will ask them."""
    theirs = standing or subscriptions.of_key(session, key) or requests.of_key(session, key)
    return bool(theirs or holds.active(session, key, now) or imports.lists_of(session, key))


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


@repeated
def count_download(mark: bytes, now: datetime) -> datetime | None:
    """Of all that is stored; a time: there were so many that there is no further one until then."""
    with transaction() as session:
        since, count = guards.add_one(session, Counted.TRIES, mark, now, DOWNLOADS.period)
        return since + DOWNLOADS.period if count > DOWNLOADS.count else None


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything of one address; of several subscriptions to a list the newest, an open one first."""

    address: str | None  # none: known by a suppression alone, or not at all
    subscriptions: dict[int, Subscription]
    waiting: dict[int, Registration]  # sign-ups that can be confirmed
    blocked: dict[int, Registration]
    suppressions: Sequence[Standing]
    erase_by: datetime | None
    kept: Kept  # if it is erased, or once it was
    requests: Sequence[Request]

    @property
    def open(self) -> list[Subscription]:
        return [row for row in self.subscriptions.values() if row.is_open]

    @property
    def wants_no_mail(self) -> bool:
        return _is_never(self.suppressions)

    def objects(self, list_id: int) -> bool:
        return any(list_id in of_one for of_one in self.objected_to.values())

    @property
    def objected_to(self) -> dict[str, list[int]]:
        """The controllers that may not write any more, each with its lists."""
        found: dict[str, list[int]] = {}
        for row in self.suppressions:
            if row.controller is not None and row.list_id is not None and not row.of_mailbox:
                found.setdefault(row.controller, []).append(row.list_id)
        return found


class Outcome(StrEnum):
    """What became of a sign-up; told only to who has proven that the mailbox is theirs."""

    MAILED = "mailed"
    WAITS = "waits"
    CLOSED = "closed"
    QUIET = "quiet"
    OPEN = "open"


def became(
    ref: bytes, key: bytes, list_id: int, now: datetime, policy: Policy, mailbox: bytes | None = None
) -> tuple[Outcome, datetime]:
    """Of the sign-up with that reference; and when its mail leaves, or when the budget opens."""
    with reading() as session:
        rows = registrations.of_form(session, ref)
        if rows:
            due_at = max((mail.due_at for mail in outbox.of_registration(session, rows[0])), default=now)
            return (Outcome.WAITS if due_at > now else Outcome.MAILED), due_at
        if subscriptions.find_open(session, key, list_id):
            return Outcome.OPEN, now
        if any(row.list_id in (None, list_id) for row in suppressions.active(session, key, now, mailbox)):
            return Outcome.QUIET, now
        return Outcome.CLOSED, addresses.budget(session, key, mailbox, policy).opens(now)


def look(key: bytes, now: datetime, policy: Policy, mailbox: bytes | None = None) -> Profile:
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
            suppressions=suppressions.active(session, key, now, mailbox),
            erase_by=row.erase_by if row else None,
            kept=after_erasure(session, key, now, policy, mailbox),
            requests=requests.of_key(session, key),
        )


def never(key: bytes, list_id: int, now: datetime) -> bool:
    """Whether the owner wants no mail of that list, whatever happens."""
    with reading() as session:
        standing = suppressions.active(session, key, now)
    return any(row.scope is SuppressionScope.ALL and row.list_id in (None, list_id) for row in standing)


def _is_never(rows: Sequence[Standing]) -> bool:
    return any(row.is_never for row in rows)


def _those(rows: Sequence[Registration], state: State, now: datetime) -> dict[int, Registration]:
    return {row.list_id: row for row in rows if state_at(row.state, row.confirm_by, now) is state}
