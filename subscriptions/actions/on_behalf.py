"""For somebody who asked at a counter, by phone or on paper: their sign-up, its mail once more, and its end."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions.actions.preferences import Outcome
from subscriptions.actions.subscribe import SignUp, take
from subscriptions.domain.evidence import Cause, Channel, Fact
from subscriptions.domain.lifecycle import Event, registration_step
from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.policy import Policy, state_at
from subscriptions.store import (
    addresses,
    audit,
    counters,
    evidence,
    imports,
    journal,
    outbox,
    registrations,
    restrictions,
    subscriptions,
    suppressions,
    vacuum,
)
from subscriptions.store.audit import Act
from subscriptions.store.engine import repeated, transaction
from subscriptions.store.models import Registration
from subscriptions.store.trips import trip

ACTOR = "desk"  # for the evidence: no more than that; the audit knows who


@repeated
def sign_up(asked: SignUp, now: datetime, policy: Policy, act: Act) -> None:
    """Like one that came by itself: a mail asks, and nobody is subscribed by it; or nothing comes of it."""
    with transaction() as session:
        take(session, [asked], now, policy)
        audit.write(session, act if registrations.of_form(session, asked.ref) else None)


@repeated
def send_again(ref: bytes, now: datetime, policy: Policy, act: Act) -> tuple[Outcome, datetime] | None:
    """The mail of a form once more, within the budget, and the deadline stays; none: nothing of it waits any more.

    Else why it does not leave: `WAITS`, it has not left yet; `QUIET`; or `CLOSED`, and when the budget opens.
    """
    with transaction() as session:
        rows = registrations.of_form(session, ref)
        addresses.lock(session, *{key for row in rows for key in (row.key, row.mailbox)})
        rows = [row for row in registrations.of_form(session, ref) if _waits(row, now)]
        if not rows:
            return None
        first = rows[0]
        if owed := outbox.of_registration(session, first):
            return Outcome.WAITS, max(now, *(mail.due_at for mail in owed))
        quiet = {one.list_id for one in suppressions.active(session, first.key, now, first.mailbox)}
        if None in quiet or quiet >= {row.list_id for row in rows}:
            return Outcome.QUIET, now
        return _owe(session, first, now, policy, act)


def _waits(row: Registration, now: datetime) -> bool:
    return row.address is not None and state_at(row.state, row.confirm_by, now) is State.PENDING


def _owe(session: Session, row: Registration, now: datetime, policy: Policy, act: Act) -> tuple[Outcome, datetime]:
    budget = addresses.budget(session, row.key, row.mailbox, policy)
    if (opens := budget.opens(now)) > now:
        return Outcome.CLOSED, opens
    kind = MailKind.MOVE if row.replaces else MailKind.CONFIRM
    kind = MailKind.INVITE if imports.is_invited(session, row.id) else kind
    outbox.owe(session, kind, now=now, due_at=now, registration_id=row.id, drop_at=row.confirm_by)
    budget.spend(now)
    with trip(session) as out:
        addresses.save_budgets(out, {row.mailbox or row.key: budget}, now)
    audit.write(session, act)
    return Outcome.MAILED, now


@repeated
def cancel(key: bytes, list_ids: Collection[int], now: datetime, act: Act) -> int:
    """End what waits for these lists, as if it had never been asked for; how many. What is blocked stays."""
    with transaction() as session:
        addresses.lock(session, key)
        rows = [row for row in registrations.of_key(session, key) if row.list_id in list_ids and _waits(row, now)]
        if rows:
            registration_step(State.PENDING, Event.RETRACT)
            gone = [row.id for row in rows]
            outbox.hang_elsewhere(session, gone)
            registrations.remove(session, gone, Cause.CANCELLED, now)
            counters.add(session, {"cancelled": len(gone)})
            audit.write(session, act)
            addresses.forget_unknown(session, {key, *filter(None, (row.mailbox for row in rows))})
            vacuum.due(session)
        return len(rows)


@repeated
def restrict(
    key: bytes, list_ids: Collection[int], details: Mapping[str, str], now: datetime, act: Act, *, lift: bool = False
) -> int:
    """Keep these subscriptions and do nothing else with them (GDPR 18), or no longer so; how many changed.

    Before a restriction is lifted the person must have been told (18(3)): `details` say how and when.
    """
    with transaction() as session:
        addresses.lock(session, key)
        rows = [row for row in subscriptions.of_key(session, key)
                if row.is_open and row.list_id in list_ids and row.restricted is lift]  # fmt: skip
        for row in rows:
            row.restricted = not lift
            fact = Fact.UNRESTRICTED if lift else Fact.RESTRICTED
            evidence.add(session, fact, now, Channel.DESK, subscription_id=row.id, actor=ACTOR, details=details)
            told = details if lift else {}  # what else is said is a reason in somebody's words
            journal.note(session, "unrestrict" if lift else "restrict", key=key, id=row.id, **told)
        if rows:
            audit.write(session, act)
        return len(rows)


@repeated
def announce_lift(key: bytes, list_ids: Collection[int], now: datetime, act: Act) -> int:
    """Tell the person by mail; the restriction is lifted once that has left (GDPR 18(3)); of how many."""
    with transaction() as session:
        addresses.lock(session, key)
        known = [row for row in subscriptions.of_key(session, key) if row.is_open and row.list_id in list_ids]
        rows = [row for row in known if row.restricted and row.unrestrict_at is None]
        for row in rows:
            row.unrestrict_at = now
            outbox.owe(session, MailKind.UNRESTRICTING, now=now, subscription_id=row.id)
        audit.write(session, act if rows else None)
        return len(rows)


@repeated
def lift_told(now: datetime) -> int:
    """Lift what was announced, once the relay has taken the mail; where it never will, the restriction stays."""
    with transaction() as session:
        rows = restrictions.announced(session)
        addresses.lock(session, *(row.key for row in rows))
        told = [(row, restrictions.told_at(session, row)) for row in rows if row.is_open and row.restricted]
        lifted = [(row, at) for row, at in told if at]
        for row in rows:
            row.unrestrict_at = None
        for row, at in lifted:
            row.restricted = False
            how = {"told": Channel.EMAIL, "told_on": at.date().isoformat()}
            lifts = Fact.UNRESTRICTED, now, Channel.DESK
            evidence.add(session, *lifts, subscription_id=row.id, actor=ACTOR, details=how)
            journal.note(session, "unrestrict", key=row.key, id=row.id, **how)
        return len(lifted)


def newest_by_list(rows: Sequence[Registration], now: datetime) -> dict[int, Registration]:
    """Of the sign-ups that wait, the newest for each list."""
    return {row.list_id: row for row in rows if _waits(row, now)}
