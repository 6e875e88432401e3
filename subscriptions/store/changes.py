"""What has become of subscriptions, in the order in which it was sealed: senders read it behind a cursor."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from subscriptions.domain.evidence import Fact
from subscriptions.store.models import Evidence, Leaf, Subscription
from subscriptions.store.subscriptions import shown

FACTS = (Fact.CONFIRMED, Fact.IMPORTED, Fact.CORRECTED, Fact.RESTRICTED, Fact.UNRESTRICTED, Fact.UNSUBSCRIBED,
         Fact.BOUNCED, Fact.ERASED)  # fmt: skip


class Change(NamedTuple):
    """`number`: of its leaf; the subscription as it is now. `is_shown`: whether it may still be told whose it is."""

    number: int
    fact: Fact
    at: datetime
    subscription: Subscription
    is_shown: bool


def between(
    session: Session, cursor: int, newest: int, list_id: int | None, now: datetime, at_most: int
) -> Sequence[Change]:
    """What was sealed behind one leaf, up to another: a later leaf becomes visible later, so nobody misses one."""
    found = (
        select(Leaf.number, Evidence.fact, Evidence.at, Subscription, shown(now))
        .join(Evidence, Evidence.id == Leaf.evidence_id)
        .join(Subscription, Subscription.id == Evidence.subscription_id)
        .where(Leaf.number > cursor, Leaf.number <= newest, Evidence.fact.in_(FACTS))
        .order_by(Leaf.number)
        .limit(at_most)
    )
    if list_id is not None:
        found = found.where(Subscription.list_id == list_id)
    return [Change._make(row) for row in session.execute(found)]


def newest(session: Session) -> int:
    """The number of the last leaf."""
    return session.scalar(select(func.max(Leaf.number))) or 0
