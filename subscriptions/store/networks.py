"""Sign-ups over all networks: the breaker that raises an alarm and never refuses (B-03)."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from subscriptions.store import meta
from subscriptions.store.models import Network

_ALARM = "breaker"


def total(session: Session) -> int:
    """Sign-ups that are counted now, over all networks."""
    return session.scalar(select(func.sum(Network.count))) or 0


def judge(session: Session, at_most: int | None) -> bool:
    """Set the alarm or end it; whether it is on."""
    on = at_most is not None and total(session) > at_most
    if on != alarm(session):
        meta.put(session, _ALARM, "1" if on else "0")
    return on


def alarm(session: Session) -> bool:
    return meta.get(session, _ALARM) == "1"
