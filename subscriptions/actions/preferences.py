"""The way to one's own preferences: a mail with a link, and the link that works once."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from subscriptions.actions.gate import Limited, Need, Pass, ProofNeeded, gate_for
from subscriptions.domain.budget import Budget
from subscriptions.domain.mail_kinds import MailKind, SuppressionScope
from subscriptions.domain.policy import Policy
from subscriptions.links import Opener
from subscriptions.store import (
    addresses,
    counters,
    outbox,
    registrations,
    signups,
    subscriptions,
    suppressions,
    used_tokens,
)
from subscriptions.store.engine import reading, repeated, transaction
from subscriptions.store.trips import trip

_NO_PROOF = Pass(Need.NEVER)  # a mail to the mailbox proves more


@repeated
def ask(key: bytes, typed: str, network: bytes | None, now: datetime, policy: Policy) -> Limited | None:
    """Mail the link, if this address is known, may be written to and its budget is open; told to nobody.

    Whoever asks may be a stranger: what is done and counted is alike for every address.
    """
    with transaction() as session:
        with trip(session) as out:
            budgets = signups.lock_addresses(out, {key: 1})
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
    """When the mail leaves, or None where there is none."""
    hook = _hook(session, key, typed, now)
    known = Budget.read(budget, policy.mails)
    due_at = known.mail_time(now, may_wait=may_wait) if hook else None
    if hook is None or due_at is None:
        return None
    outbox.owe(session, MailKind.PREFERENCES, now=now, due_at=due_at, **hook)
    known.spend(due_at)
    if known.is_changed:
        with trip(session) as out:
            signups.save_budgets(out, {key: known.written(now)})
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
        return used_tokens.is_used(session, opener.hash)


@repeated
def open_(opener: Opener, now: datetime) -> bool:
    """Use the link: True the first time, within its half hour."""
    if now >= opener.until:
        return False
    with transaction() as session:
        with trip(session) as out:
            fresh = used_tokens.use(out, {opener.hash: opener.until})
        return bool(fresh())
