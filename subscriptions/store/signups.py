"""The hot path: what a batch of sign-ups locks, reads and writes, in as few statements as each database allows.

Statements go to the driver directly. Measured on SQLite and PostgreSQL, a batch of 16: through SQLAlchemy's
insert constructs 222 us a sign-up, this way less than a third of it. On SQLite one statement takes all rows, and
gives what it knows in one: at every row the driver lets another thread have the interpreter.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple

from subscriptions.store import arrays
from subscriptions.store.trips import Later, Trip
from subscriptions.store.types import time_of

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
    wording_id: str
    vouched: bool
    channel: str
    actor: str | None
    ip: str | None
    ip_source: str | None
    details: str  # JSON
    mail: str | None  # none: it is named in the mail that hangs on the first one of its form
    mid: str | None
    due_at: datetime
    fields: str | None  # JSON
    mailbox: bytes | None


class Notified(NamedTuple):
    """A subscriber who is to hear of it: by which sign-up, and the mail that is owed for it."""

    subscription_id: int
    fact: str
    channel: str
    actor: str | None
    details: str  # JSON
    mail: str
    mid: str
    at: datetime
    due_at: datetime
    drop_at: datetime


@dataclass(slots=True)
class Open:
    """An open subscription that a sign-up meets."""

    id: int
    notified_at: datetime | None
    restricted: bool


@dataclass(slots=True)
class Seen:
    """What the database knows of the addresses of a batch. `suppressed`: for which lists, or any, by mailbox.

    `asked`: what waits or is open, by address and by mailbox.
    """

    suppressed: dict[bytes, set[int | None]] = field(default_factory=dict)
    open: dict[tuple[bytes, int], Open] = field(default_factory=dict)
    asked: set[tuple[bytes, int]] = field(default_factory=set)


_SEE = """
SELECT 's', s.mailbox, s.list_id, 0, NULL, false FROM suppressions s
WHERE s.mailbox {among} AND (s.until IS NULL OR s.until > {now})
UNION ALL
SELECT 'o', s.key, s.list_id, s.id, s.notified_at, s.restricted FROM subscriptions s
WHERE s.key {among} AND s.state = 'confirmed'
UNION ALL
SELECT 'p', r.key, r.list_id, 0, NULL, false
FROM (SELECT key, list_id, state, confirm_by FROM registrations WHERE key {among} {first}) r
WHERE r.state = 'pending' AND r.confirm_by > {now}
UNION ALL
SELECT 'm', s.mailbox, s.list_id, 0, NULL, false FROM subscriptions s
WHERE s.mailbox {among} AND s.state = 'confirmed'
UNION ALL
SELECT 'm', r.mailbox, r.list_id, 0, NULL, false
FROM (SELECT mailbox, list_id, state, confirm_by FROM registrations WHERE mailbox {among} {first}) r
WHERE r.state = 'pending' AND r.confirm_by > {now}
"""
# OFFSET 0: the rows of the keys first. Without statistics PostgreSQL would read all that are pending, by the index of
# `confirm_by`, and measured that was a third of a batch's time at 5,000 of them.
PG_SEE = _SEE.format(among="= ANY(?::bytea[])", now="?", first="OFFSET 0").replace(
    "NULL, false", "NULL::timestamptz, false"
)
_SQLITE_SEE = _SEE.format(among="IN (VALUES {keys})", now="?1", first="")
_REGISTRATIONS = """
INSERT INTO registrations (ref, list_id, key, state, address, typed, name, locale, registered_at, confirm_by,
  purge_at, wording_id, vouched, mailbox, fields)
SELECT ref, list_id, key, 'pending', address, typed, name, locale, registered_at, confirm_by, purge_at, wording_id,
  vouched, mailbox, fields{json} FROM n
