"""Restrictions that end once the person was told by mail (GDPR 18(3))."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from subscriptions.domain.evidence import Fact
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.store.models import Evidence, Owed, Subscription


def announced(session: Session, at_most: int = 100) -> Sequence[Subscription]:
    """Subscriptions whose restriction is to end, and whose mail about it is settled."""
    waits = exists().where(Owed.subscription_id == Subscription.id, Owed.mail == MailKind.UNRESTRICTING.value)
    found = select(Subscription).where(Subscription.unrestrict_at.is_not(None), ~waits)
    return session.scalars(found.order_by(Subscription.id).limit(at_most)).all()


def told_at(session: Session, row: Subscription) -> datetime | None:
    """When the relay took that mail; none: it has not, since it was asked for."""
    of_it = Evidence.subscription_id == row.id, Evidence.fact == Fact.MAILED, Evidence.at >= row.unrestrict_at
    kind = Evidence.details["mail"].as_string() == MailKind.UNRESTRICTING.value
    found: datetime | None = session.scalar(select(func.max(Evidence.at)).where(*of_it, kind))
    return found
