"""Who may be mailed, a page at a time: what an export is made of.

The rows come as the driver gives them, and times as text: what SQLAlchemy makes of a row, and Python of a time,
cost as much as the whole line that is written of them (measured: 7.6 us a row on SQLite, then 3).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Text, bindparam, exists, func, select, type_coerce
from sqlalchemy import cast as sql_cast
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import InstrumentedAttribute, Session

from subscriptions.domain.lifecycle import Subscription as State
from subscriptions.store.models import Subscription, Suppression
from subscriptions.store.suppressions import in_force

# id, key, address, name, fields as JSON, locale, registered_at, confirmed_at
Row = tuple[int, bytes, str | None, str | None, str | None, str, str, str]


def pages_of(session: Session, list_id: int, at_most: int, now: datetime) -> Select[Any]:
    """What an export may carry: confirmed, unrestricted, not suppressed for all; up to the newest of this moment."""
    told_never = exists().where(Suppression.key == Subscription.key, Suppression.scope == "all", in_force(now))
    which = (
        Subscription.list_id == list_id,
        Subscription.state == State.CONFIRMED,
        Subscription.restricted.is_(False),
        Subscription.id > bindparam("after", type_=Subscription.id.type),
        Subscription.id <= (session.scalar(select(func.max(Subscription.id))) or 0),
        ~told_never,
    )
    columns = _columns(session.get_bind().dialect.name)
    return select(*columns).where(*which).order_by(Subscription.id).limit(at_most)


def page(session: Session, pages: Select[Any], after: int) -> Sequence[Row]:
    """The next rows of these pages, those behind that id."""
    result = session.connection().execute(pages, {"after": after})
    driver: Any = result.dialect.dbapi
    try:
        return cast(Sequence[Row], result.cursor.fetchall())
    except driver.Error as error:
        raise DBAPIError(None, None, error) from error


def _columns(database: str) -> Sequence[Any]:
    at = _postgres_time if database == "postgresql" else _sqlite_time
    return (
        Subscription.id,
        Subscription.key,
        Subscription.address,
        Subscription.name,
        sql_cast(Subscription.fields, Text),
        Subscription.locale,
        at(Subscription.registered_at),
        at(Subscription.confirmed_at),
    )


def _postgres_time(column: InstrumentedAttribute[datetime]) -> ColumnElement[str]:
    return func.to_char(func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS"Z"', type_=Text)


def _sqlite_time(column: InstrumentedAttribute[datetime]) -> ColumnElement[str]:
    """It keeps times as text, in UTC: 2026-11-23 12:00:00.000000."""
    kept = type_coerce(column, Text)
    return func.substr(kept, 1, 10, type_=Text) + "T" + func.substr(kept, 12, 8, type_=Text) + "Z"


def mailable_count(session: Session, list_id: int) -> int:
    which = Subscription.list_id == list_id, Subscription.state == State.CONFIRMED
    return session.scalar(select(func.count()).select_from(Subscription).where(*which)) or 0
