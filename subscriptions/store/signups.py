"""The hot path: what a batch of sign-ups locks, reads and writes, in as few statements as each database allows.

Statements go to the driver directly. Measured on SQLite and PostgreSQL, a batch of 16: through SQLAlchemy's
insert constructs 222 us a sign-up, this way about a third of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from subscriptions.store.types import from_sqlite, sqlite_text


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
    mail: str
    mid: str
    due_at: datetime


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
        rows = _driver(session, _PG_ADDRESSES, (ordered, [keys[k] for k in ordered]))
        return {bytes(key): mails for key, mails in rows}
    values = tuple(part for key in ordered for part in (key, keys[key]))
    return dict(_driver(session, _SQLITE_ADDRESSES.format(_marks("(?, ?, '')", len(ordered))), values))


def count_networks(
    session: Session, networks: Mapping[bytes, int], now: datetime, period: timedelta
) -> dict[bytes, tuple[datetime, int]]:
    """Count the sign-ups of each network in its current period: since when, and how many with these."""
    ordered = sorted(networks)
    if _is_postgres(session):
        named = {"now": now, "keys": ordered, "counts": [networks[k] for k in ordered], "edge": now - period}
        rows = _driver(session, _PG_NETWORKS, named)
        return {bytes(key): (since, count) for key, since, count in rows}
    values = tuple(part for key in ordered for part in (key, sqlite_text(now), networks[key]))
    statement = _SQLITE_NETWORKS.format(_marks("(?, ?, ?)", len(ordered)))
    rows = _driver(session, statement, (*values, sqlite_text(now - period), sqlite_text(now - period)))
    return {key: (from_sqlite(since) or now, count) for key, since, count in rows}


def _marks(row: str, number: int) -> str:
    return ", ".join([row] * number)


def see(session: Session, keys: Sequence[bytes], now: datetime) -> Seen:
    """Suppressions, open subscriptions and registrations that still wait, of these addresses, at `now`."""
    postgres = _is_postgres(session)
    if postgres:
        rows = _driver(session, _PG_SEE, {"keys": list(keys), "now": now})
    else:
        marks = ", ".join(f"(?{n})" for n in range(2, len(keys) + 2))
        rows = _driver(session, _SQLITE_SEE.format(keys=marks), (sqlite_text(now), *keys))
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
        columns = [[getattr(one, name) for one in new] for name in _PG_COLUMNS]
        session.connection().exec_driver_sql(_PG_REMEMBER, tuple(columns))
        return
    run = session.connection().exec_driver_sql
    t = sqlite_text
    run(_SQLITE_REGISTRATION, [
        (n.ref, n.list_id, n.key, n.address, n.typed, n.name, n.locale, t(n.registered_at), t(n.confirm_by),
         t(n.purge_at), n.wording_id) for n in new
    ])  # fmt: skip
    run(_SQLITE_EVIDENCE, [
        (n.ref, t(n.registered_at), n.channel, n.actor, n.ip, n.ip_source, n.details) for n in new
    ])  # fmt: skip
    run(_SQLITE_OUTBOX, [(n.ref, n.mail, n.mid, t(n.registered_at), t(n.due_at), t(n.confirm_by)) for n in new])


def save_budgets(session: Session, budgets: Mapping[bytes, str]) -> None:
    """Write the times of mails, the new ones included, of the locked addresses."""
    if not budgets:
        return
    run = session.connection().exec_driver_sql
    if _is_postgres(session):
        run(_PG_BUDGETS, (list(budgets), list(budgets.values())))
    else:
        run("UPDATE addresses SET mails = ?2 WHERE key = ?1", list(budgets.items()))


def _driver(session: Session, sql: str, values: Any) -> Sequence[Any]:
    return session.connection().exec_driver_sql(sql, values).all()


_PG_ADDRESSES = """
INSERT INTO addresses (key, asked, mails)
SELECT a.key, a.asked, '' FROM unnest(%s::bytea[], %s::int[]) AS a(key, asked)
ON CONFLICT (key) DO UPDATE SET asked = addresses.asked + excluded.asked
RETURNING key, mails
"""
_SQLITE_ADDRESSES = """
INSERT INTO addresses (key, asked, mails) VALUES {}
ON CONFLICT (key) DO UPDATE SET asked = asked + excluded.asked RETURNING key, mails
"""
_PG_NETWORKS = """
INSERT INTO networks AS n (key, since, count)
SELECT a.key, %(now)s, a.count FROM unnest(%(keys)s::bytea[], %(counts)s::int[]) AS a(key, count)
ON CONFLICT (key) DO UPDATE SET
  since = CASE WHEN n.since <= %(edge)s THEN excluded.since ELSE n.since END,
  count = CASE WHEN n.since <= %(edge)s THEN excluded.count ELSE n.count + excluded.count END
