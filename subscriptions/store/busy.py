"""Networks that have made many sign-ups in their hour."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from subscriptions.store.models import Network


def busy_until(session: Session, key: bytes, now: datetime, period: timedelta, at_least: int) -> datetime | None:
    """When the hour of a network with so many sign-ups is over; None where there were fewer."""
    row = session.get(Network, key)
    if row is None or row.count < at_least or row.since > now or row.since + period <= now:
        return None
    return row.since + period