"""
_EVIDENCE = """
INSERT INTO evidence (registration_id, fact, at, channel, actor, ip, ip_source, details)
SELECT r.id, 'registered', n.registered_at, channel, actor, ip, ip_source, details{json}
FROM n JOIN {of} USING (ref, list_id)
"""
_OUTBOX = """
INSERT INTO outbox (mail, mid, registration_id, owed_at, due_at, drop_at, tries)
SELECT mail, mid, r.id, n.registered_at, due_at, n.confirm_by, 0 FROM n JOIN {of} USING (ref, list_id)
WHERE mail IS NOT NULL
"""
_SUBSCRIPTIONS = "UPDATE subscriptions SET notified_at = n.at FROM n WHERE subscriptions.id = n.subscription_id"
_ASKED_AGAIN = """
INSERT INTO evidence (subscription_id, fact, at, channel, actor, details)
SELECT subscription_id, fact, at, channel, actor, details{json} FROM n
"""
_OUTBOX_OF_OPEN = """
INSERT INTO outbox (mail, mid, subscription_id, owed_at, due_at, drop_at, tries)
SELECT mail, mid, subscription_id, at, due_at, drop_at, 0 FROM n
"""


def see(out: Trip, keys: Sequence[bytes], now: datetime) -> Later[Seen]:
    """Suppressions, open subscriptions and registrations that wait, at `now`, of these addresses and mailboxes."""
    if out.is_postgres:
        among = arrays.octets(keys)
        rows = out.ask(PG_SEE, (among, now, among, among, now, among, among, now))
    else:
        marks = ", ".join(f"(?{n})" for n in range(2, len(keys) + 2))
        rows = out.ask(_SQLITE_SEE.format(keys=marks), (now, *keys))
    return lambda: _seen(rows())


def _seen(rows: Sequence[Any]) -> Seen:
    seen = Seen()
    for what, key, list_id, id_, notified_at, restricted in rows:
        if what == "s":
            seen.suppressed.setdefault(bytes(key), set()).add(list_id)
            continue
        seen.asked.add((bytes(key), list_id))
        if what == "o":
            seen.open[bytes(key), list_id] = Open(id_, time_of(notified_at), bool(restricted))
    return seen


def remember(out: Trip, new: Sequence[New]) -> None:
    """Write registrations, their evidence and their owed mails."""
    made = f"{_REGISTRATIONS} RETURNING id, ref, list_id" if out.is_postgres else _REGISTRATIONS
    _write(out, New, new, made, _EVIDENCE, _OUTBOX)


def notify(out: Trip, notified: Sequence[Notified]) -> None:
    """Note when these subscribers were notified, with the evidence and the mail."""
    _write(out, Notified, notified, _SUBSCRIPTIONS, _ASKED_AGAIN, _OUTBOX_OF_OPEN)


def _write(out: Trip, kind: type[tuple[Any, ...]], rows: Sequence[tuple[Any, ...]], *parts: str) -> None:
    """PostgreSQL: all parts in one statement, where `r` is what the first returns; SQLite: one after the other."""
    columns = arrays.columns_of(kind)
    if rows and out.is_postgres:
        first, second, last = (part.format(json="::json", of="r") for part in parts)
        out.with_rows(columns, rows, f", r AS ({first}), e AS ({second}) {last}")
        return
    for part in parts:
        own, picked = _named_in(part, kind)
        for start in range(0, len(rows), ROWS_AT_ONCE):  # it takes so many values at once
            some = [picked(row) for row in rows[start : start + ROWS_AT_ONCE]]
            out.with_rows(own, some, part.format(json="", of="registrations r"))


@cache
def _named_in(part: str, kind: type[tuple[Any, ...]]) -> tuple[dict[str, str], Callable[[Any], Any]]:
    """The columns that a part names, and what picks them out of a row: the driver converts each value it is given."""
    columns = arrays.columns_of(kind)
    own = [name for name in columns if re.search(rf"\b{name}\b", part)]
    return {name: columns[name] for name in own}, itemgetter(*map([*columns].index, own))
