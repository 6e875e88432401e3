"""Owed mails: owed in the transaction of the act, taken with a lease, settled in batches."""

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, delete, func, literal, or_, select, update
from sqlalchemy.orm import Session

from subscriptions.domain.lifecycle import Mail
from subscriptions.store import groups
from subscriptions.store.models import Owed, Registration, Subscription, Suppression
from subscriptions.store.types import UtcDateTime, sqlite_text

LEASE = timedelta(seconds=60)
MID = 16  # octets of randomness in a Message-ID


def new_mids(number: int) -> list[str]:
    """Names for mails, the left part of a Message-ID.

    All from one call: at every call the system's randomness hands the interpreter to another thread.
    """
    random = secrets.token_hex(MID * number)
    return [random[at : at + 2 * MID] for at in range(0, len(random), 2 * MID)]


def owe(
    session: Session,
    mail: Mail | None,
    *,
    now: datetime,
    due_at: datetime | None = None,
    drop_at: datetime | None = None,
    registration_id: int | None = None,
    subscription_id: int | None = None,
    address: str | None = None,
) -> None:
    """Owe a mail, if the step owes one; it is written out when it is sent. `address`: only where no row holds it."""
    if mail is None:
        return
    session.add(
        Owed(
            mail=mail.value,
            mid=new_mids(1)[0],
            owed_at=now,
            due_at=due_at or now,
            drop_at=drop_at or now + timedelta(hours=24),
            registration_id=registration_id,
            subscription_id=subscription_id,
            tries=0,
            address=address,
        )
    )
    session.flush()


def take(session: Session, me: str, at_most: int, now: datetime) -> list[int]:
    """Take mails that are due: ids that no other process has; the lease ends by itself."""
    run = session.connection().exec_driver_sql
    if session.get_bind().dialect.name == "postgresql":
        return list(run(_PG_TAKE, (now + LEASE, me, now, at_most)).scalars())
    return list(run(_SQLITE_TAKE, (sqlite_text(now + LEASE), me, sqlite_text(now), at_most)).scalars())


def renew(session: Session, me: str, ids: Sequence[int], now: datetime) -> None:
    """Prolong the lease of mails that wait behind a slow one."""
    session.execute(update(Owed).where(Owed.id.in_(ids), Owed.taken_by == me).values(due_at=now + LEASE))


def give_back(session: Session, me: str, now: datetime) -> int:
    """Give every lease of this process back: what a process that ends has not sent, another may send at once."""
    mine = session.execute(update(Owed).where(Owed.taken_by == me).values(due_at=now, taken_by=None).returning(Owed.id))
    return len(mine.all())


class Due(NamedTuple):
    """A taken mail with everything that its text needs, as it is now."""

    id: int
    mail: str
    mid: str
    drop_at: datetime
    tries: int
    registration_id: int | None
    subscription_id: int | None
    list_id: int  # 0, and an empty key: no row holds the address but the outbox itself
    key: bytes
    address: str | None
    name: str | None
    locale: str
    registered_at: datetime
    wording_id: str | None
    ref: bytes | None
    registration_state: str | None
    confirm_by: datetime | None
    subscription_state: str | None
    restricted: bool | None
    confirmed_at: datetime | None
    proof_until: datetime | None
    suppression: str | None  # the wider scope where there are several
    fields: Mapping[str, str] | None
    group_ref: bytes | None
    owed_at: datetime
    group: tuple[groups.Member, ...]  # the lists of its form, where there are several


def read_again(session: Session, ids: Sequence[int], now: datetime) -> list[Due]:
    """The taken mails with the state that they are about, read just before they are written out."""
    rows = session.connection().execute(_read_again, {"ids": list(ids), "now": now})
    found = [Due._make((*row, ())) for row in rows]
    refs = {due.group_ref for due in found if due.group_ref}
    members = groups.members(session, refs, now) if refs else {}
    return [due._replace(group=members.get(due.group_ref, ())) if due.group_ref else due for due in found]


class Settled(NamedTuple):
    """A mail that is done with. `fact` and `details` (JSON): its evidence, where it leaves any."""

    id: int
    fact: str | None
    details: str | None
    group: tuple[int, ...] = ()  # the registrations that it named, where it named several lists


def settle(session: Session, done: Sequence[Settled], now: datetime) -> None:
    """Forget mails and write their evidence; one that was erased meanwhile leaves none."""
    for one in done:
        if one.group and one.fact and one.details:
            groups.note(session, one.id, one.group, one.fact, one.details, now)
    done = [one._replace(fact=None) if one.group else one for one in done]
    run = session.connection().exec_driver_sql
    if session.get_bind().dialect.name == "postgresql":
        rows = ",".join(f"[{one.id},{json.dumps(one.fact)},{one.details or 'null'}]" for one in done)
        run(_PG_SETTLE, (f"[{rows}]", now))
        return
    ids, at = tuple(one.id for one in done), sqlite_text(now)
    marks = ", ".join("?" * len(ids))
    facts = [one for one in done if one.fact]
    if facts:
        marked = ", ".join(["(?, ?, ?)"] * len(facts))
        values = tuple(value for one in facts for value in (one.id, one.fact, one.details))
        run(_SQLITE_SETTLED.format(marked), (*values, at))
    run(f"DELETE FROM outbox WHERE id IN ({marks})", ids)  # noqa: S608


