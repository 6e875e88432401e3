"""The statements of the hot path, one set for each database; `signups` says what they are for."""

from collections.abc import Mapping

PG_ADDRESSES = """
INSERT INTO addresses (key, asked, mails)
SELECT a.key, a.asked, '' FROM unnest(%s::bytea[], %s::int[]) AS a(key, asked)
ON CONFLICT (key) DO UPDATE SET asked = addresses.asked + excluded.asked
RETURNING key, mails
"""
SQLITE_ADDRESSES = """
INSERT INTO addresses (key, asked, mails) VALUES {}
ON CONFLICT (key) DO UPDATE SET asked = asked + excluded.asked
"""
SEE = """
SELECT 's', s.key, s.list_id, 0, NULL, false FROM suppressions s
WHERE s.key {among} AND (s.until IS NULL OR s.until > {now})
UNION ALL
SELECT 'o', s.key, s.list_id, s.id, s.notified_at, s.restricted FROM subscriptions s
WHERE s.key {among} AND s.state = 'confirmed'
UNION ALL
SELECT 'p', r.key, r.list_id, 0, NULL, false
FROM (SELECT key, list_id, state, confirm_by FROM registrations WHERE key {among} {first}) r
WHERE r.state = 'pending' AND r.confirm_by > {now}
"""
# OFFSET 0: the rows of the keys first. Without statistics PostgreSQL would read all that are pending, by the index of
# `confirm_by`, and measured that was a third of a batch's time at 5,000 of them.
PG_SEE = SEE.format(among="= ANY(%s::bytea[])", now="%s", first="OFFSET 0").replace(
    "NULL, false", "NULL::timestamptz, false"
)
SQLITE_SEE = SEE.format(among="IN (VALUES {keys})", now="?1", first="")


def _unnested(columns: Mapping[str, str]) -> str:
    arrays = ", ".join(f"%s::{type_}[]" for type_ in columns.values())
    return f"SELECT * FROM unnest({arrays}) AS n({', '.join(columns)})"  # noqa: S608 names of ours


COLUMNS = {
    "ref": "bytea", "list_id": "int", "key": "bytea", "address": "text", "typed": "text", "name": "text",
    "locale": "text", "registered_at": "timestamptz", "confirm_by": "timestamptz", "purge_at": "timestamptz",
    "wording_id": "text", "channel": "text", "actor": "text", "ip": "text", "ip_source": "text", "details": "text",
    "mail": "text", "mid": "text", "due_at": "timestamptz", "fields": "text",
}  # fmt: skip
PG_REMEMBER = f"""
WITH n AS (
  {_unnested(COLUMNS)}
), r AS (
  INSERT INTO registrations (ref, list_id, key, state, address, typed, name, locale, registered_at, confirm_by,
    purge_at, wording_id, fields)
  SELECT ref, list_id, key, 'pending', address, typed, name, locale, registered_at, confirm_by, purge_at, wording_id,
    fields::json
  FROM n RETURNING id, ref, list_id
), e AS (
  INSERT INTO evidence (registration_id, fact, at, channel, actor, ip, ip_source, details)
  SELECT r.id, 'registered', n.registered_at, n.channel, n.actor, n.ip, n.ip_source, n.details::json
  FROM n JOIN r USING (ref, list_id)
)
INSERT INTO outbox (mail, mid, registration_id, owed_at, due_at, drop_at, tries)
SELECT n.mail, n.mid, r.id, n.registered_at, n.due_at, n.confirm_by, 0 FROM n JOIN r USING (ref, list_id)
WHERE n.mail IS NOT NULL
"""  # noqa: S608
SQLITE_REGISTRATION = (
    "INSERT INTO registrations (ref, list_id, key, address, typed, name, locale, registered_at, confirm_by, "
    "purge_at, wording_id, fields, state) VALUES ",
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending')",
)
SQLITE_EVIDENCE = (
    "INSERT INTO evidence (registration_id, at, channel, actor, ip, ip_source, details, fact) VALUES ",
    "((SELECT id FROM registrations WHERE ref = ? AND list_id = ?), ?, ?, ?, ?, ?, ?, 'registered')",
)
SQLITE_OUTBOX = (
    "INSERT INTO outbox (registration_id, mail, mid, owed_at, due_at, drop_at, tries) VALUES ",
    "((SELECT id FROM registrations WHERE ref = ? AND list_id = ?), ?, ?, ?, ?, ?, 0)",
)
SQLITE_BUDGETS = """
WITH n(key, mails) AS (VALUES {}) UPDATE addresses SET mails = n.mails FROM n WHERE addresses.key = n.key
"""
PG_BUDGETS = """
UPDATE addresses SET mails = n.mails FROM unnest(%s::bytea[], %s::text[]) AS n(key, mails) WHERE addresses.key = n.key
"""
NOTIFIED = {
    "subscription_id": "bigint", "fact": "text", "channel": "text", "actor": "text", "details": "text", "mail": "text",
    "mid": "text", "due_at": "timestamptz",
}  # fmt: skip
PG_NOTIFY = f"""
WITH n AS (
  {_unnested(NOTIFIED)}
), s AS (
  UPDATE subscriptions SET notified_at = %s FROM n WHERE id = n.subscription_id
), e AS (
  INSERT INTO evidence (subscription_id, fact, at, channel, actor, details)
  SELECT subscription_id, fact, %s, channel, actor, details::json FROM n
)
INSERT INTO outbox (mail, mid, subscription_id, owed_at, due_at, drop_at, tries)
SELECT mail, mid, subscription_id, %s, due_at, %s, 0 FROM n
"""  # noqa: S608
SQLITE_ASKED_AGAIN = (
    "INSERT INTO evidence (subscription_id, fact, at, channel, actor, details) VALUES ",
    "(?, ?, ?, ?, ?, ?)",
)
SQLITE_NOTIFY = (
    "INSERT INTO outbox (subscription_id, mail, mid, owed_at, due_at, drop_at, tries) VALUES ",
    "(?, ?, ?, ?, ?, ?, 0)",
)
