"""Hold and lift: a legal hold stops deletion and erasure of what is held, and never lets a mail out (GDPR 18(2))."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from subscriptions.actions import Refused, correct
from subscriptions.domain.evidence import Channel, Fact
from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.policy import months_after
from subscriptions.domain.texts import marked
from subscriptions.store import addresses, audit, evidence, holds, registrations, subscriptions
from subscriptions.store.audit import Act
from subscriptions.store.engine import repeated, transaction
from subscriptions.store.models import Hold

REVIEWED_WITHIN = 36  # months, at most: a hold that nobody looks at would be storage for ever
_PAST = marked("The review date must be later than today: on that day somebody decides whether the hold goes on.")
_FAR = marked("The review date may be three years ahead at most.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """`list_id`: of one list alone; none: everything of the address, what is there and what comes."""

    list_id: int | None
    reason: str
    review_on: date


def check_review(review_on: date, now: datetime) -> None:
    """Raises Refused where a hold would be over before it begins, or is reviewed too late."""
    if review_on <= now.date():
        raise Refused(_PAST)
    if review_on > months_after(now, REVIEWED_WITHIN).date():
        raise Refused(_FAR)


@repeated
def place(key: bytes, wanted: Wanted, how: Channel, act: Act) -> datetime | None:
    """Hold an address that may not be known yet. A time: it has been held since then, and nothing was changed."""
    check_review(wanted.review_on, act.at)
    with transaction() as session:
        addresses.lock_or_create(session, key)
        holds.lock(session, key)
        if before := holds.find(session, key, wanted.list_id):
            addresses.forget_unknown(session, [key])
            return before.placed_at
        session.add(Hold(
            key=key, list_id=wanted.list_id, reason=wanted.reason, review_on=wanted.review_on,
            placed_at=act.at, placed_by=f"{act.actor_kind} {act.actor}",
        ))  # fmt: skip
        told = {"reason": wanted.reason, "review_on": wanted.review_on.isoformat()}
        _note(session, key, wanted.list_id, Fact.HELD, how, act, told)
        audit.write(session, act)
        addresses.forget_unknown(session, [key])
        return None


@repeated
def lift(key: bytes, list_id: int | None, reason: str, how: Channel, act: Act) -> int:
    """Lift the holds of an address, or the one on a list; how many. What was due meanwhile goes with the next sweep."""
    with transaction() as session:
        addresses.lock(session, key)
        found = holds.to_lift(session, key, list_id)
        for row in found:
            row.lifted_at, row.lifted_by, row.lift_reason = act.at, f"{act.actor_kind} {act.actor}", reason
            _note(session, key, row.list_id, Fact.RELEASED, how, act, {"reason": reason})
        session.flush()
        correct.forget_withheld(session, key, act.at)
        audit.write(session, act if found else None)
        return len(found)


def _note(
    session: Session, key: bytes, list_id: int | None, fact: Fact, how: Channel, act: Act, details: dict[str, str]
) -> None:
    """In the evidence of each record that it is about."""
    by = "desk" if how is Channel.DESK else "command line"
    for signed_up in registrations.of_key(session, key):
        if signed_up.state is not State.CONFIRMED and list_id in (None, signed_up.list_id):
            evidence.add(session, fact, act.at, how, registration_id=signed_up.id, actor=by, details=details)
    for opened in subscriptions.of_key(session, key):
        if list_id in (None, opened.list_id):
            evidence.add(session, fact, act.at, how, subscription_id=opened.id, actor=by, details=details)