def put_off(session: Session, me: str, id_: int, until: datetime, note: str, *, counts: bool) -> None:
    """Try this mail again later, unless another has it by now; `counts` unless the relay was at fault as a whole."""
    tries = Owed.tries + 1 if counts else Owed.tries
    mine = update(Owed).where(Owed.id == id_, Owed.taken_by == me)
    session.execute(mine.values(due_at=until, taken_by=None, tries=tries, note=note))


def waiting(session: Session) -> tuple[int, datetime | None]:
    """How many mails are owed, and since when the oldest of them is."""
    count, oldest = session.execute(select(func.count(), func.min(Owed.owed_at)).select_from(Owed)).one()
    return count, oldest


def forget_addresses(session: Session, now: datetime) -> bool:
    """Where the mails pause, an address that stands nowhere else waits no longer than its mail may."""
    over = delete(Owed).where(Owed.address.is_not(None), Owed.drop_at <= now).returning(Owed.id)
    return session.execute(over).first() is not None


def of_key(session: Session, key: bytes, mail: Mail) -> Owed | None:
    """The first mail of that kind that a row of this address is owed."""
    theirs = or_(
        Owed.subscription_id.in_(select(Subscription.id).where(Subscription.key == key)),
        Owed.registration_id.in_(select(Registration.id).where(Registration.key == key)),
    )
    return session.scalars(select(Owed).where(theirs, Owed.mail == mail.value).order_by(Owed.due_at)).first()


def of_subscription(session: Session, id_: int) -> Sequence[Owed]:
    return session.scalars(select(Owed).where(Owed.subscription_id == id_)).all()


def of_registration(session: Session, row: Registration) -> Sequence[Owed]:
    """Those that wait; the mail for several lists of a form hangs on the first of them."""
    first = select(Registration.id).where(Registration.ref == row.link_ref).scalar_subquery()
    return session.scalars(select(Owed).where(Owed.registration_id.in_([row.id, first]))).all()


# Statements of the hot path, on the tables themselves: measured, the same through the mapper costs three times as much.
_o, _r, _s, _p = (table.__table__.c for table in (Owed, Registration, Subscription, Suppression))
_NOW = bindparam("now", type_=UtcDateTime)
_list_id, _key = func.coalesce(_r.list_id, _s.list_id, 0), func.coalesce(_r.key, _s.key, literal(b""))
_suppression = (
    select(func.min(_p.scope))  # "all" comes before "ask"
    .where(_p.key == _key, or_(_p.list_id.is_(None), _p.list_id == _list_id), or_(_p.until.is_(None), _p.until > _NOW))
    .scalar_subquery()
)
_first = Registration.__table__.alias()
_opening = select(_first.c.wording_id).where(_first.c.subscription_id == _s.id).order_by(_first.c.id).limit(1)
_agreed = func.coalesce(_r.wording_id, _opening.scalar_subquery())  # of a chapter: the wording that opened it
_read_again = (
    select(
        _o.id, _o.mail, _o.mid, _o.drop_at, _o.tries, _o.registration_id, _o.subscription_id, _list_id, _key,
        func.coalesce(_r.address, _s.address, _o.address), func.coalesce(_r.name, _s.name),
        func.coalesce(_r.locale, _s.locale, ""),
        func.coalesce(_r.registered_at, _s.registered_at, _o.owed_at), _agreed, _r.ref, _r.state, _r.confirm_by,
        _s.state, _s.restricted, _s.confirmed_at, _s.proof_until, _suppression,
        func.coalesce(_r.fields, _s.fields), _r.group_ref, _o.owed_at,
    )
    .outerjoin_from(Owed.__table__, Registration.__table__, _r.id == _o.registration_id)
    .outerjoin(Subscription.__table__, _s.id == _o.subscription_id)
    .where(_o.id.in_(bindparam("ids", expanding=True)))
    .order_by(_o.id)
)  # fmt: skip
_PG_TAKE = """
UPDATE outbox SET due_at = %s, taken_by = %s
WHERE id = ANY(ARRAY(SELECT id FROM outbox WHERE due_at <= %s ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED))
RETURNING id
"""
_SQLITE_TAKE = """
UPDATE outbox SET due_at = ?, taken_by = ?
WHERE id IN (SELECT id FROM outbox WHERE due_at <= ? ORDER BY due_at LIMIT ?)
RETURNING id
"""
# one parameter: psycopg writes arrays of text in Python, which costs more than all the rest of a settle
_PG_SETTLE = """
WITH n AS (
  SELECT (one->>0)::bigint AS id, one->>1 AS fact, one->2 AS details FROM json_array_elements(%s::json) AS one
), gone AS (
  DELETE FROM outbox o USING n WHERE o.id = n.id RETURNING o.id, o.registration_id, o.subscription_id
)
INSERT INTO evidence (registration_id, subscription_id, fact, at, channel, details)
SELECT gone.registration_id, gone.subscription_id, n.fact, %s, 'relay', n.details
FROM gone JOIN n ON n.id = gone.id WHERE n.fact IS NOT NULL
"""
_SQLITE_SETTLED = """
WITH n(id, fact, details) AS (VALUES {})
INSERT INTO evidence (registration_id, subscription_id, fact, at, channel, details)
SELECT o.registration_id, o.subscription_id, n.fact, ?, 'relay', n.details FROM n JOIN outbox o ON o.id = n.id
"""
