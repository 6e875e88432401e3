"""The statements of the hot path of mails, on the tables themselves; `outbox` says what they are for.

Measured, the same through the mapper costs three times as much.
"""

from sqlalchemy import and_, bindparam, case, func, literal, or_, select

from subscriptions.domain.evidence import Fact
from subscriptions.domain.mail_kinds import MailKind, SuppressionScope
from subscriptions.store.models import Evidence, Owed, Registration, Subscription, Suppression
from subscriptions.store.suppressions import in_force
from subscriptions.store.types import UtcDateTime

_o, _r, _s, _p, _e = (table.__table__.c for table in (Owed, Registration, Subscription, Suppression, Evidence))
_NOW = bindparam("now", type_=UtcDateTime)
_hangs_on = Registration.__table__.alias()  # one registration of a form, and `_r` are those that its mail is about
_h = _hangs_on.c
_list_id, _key = func.coalesce(_r.list_id, _s.list_id, 0), func.coalesce(_r.key, _s.key, literal(b""))
_mailbox = func.coalesce(_r.mailbox, _s.mailbox)
_of_one = _o.mail.not_in([kind.value for kind in MailKind if kind.row.of_all])
_other = literal(SuppressionScope.CONFIRMATIONS, _p.scope.type)  # what one of another spelling counts as
_suppression = (
    # "all" comes before "confirmations"; of one controller, it does not stop what speaks for all of them
    select(func.min(case((and_(_p.key == _key, or_(_p.list_id.is_(None), _of_one)), _p.scope), else_=_other)))
    .where(
        # by its own key as well: what was signed up before 0.4.0 names no mailbox
        or_(_p.key == _key, _p.mailbox.in_([_key, func.coalesce(_mailbox, _key)])),
        or_(_p.list_id.is_(None), _p.list_id == _list_id),
        in_force(_NOW),
    )
    .scalar_subquery()
)
# where the form stood, which its evidence tells
_site = (
    select(_e.details["site"].as_string())
    .where(_e.registration_id == _h.id, _e.fact == Fact.REGISTERED)
    .limit(1)
    .scalar_subquery()
)
_of_form = [_o.mail == kind.value for kind in MailKind if kind.row.of_form]
READ_AGAIN = (
    select(
        _o.id, _o.mail, _o.mid, _o.drop_at, _o.tries, _o.registration_id, _o.subscription_id, _key,
        _mailbox,
        func.coalesce(_r.address, _s.address, _o.address), func.coalesce(_r.name, _s.name),
        func.coalesce(_r.locale, _s.locale, ""),
        func.coalesce(_r.registered_at, _s.registered_at, _o.owed_at), _r.ref,
        _s.state, _s.restricted, _s.confirmed_at, func.coalesce(_r.fields, _s.fields), _o.owed_at,
        _o.refusal, _o.refused_at, _o.note, _o.request_id, _site,
        _list_id, func.coalesce(_r.wording_id, _s.wording_id), _r.id, _r.state, _r.confirm_by, _suppression,
    )
    .outerjoin_from(Owed.__table__, _hangs_on, _h.id == _o.registration_id)
    .outerjoin(
        Registration.__table__, and_(_r.ref == _h.ref, or_(_r.id == _h.id, *_of_form))
    )
    .outerjoin(Subscription.__table__, _s.id == _o.subscription_id)
    .where(_o.id.in_(bindparam("ids", expanding=True)))
    .order_by(_o.id, _r.id)
)  # fmt: skip
PG_TAKE = """
UPDATE outbox SET due_at = ?, taken_by = ?
WHERE id = ANY(ARRAY(SELECT id FROM outbox WHERE due_at <= ? ORDER BY due_at LIMIT ? FOR UPDATE SKIP LOCKED))
RETURNING id
"""
SQLITE_TAKE = PG_TAKE.replace("= ANY(ARRAY(", "IN (").replace(" FOR UPDATE SKIP LOCKED))", ")")
PG_SETTLE = """
, gone AS (
  DELETE FROM outbox WHERE id = ANY(ARRAY(SELECT id FROM n)) RETURNING id, subscription_id
), named AS (
  SELECT id FROM registrations WHERE id IN (SELECT registration_id FROM n) FOR KEY SHARE
)
INSERT INTO evidence (registration_id, subscription_id, fact, at, channel, details)
SELECT n.registration_id, gone.subscription_id, n.fact, ?, 'relay', n.details::json
FROM n JOIN gone USING (id) LEFT JOIN named ON named.id = n.registration_id
WHERE n.fact IS NOT NULL AND (n.registration_id IS NULL OR named.id IS NOT NULL) ORDER BY n.id, n.registration_id
"""
SQLITE_SETTLED = """
INSERT INTO evidence (registration_id, subscription_id, fact, at, channel, details)
SELECT n.registration_id, o.subscription_id, n.fact, ?, 'relay', n.details FROM n JOIN outbox o ON o.id = n.id
WHERE n.registration_id IS NULL OR EXISTS (SELECT 1 FROM registrations r WHERE r.id = n.registration_id)
"""
KEEP = """
INSERT INTO letters (id, source, made_at) VALUES (?, ?, ?)
ON CONFLICT (id) DO UPDATE SET made_at = excluded.made_at WHERE letters.made_at <= ?
"""
_UNNAMED = """
SELECT id FROM letters WHERE made_at <= ?
  AND NOT EXISTS (SELECT 1 FROM evidence e WHERE e.fact = 'mailed' AND {template} = letters.id) LIMIT ?
"""
PG_FORGET = f"""
DELETE FROM letters WHERE id = ANY(ARRAY({_UNNAMED.format(template="e.details ->> 'template'")} FOR UPDATE SKIP LOCKED))
RETURNING id
"""  # noqa: S608 ours
# as its index has it: the template comes first in the JSON of whatever was mailed since 0.4.0
_SQLITE_TEMPLATE = """
CASE substr(e.details, 1, 14) WHEN '{"template": "' THEN substr(e.details, 15, 16)
ELSE json_extract(e.details, '$.template') END
"""
SQLITE_FORGET = f"""
DELETE FROM letters WHERE id IN ({_UNNAMED.format(template=_SQLITE_TEMPLATE)}) RETURNING id
"""  # noqa: S608