RETURNING key, since, count
"""
_SQLITE_NETWORKS = """
INSERT INTO networks (key, since, count) VALUES {}
ON CONFLICT (key) DO UPDATE SET
  since = CASE WHEN since <= ? THEN excluded.since ELSE since END,
  count = CASE WHEN since <= ? THEN excluded.count ELSE count + excluded.count END
RETURNING key, since, count
"""
_SEE = """
SELECT 's', s.key, s.list_id, 0, NULL, false FROM suppressions s
WHERE s.key {among} AND (s.until IS NULL OR s.until > {now})
UNION ALL
SELECT 'o', s.key, s.list_id, s.id, s.told_at, s.restricted FROM subscriptions s
WHERE s.key {among} AND s.state = 'confirmed'
UNION ALL
SELECT 'p', r.key, r.list_id, 0, NULL, false FROM registrations r
WHERE r.key {among} AND r.state = 'pending' AND r.confirm_by > {now}
"""
_PG_SEE = _SEE.format(among="= ANY(%(keys)s::bytea[])", now="%(now)s").replace(
    "NULL, false", "NULL::timestamptz, false"
)
_SQLITE_SEE = _SEE.format(among="IN (VALUES {keys})", now="?1")
_PG_COLUMNS = (
    "ref list_id key address typed name locale registered_at confirm_by purge_at wording_id "
    "channel actor ip ip_source details mail mid due_at"
).split()
_PG_REMEMBER = """
WITH n AS (
  SELECT * FROM unnest(%s::bytea[], %s::int[], %s::bytea[], %s::text[], %s::text[], %s::text[], %s::text[],
    %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::text[],
    %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
  AS n(ref, list_id, key, address, typed, name, locale, registered_at, confirm_by, purge_at, wording_id,
    channel, actor, ip, ip_source, details, mail, mid, due_at)
), r AS (
  INSERT INTO registrations (ref, list_id, key, state, address, typed, name, locale, registered_at, confirm_by,
    purge_at, wording_id)
  SELECT ref, list_id, key, 'pending', address, typed, name, locale, registered_at, confirm_by, purge_at, wording_id
  FROM n RETURNING id, ref
), e AS (
  INSERT INTO evidence (registration_id, fact, at, channel, actor, ip, ip_source, details)
  SELECT r.id, 'registered', n.registered_at, n.channel, n.actor, n.ip, n.ip_source, n.details::json
  FROM n JOIN r ON r.ref = n.ref
)
INSERT INTO outbox (mail, mid, registration_id, owed_at, due_at, drop_at, tries)
SELECT n.mail, n.mid, r.id, n.registered_at, n.due_at, n.confirm_by, 0 FROM n JOIN r ON r.ref = n.ref
"""
_SQLITE_REGISTRATION = """
INSERT INTO registrations (ref, list_id, key, state, address, typed, name, locale, registered_at, confirm_by,
  purge_at, wording_id) VALUES (?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?)
"""
_SQLITE_EVIDENCE = """
INSERT INTO evidence (registration_id, fact, at, channel, actor, ip, ip_source, details)
VALUES ((SELECT id FROM registrations WHERE ref = ?1), 'registered', ?2, ?3, ?4, ?5, ?6, ?7)
"""
_SQLITE_OUTBOX = """
INSERT INTO outbox (registration_id, mail, mid, owed_at, due_at, drop_at, tries)
VALUES ((SELECT id FROM registrations WHERE ref = ?1), ?2, ?3, ?4, ?5, ?6, 0)
"""
_PG_BUDGETS = """
UPDATE addresses SET mails = n.mails FROM unnest(%s::bytea[], %s::text[]) AS n(key, mails) WHERE addresses.key = n.key
"""
