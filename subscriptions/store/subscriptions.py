"""Subscriptions, by name of the question."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Text, bindparam, delete, exists, func, or_, select, type_coerce, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from subscriptions.domain.evidence import Cause, Fact
from subscriptions.domain.lifecycle import Registration as SignedUp
from subscriptions.domain.lifecycle import Subscription as State
from subscriptions.store import arrays, holds, removals
from subscriptions.store.engine import BLIND
from subscriptions.store.models import Evidence, List, Registration, Subscription, Suppression
from subscriptions.store.suppressions import in_force
from subscriptions.store.trips import trip


def find(session: Session, id_: int | None) -> Subscription | None:
    return None if id_ is None else session.get(Subscription, id_)


def find_open(session: Session, key: bytes, list_id: int) -> Subscription | None:
    theirs = Subscription.key == key, Subscription.list_id == list_id, Subscription.state == State.CONFIRMED
    return session.scalar(select(Subscription).where(*theirs))


_AMONG = "SELECT s.key FROM {keys} WHERE s.list_id = ? AND s.state = 'confirmed'"
_PG_AMONG = _AMONG.format(keys="unnest(?::bytea[]) AS k (key) JOIN subscriptions s USING (key)")


def open_among(session: Session, keys: Sequence[bytes], list_id: int) -> set[bytes]:
    """Those of these addresses, many thousands maybe, that are subscribed to the list."""
    with trip(session) as out:
        if out.is_postgres:
            found = out.ask(_PG_AMONG, (arrays.octets(keys), list_id))
        else:
            marks = ", ".join("?" * len(keys))
            found = out.ask(f"{_AMONG.format(keys='subscriptions s')} AND s.key IN ({marks})", (list_id, *keys))
    return {bytes(key) for (key,) in found()}


def open_of(session: Session, keys: Collection[bytes], list_id: int) -> Sequence[Subscription]:
    theirs = Subscription.key.in_(keys), Subscription.list_id == list_id, Subscription.state == State.CONFIRMED
    return session.scalars(select(Subscription).where(*theirs)).all()


def of_key(session: Session, key: bytes) -> Sequence[Subscription]:
    return session.scalars(select(Subscription).where(Subscription.key == key).order_by(Subscription.id)).all()


def shown_of_key(session: Session, key: bytes, now: datetime) -> Sequence[Subscription]:
    """What a person is shown of their own: without those erased or whose proof period is over."""
    theirs = select(Subscription).where(Subscription.key == key, shown(now))
    return session.scalars(theirs.order_by(Subscription.id)).all()


def locale_of(session: Session, key: bytes, list_id: int) -> str | None:
    """Of the newest subscription."""
    theirs = select(Subscription.locale).where(Subscription.key == key, Subscription.list_id == list_id)
    return session.scalar(theirs.order_by(Subscription.id.desc()).limit(1))


def ips_over_at(session: Session, now: datetime, at_most: int) -> Sequence[int]:
    """Subscriptions whose IP addresses have had their time."""
    over = Subscription.ip_until <= now, ~holds.on(Subscription)
    return session.scalars(select(Subscription.id).where(*over).limit(at_most)).all()


def ips_forgotten(session: Session, ids: Sequence[int]) -> None:
    session.execute(update(Subscription).where(Subscription.id.in_(ids)).values(ip_until=None))


def proof_over_at(session: Session, now: datetime, at_most: int) -> Sequence[tuple[int, bytes]]:
    """Id and key of ended subscriptions whose proof period is over and that nobody holds."""
    due = select(Subscription.id, Subscription.key).where(Subscription.proof_until <= now, ~holds.on(Subscription))
    return session.execute(due.limit(at_most)).all()


def remove(session: Session, ids: Sequence[int], cause: Cause, now: datetime) -> None:
    """Delete those that are not held with the registrations that opened or met them, and all evidence, and log it."""
    free = holds.free(session, ids)
    removals.of_evidence(session, removals.of_subscriptions(free), len(free), cause, now)
    session.execute(delete(Registration).where(Registration.subscription_id.in_(free)), execution_options=BLIND)
    session.execute(delete(Subscription).where(Subscription.id.in_(free)), execution_options=BLIND)


def shown(now: datetime) -> ColumnElement[bool]:
    is_kept = or_(Subscription.proof_until.is_(None), Subscription.proof_until > now, holds.on(Subscription))
    return (Subscription.state != State.ERASED) & is_kept


def page(session: Session, list_id: int, after: int, at_most: int, now: datetime) -> Sequence[Subscription]:
    """Those of a list, oldest first, without the erased and those whose proof period is over."""
    theirs = Subscription.list_id == list_id, Subscription.id > after, shown(now)
    return session.scalars(select(Subscription).where(*theirs).order_by(Subscription.id).limit(at_most)).all()


def counts(session: Session, now: datetime) -> dict[int, dict[str, int]]:
    """By list: pending, blocked, confirmed, unsubscribed, bounced; all at `now`, swept or not."""
    states = "pending blocked confirmed unsubscribed bounced".split()
    found = {id_: dict.fromkeys(states, 0) for id_ in session.scalars(select(List.id))}
    is_pending = (Registration.state == SignedUp.PENDING) & (Registration.confirm_by > now)
    signed_up = select(Registration.list_id, is_pending, func.count()).group_by(Registration.list_id, is_pending)
    left = Registration.state != SignedUp.CONFIRMED, Registration.purge_at > now
    for list_id, waits, number in session.execute(signed_up.where(*left)):
        found[list_id]["pending" if waits else "blocked"] += number
    known = select(Subscription.list_id, Subscription.state, func.count()).where(shown(now))
    for list_id, state, number in session.execute(known.group_by(Subscription.list_id, Subscription.state)):
        found[list_id][state] = number
    return found


def by_wording(session: Session, list_id: int) -> dict[str, int]:
    """How many who are subscribed to a list agreed to which wording, by its id; empty: nobody knows to which.

    No index would help, and with one SQLite looks each row up by itself (measured, of a million: 4 s, then 1).
    """
    of = Subscription.wording_id, Subscription.state
    found = select(*of, func.count()).where(Subscription.list_id + 0 == list_id).group_by(*of)
    return {id_ or "": number for id_, state, number in session.execute(found) if state is State.CONFIRMED}


# Who may be mailed, a page at a time: what an export is made of. The rows come as the driver gives them, and times as
# text: what SQLAlchemy makes of a row, and Python of a time, cost as much as the whole line that is written of them
# (measured: 7.6 us a row on SQLite, then 3).

# id, key, address, name, fields as JSON, locale, registered_at, confirmed_at, wording_id
Row = tuple[int, bytes, str | None, str | None, str | None, str, str, str, str | None]


def mailable(list_id: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Confirmed, unrestricted, not suppressed for all."""
    told_never = exists().where(Suppression.key == Subscription.key, Suppression.scope == "all", in_force(now))
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
        is_new = (Subscription.confirmed_at > since) | _noted(since, Fact.UNRESTRICTED)
        return *mailable(list_id, now), is_new
    # restricted people are named again each time: since when they are is written nowhere, and to remove twice is none
    told_never = Subscription.key.in_(_told_never(now))
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
    silent = all_.where(Subscription.key.in_(_told_never(now)))
    return (session.scalar(all_) or 0) - (session.scalar(silent) or 0)


def _told_never(now: datetime) -> Select[bytes]:
    return select(Suppression.key).where(Suppression.scope == "all", in_force(now))
