"""The hot path: what a batch of sign-ups locks, reads and writes, in as few statements as each database allows.

Statements go to the driver directly. Measured on SQLite and PostgreSQL, a batch of 16: through SQLAlchemy's
insert constructs 222 us a sign-up, this way about a third of it. On SQLite one statement takes all rows, and
gives what it knows in one: at every row the driver lets another thread have the interpreter.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from subscriptions.store import signups_sql as sql
from subscriptions.store.models import Network
from subscriptions.store.types import from_sqlite, sqlite_text

ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class New:
    """A registration to be written, with its evidence and the mail it owes."""

    ref: bytes
    list_id: int
    key: bytes
    address: str
    typed: str | None
    name: str | None
    locale: str
    registered_at: datetime
    confirm_by: datetime
    purge_at: datetime
    wording_id: str | None
    channel: str
    actor: str | None
    ip: str | None
    ip_source: str | None
    details: str  # JSON
    mail: str | None  # none: it is named in the mail that hangs on the first one of its form
    mid: str | None
    due_at: datetime
    fields: str | None  # JSON


@dataclass(slots=True)
class Open:
    """An open subscription that a sign-up meets."""

    id: int
    told_at: datetime | None
    restricted: bool


@dataclass(slots=True)
class Seen:
    """What the database knows of the addresses of a batch."""

    suppressed: set[tuple[bytes, int | None]] = field(default_factory=set)
    open: dict[tuple[bytes, int], Open] = field(default_factory=dict)
    pending: set[tuple[bytes, int]] = field(default_factory=set)


def _is_postgres(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def lock_addresses(session: Session, keys: Mapping[bytes, int]) -> dict[bytes, str]:
    """Lock the row of each address, made where there was none, and count the asks; gives their budgets."""
    ordered = sorted(keys)
    if _is_postgres(session):
        rows = _driver(session, sql.PG_ADDRESSES, (ordered, [keys[k] for k in ordered]))
        return {bytes(key): mails for key, mails in rows}
    values = tuple(part for key in ordered for part in (key, keys[key]))
    _run(session, sql.SQLITE_ADDRESSES.format(_marks("(?, ?, '')", len(ordered))), values)
    return {key: mails for key, mails in _told(session, "mails", "addresses", ordered)}


def count_networks(
    session: Session, networks: Mapping[bytes, int], now: datetime, period: timedelta
) -> dict[bytes, tuple[datetime, int]]:
    """Count the sign-ups of each network in its current period: since when, and how many with these."""
    ordered = sorted(networks)
    if _is_postgres(session):
        named = {"now": now, "keys": ordered, "counts": [networks[k] for k in ordered], "edge": now - period}
        rows = _driver(session, sql.PG_NETWORKS, named)
        return {bytes(key): (since, count) for key, since, count in rows}
    values = tuple(part for key in ordered for part in (key, sqlite_text(now), networks[key]))
    statement = sql.SQLITE_NETWORKS.format(_marks("(?, ?, ?)", len(ordered)))
    _run(session, statement, (*values, sqlite_text(now - period), sqlite_text(now - period)))
    told = _told(session, "since, count", "networks", ordered)
    return {key: (from_sqlite(since) or now, count) for key, since, count in told}


def _told(session: Session, columns: str, table: str, keys: Sequence[bytes]) -> Iterable[list[Any]]:
    """SQLite: the rows of these keys, the key first, all in one."""
    told = sql.SQLITE_TOLD.format(columns=columns, table=table, keys=_marks("(?)", len(keys)))
    for key, *others in json.loads(_driver(session, told, tuple(keys))[0][0]):
        yield [bytes.fromhex(key), *others]


def _marks(row: str, number: int) -> str:
    return ", ".join([row] * number)


def see(session: Session, keys: Sequence[bytes], now: datetime) -> Seen:
    """Suppressions, open subscriptions and registrations that still wait, of these addresses, at `now`."""
    postgres = _is_postgres(session)
    if postgres:
        rows = _driver(session, sql.PG_SEE, {"keys": list(keys), "now": now})
    else:
        marks = ", ".join(f"(?{n})" for n in range(2, len(keys) + 2))
        rows = _driver(session, sql.SQLITE_SEE.format(keys=marks), (sqlite_text(now), *keys))
    seen = Seen()
    for what, key, list_id, id_, told_at, restricted in rows:
        if what == "s":
            seen.suppressed.add((bytes(key), list_id))
        elif what == "p":
            seen.pending.add((bytes(key), list_id))
        else:
            told = told_at if postgres else from_sqlite(told_at)
            seen.open[bytes(key), list_id] = Open(id_, told, bool(restricted))
    return seen


def remember(session: Session, new: Sequence[New]) -> None:
    """Write registrations, their evidence and their owed mails."""
    if not new:
        return
    if _is_postgres(session):
        columns = [[getattr(one, name) for one in new] for name in sql.PG_COLUMNS]
        session.connection().exec_driver_sql(sql.PG_REMEMBER, tuple(columns))
        return
    t = sqlite_text
    _insert(session, sql.SQLITE_REGISTRATION, [
        (n.ref, n.list_id, n.key, n.address, n.typed, n.name, n.locale, t(n.registered_at), t(n.confirm_by),
         t(n.purge_at), n.wording_id, n.fields) for n in new
    ])  # fmt: skip
    _insert(session, sql.SQLITE_EVIDENCE, [
        (n.ref, n.list_id, t(n.registered_at), n.channel, n.actor, n.ip, n.ip_source, n.details) for n in new
    ])  # fmt: skip
    _insert(session, sql.SQLITE_OUTBOX, [
        (n.ref, n.list_id, n.mail, n.mid, t(n.registered_at), t(n.due_at), t(n.confirm_by)) for n in new if n.mail
    ])  # fmt: skip


def _insert(session: Session, statement: tuple[str, str], rows: Sequence[tuple[Any, ...]]) -> None:
    """SQLite: all rows by one statement, made of its head and the form of a row; it takes so many values at once."""
    head, row = statement
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        _run(session, head + _marks(row, len(part)), tuple(value for one in part for value in one))


def save_budgets(session: Session, budgets: Mapping[bytes, str]) -> None:
    """Write the times of mails, the new ones included, of the locked addresses."""
    if not budgets:
        return
    if _is_postgres(session):
        _run(session, sql.PG_BUDGETS, (list(budgets), list(budgets.values())))
    else:
        values = tuple(part for one in budgets.items() for part in one)
        _run(session, sql.SQLITE_BUDGETS.format(_marks("(?, ?)", len(budgets))), values)


def _run(session: Session, statement: str, values: Any) -> None:
    session.connection().exec_driver_sql(statement, values)


def _driver(session: Session, statement: str, values: Any) -> Sequence[Any]:
    return session.connection().exec_driver_sql(statement, values).all()


def busy_until(session: Session, key: bytes, now: datetime, period: timedelta, at_least: int) -> datetime | None:
    """When the hour of a network with so many sign-ups is over; None where there were fewer."""
    row = session.get(Network, key)
    if row is None or row.count < at_least or row.since > now or row.since + period <= now:
        return None
    return row.since + period
