"""What the model of a history knows: registrations and suppressions; and all that the database knows of a table."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from subscriptions.store.engine import reading

DAY, MONTH = timedelta(hours=24), timedelta(days=30)


def end_of_month_of(at: datetime) -> datetime:
    """The earlier of 30 days and one calendar month, said in another way than the product says it."""
    year, month = at.year + at.month // 12, at.month % 12 + 1
    day = min(at.day, monthrange(year, month)[1])
    return min(at + MONTH, at.replace(year=year, month=month, day=day))


@dataclass
class Asked:
    """A registration, as the model knows it."""

    who: str
    slug: str
    at: datetime
    ref: bytes
    state: str = "waiting"  # confirmed, gone
    subscription: int | None = None


@dataclass
class Silence:
    """A suppression, as the model knows it."""

    who: str
    scope: str
    slug: str | None = None
    until: datetime | None = None
    by: bytes | None = None

    def holds(self, who: str, slug: str, now: datetime) -> bool:
        mine = self.who == who and self.slug in (None, slug)
        return mine and (self.until is None or now < self.until)


def everything(table: Any, without: str = "") -> dict[Any, dict[str, Any]]:
    columns = [column for column in table.__table__.columns if column.name != without]
    with reading() as session:
        found = [dict(row._mapping) for row in session.execute(sa.select(*columns))]
    return {row.get("id", n): row for n, row in enumerate(found)}
