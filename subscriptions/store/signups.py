"""The hot path: what a batch of sign-ups locks, reads and writes, in as few statements as each database allows.

Statements go to the driver directly. Measured on SQLite and PostgreSQL, a batch of 16: through SQLAlchemy's
insert constructs 222 us a sign-up, this way less than a third of it. On SQLite one statement takes all rows, and
gives what it knows in one: at every row the driver lets another thread have the interpreter.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from subscriptions.store import arrays
from subscriptions.store import signups_sql as sql
from subscriptions.store.trips import Later, Trip
from subscriptions.store.types import from_sqlite, sqlite_text

ROWS_AT_ONCE = 1000


class New(NamedTuple):
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


class Notified(NamedTuple):
    """A subscriber who is to hear of it: by which sign-up, and the mail that is owed for it."""

    subscription_id: int
    fact: str
    channel: str
    actor: str | None
    details: str  # JSON
    mail: str
    mid: str
    due_at: datetime


@dataclass(slots=True)
class Open:
    """An open subscription that a sign-up meets."""

    id: int
    notified_at: datetime | None
    restricted: bool


@dataclass(slots=True)
class Seen:
    """What the database knows of the addresses of a batch."""

    suppressed: set[tuple[bytes, int | None]] = field(default_factory=set)
    open: dict[tuple[bytes, int], Open] = field(default_factory=dict)
    pending: set[tuple[bytes, int]] = field(default_factory=set)


def lock_addresses(out: Trip, keys: Mapping[bytes, int]) -> Later[dict[bytes, str]]:
    """Lock the row of each address, made where there was none, and count the asks; gives their budgets."""
    ordered = sorted(keys)
    if out.is_postgres:
        asks = arrays.numbers(keys[key] for key in ordered)
        rows = out.ask(sql.PG_ADDRESSES, (arrays.octets(ordered), asks))
        return lambda: {bytes(key): mails for key, mails in rows()}
    out.ask_rows(sql.SQLITE_ADDRESSES, [(key, keys[key]) for key in ordered], row="(?, ?, '')")
    known = out.known("mails", "addresses", ordered)
    return lambda: dict(known())


def see(out: Trip, keys: Sequence[bytes], now: datetime) -> Later[Seen]:
    """Suppressions, open subscriptions and registrations that still wait, of these addresses, at `now`."""
    if out.is_postgres:
        among = arrays.octets(keys)
        rows = out.ask(sql.PG_SEE, (among, now, among, among, now))
    else:
        marks = ", ".join(f"(?{n})" for n in range(2, len(keys) + 2))
        rows = out.ask(sql.SQLITE_SEE.format(keys=marks), (sqlite_text(now), *keys))
    return lambda: _seen(rows(), (lambda at: at) if out.is_postgres else from_sqlite)


def _seen(rows: Sequence[Any], time: Callable[[Any], datetime | None]) -> Seen:
    seen = Seen()
    for what, key, list_id, id_, notified_at, restricted in rows:
        if what == "s":
            seen.suppressed.add((bytes(key), list_id))
        elif what == "p":
            seen.pending.add((bytes(key), list_id))
        else:
            seen.open[bytes(key), list_id] = Open(id_, time(notified_at), bool(restricted))
    return seen


def remember(out: Trip, new: Sequence[New]) -> None:
    """Write registrations, their evidence and their owed mails."""
    if not new:
        return
    if out.is_postgres:
        out.ask(sql.PG_REMEMBER, _columns(new, sql.COLUMNS))
        return
    t = sqlite_text
    _insert(out, sql.SQLITE_REGISTRATION, [
        (n.ref, n.list_id, n.key, n.address, n.typed, n.name, n.locale, t(n.registered_at), t(n.confirm_by),
         t(n.purge_at), n.wording_id, n.fields) for n in new
    ])  # fmt: skip
    _insert(out, sql.SQLITE_EVIDENCE, [
        (n.ref, n.list_id, t(n.registered_at), n.channel, n.actor, n.ip, n.ip_source, n.details) for n in new
    ])  # fmt: skip
    _insert(out, sql.SQLITE_OUTBOX, [
        (n.ref, n.list_id, n.mail, n.mid, t(n.registered_at), t(n.due_at), t(n.confirm_by)) for n in new if n.mail
    ])  # fmt: skip


def _insert(out: Trip, statement: tuple[str, str], rows: Sequence[tuple[Any, ...]]) -> None:
    """SQLite: all rows by one statement, made of its head and the form of a row; it takes so many values at once."""
    head, row = statement
    for start in range(0, len(rows), ROWS_AT_ONCE):
        out.ask_rows(head + "{}", rows[start : start + ROWS_AT_ONCE], row=row)


def notify(out: Trip, notified: Sequence[Notified], now: datetime, drop_at: datetime) -> None:
    """Note when these subscribers were notified, with the evidence and the mail."""
    if not notified:
        return
    if out.is_postgres:
        out.ask(sql.PG_NOTIFY, (*_columns(notified, sql.NOTIFIED), now, now, now, drop_at))
        return
    at, over = sqlite_text(now), sqlite_text(drop_at)
    for n in notified:
        out.ask("UPDATE subscriptions SET notified_at = ? WHERE id = ?", (at, n.subscription_id))
    _insert(out, sql.SQLITE_ASKED_AGAIN, [
        (n.subscription_id, n.fact, at, n.channel, n.actor, n.details) for n in notified
    ])  # fmt: skip
    _insert(out, sql.SQLITE_NOTIFY, [
        (n.subscription_id, n.mail, n.mid, at, sqlite_text(n.due_at), over) for n in notified
    ])  # fmt: skip


def save_budgets(out: Trip, budgets: Mapping[bytes, str]) -> None:
    """Write the times of mails, the new ones included, of the locked addresses."""
    if not budgets:
        return
    if out.is_postgres:
        out.ask(sql.PG_BUDGETS, (arrays.octets(budgets), arrays.texts(budgets.values())))
    else:
        out.ask_rows(sql.SQLITE_BUDGETS, list(budgets.items()))


_WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "bytea": arrays.octets, "bigint": arrays.numbers, "int": arrays.numbers, "text": arrays.texts,
    "timestamptz": arrays.times,
}  # fmt: skip


def _columns(rows: Sequence[tuple[Any, ...]], types: Mapping[str, str]) -> tuple[str, ...]:
    """PostgreSQL: what the rows say, column by column; `types`: of their members, in the order of these."""
    return tuple(_WRITTEN[type_](column) for type_, column in zip(types.values(), zip(*rows, strict=True), strict=True))
