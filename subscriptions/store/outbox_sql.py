"""The statements of the outbox as the databases read them: each database in its own words."""

PG_TAKE = """
UPDATE outbox SET due_at = %s, taken_by = %s
WHERE id = ANY(ARRAY(SELECT id FROM outbox WHERE due_at <= %s ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED))
RETURNING id
"""
SQLITE_TAKE = """
UPDATE outbox SET due_at = ?, taken_by = ?
WHERE id IN (SELECT id FROM outbox WHERE due_at <= ? ORDER BY due_at LIMIT ?)
RETURNING id
"""
# one parameter: psycopg writes arrays of text in Python, which costs more than all the rest of a settle
PG_SETTLE = """
WITH n AS (
  SELECT (one->>0)::bigint AS id, (one->>1)::bigint AS registration_id, one->>2 AS fact, one->3 AS details, nth
  FROM json_array_elements(%s::json) WITH ORDINALITY AS all_of(one, nth)
), gone AS (
  DELETE FROM outbox WHERE id = ANY(ARRAY(SELECT id FROM n)) RETURNING id, subscription_id
), named AS (
  SELECT id FROM registrations WHERE id IN (SELECT registration_id FROM n) FOR KEY SHARE
)
INSERT INTO evidence (registration_id, subscription_id, fact, at, channel, details)
SELECT n.registration_id, gone.subscription_id, n.fact, %s, 'relay', n.details
FROM n JOIN gone USING (id) LEFT JOIN named ON named.id = n.registration_id
WHERE n.fact IS NOT NULL AND (n.registration_id IS NULL OR named.id IS NOT NULL) ORDER BY n.nth
"""
SQLITE_SETTLED = """
WITH n(id, registration_id, fact, details) AS (VALUES {})
INSERT INTO evidence (registration_id, subscription_id, fact, at, channel, details)
SELECT n.registration_id, o.subscription_id, n.fact, ?, 'relay', n.details FROM n JOIN outbox o ON o.id = n.id
WHERE n.registration_id IS NULL OR EXISTS (SELECT 1 FROM registrations r WHERE r.id = n.registration_id)
"""
