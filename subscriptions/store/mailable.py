"""Who may be mailed, a page at a time: what an export is made of; and what has changed since the last one.

The rows come as the driver gives them, and times as text: what SQLAlchemy makes of a row, and Python of a time, cost
as much as the whole line that is written of them (measured: 7.6 us a row on SQLite, then 3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Text, bindparam, exists, func, or_, select, type_coerce
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from subscriptions.domain.evidence import Fact
from subscriptions.domain.lifecycle import Subscription as State
from subscriptions.store.models import Evidence, Subscription, Suppression
from subscriptions.store.suppressions import in_force

# id, key, address, name, fields as JSON, locale, registered_at, confirmed_at, wording_id
Row = tuple[int, bytes, str | None, str | None, str | None, str, str, str, str | None]


def _objects(list_id: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Suppressions that stop every mail of this list."""
    of_it = or_(Suppression.list_id.is_(None), Suppression.list_id == list_id)
    return Suppression.scope == "all", of_it, in_force(now)


def mailable(list_id: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Confirmed, unrestricted, and no objection stands."""
    told_never = exists().where(Suppression.key == Subscription.key, *_objects(list_id, now))
    is_open = Subscription.list_id == list_id, Subscription.state == State.CONFIRMED
    return *is_open, Subscription.restricted.is_(False), ~told_never


UNDER_WAY = timedelta(minutes=1)  # for acts whose time was before an export, and their commit behind it


@dataclass(frozen=True, slots=True)
class Changes:
    """What has changed for a program that has had an export at `since`: who is new, or who `left` since."""

    since: datetime
    left: bool = False


def _changed(list_id: int, now: datetime, changes: Changes | None) -> tuple[ColumnElement[bool], ...]:
    if changes is None:
        return mailable(list_id, now)
    since = changes.since - UNDER_WAY
    if not changes.left:
        is_new = (Subscription.confirmed_at > since) | _noted(since, Fact.UNRESTRICTED, Fact.IMPORTED)
        return *mailable(list_id, now), is_new
    # restricted people are named again each time: since when they are is written nowhere, and to remove twice is none
    told_never = Subscription.key.in_(_told_never(list_id, now))
    other = aliased(Subscription)
    again = exists().where(other.key == Subscription.key, other.list_id == list_id, other.state == State.CONFIRMED,
                           other.restricted.is_(False))  # fmt: skip
    ended = _noted(since, Fact.UNSUBSCRIBED, Fact.BOUNCED) & ~again
    silent = (Subscription.state == State.CONFIRMED) & (Subscription.restricted | told_never)
    # whoever has come and gone meanwhile as well: which exports the other program has read, nobody knows for sure
    return Subscription.list_id == list_id, Subscription.address.is_not(None), ended | silent


def _noted(since: datetime, *facts: Fact) -> ColumnElement[bool]:
    """By its evidence: a letter ends a subscription on the day that it came, which may be long before it was read.

    Looked up once, not for each row (measured, an Export page of 200,000: 1.3 s, then 0.3).
    """
    of_one = Evidence.subscription_id.is_not(None), Evidence.registration_id.is_(None)
    return Subscription.id.in_(
        select(Evidence.subscription_id).where(*of_one, Evidence.fact.in_(facts), Evidence.at > since)
    )


def changed_count(session: Session, list_id: int, now: datetime, changes: Changes) -> int:
    """`id > 0`: by the index of the list that has its rows in their order."""
    which = *_changed(list_id, now, changes), Subscription.id > 0
    return session.scalar(select(func.count(Subscription.id)).where(*which)) or 0


def unnamed_count(session: Session, list_id: int, since: datetime) -> int:
    """How many have been erased since then, whom no export can name any more."""
    erased = Subscription.list_id == list_id, Subscription.address.is_(None), _noted(since - UNDER_WAY, Fact.ERASED)
    return session.scalar(select(func.count(Subscription.id)).where(*erased)) or 0


def mailable_pages(
    session: Session, list_id: int, at_most: int, now: datetime, changes: Changes | None = None
) -> Select[Any]:  # fmt: skip
    """What an export may carry: confirmed, unrestricted, not suppressed for all; up to the newest of this moment.

    `changes`: of these, or of those who left, what is new to a program.
    """
    which = (
        *_changed(list_id, now, changes),
        Subscription.id > bindparam("after", type_=Subscription.id.type),
        Subscription.id <= (session.scalar(select(func.max(Subscription.id))) or 0),
    )
    at = _postgres_time if session.get_bind().dialect.name == "postgresql" else _sqlite_time
    columns: list[Any] = [
        Subscription.id, Subscription.key, Subscription.address, Subscription.name, Subscription.fields.cast(Text),
        Subscription.locale, at(Subscription.registered_at), at(Subscription.confirmed_at), Subscription.wording_id,
    ]  # fmt: skip
    return select(*columns).where(*which).order_by(Subscription.id).limit(at_most)


def mailable_page(session: Session, pages: Select[Any], after: int) -> Sequence[Row]:
    """The next rows of these pages, those behind that id."""
    result = session.connection().execute(pages, {"after": after})
    driver: Any = result.dialect.dbapi
    try:
        return cast(Sequence[Row], result.cursor.fetchall())
    except driver.Error as error:
        raise DBAPIError(None, None, error) from error


def _postgres_time(column: InstrumentedAttribute[datetime]) -> ColumnElement[str]:
    return func.to_char(func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS"Z"', type_=Text)


def _sqlite_time(column: InstrumentedAttribute[datetime]) -> ColumnElement[str]:
    """It keeps times as text, in UTC: 2026-11-23 12:00:00.000000."""
    kept = type_coerce(column, Text)
    return func.substr(kept, 1, 10, type_=Text) + "T" + func.substr(kept, 12, 8, type_=Text) + "Z"


def mailable_count(session: Session, list_id: int, now: datetime) -> int:
    """How many they are, restricted ones included, of whom there are few; without a look at each row.

    `list_id + 0`: the index of the open ones answers by itself, that of the list leads to every row (measured: 7 % of
    an export, then less than 2).
    """
    open_ = Subscription.list_id + 0 == list_id, Subscription.state == State.CONFIRMED
    all_ = select(func.count()).where(*open_)
    silent = all_.where(Subscription.key.in_(_told_never(list_id, now)))
    return (session.scalar(all_) or 0) - (session.scalar(silent) or 0)


def _told_never(list_id: int, now: datetime) -> Select[bytes]:
    return select(Suppression.key).where(*_objects(list_id, now))
