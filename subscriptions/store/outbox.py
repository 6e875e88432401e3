"""Owed mails: owed in the transaction of the act, taken with a lease, settled in batches."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import and_, bindparam, delete, func, literal, or_, select, update
from sqlalchemy.orm import Session

from subscriptions.domain.lifecycle import Mail
from subscriptions.store.models import Owed, Registration, Subscription, Suppression
from subscriptions.store.types import UtcDateTime, sqlite_text

LEASE = timedelta(seconds=60)
LIFE = timedelta(hours=24)  # of a mail that says nothing else: as long as that, and it is sent
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
            drop_at=drop_at or now + LIFE,
            registration_id=registration_id,
            subscription_id=subscription_id,
            tries=0,
            address=address,
        )
    )
    session.flush()


def take(session: Session, me: str, at_most: int, now: datetime) -> list[int]:
    """Take mails that are due: ids that no other process has; the lease ends by itself."""
    due = select(_o.id).where(_o.due_at <= now).order_by(_o.due_at).limit(at_most).with_for_update(skip_locked=True)
    connection = session.connection()
    ids = list(connection.execute(due).scalars())
    if ids:
        connection.execute(_take, {"ids": ids, "until": now + LEASE, "me": me})
    return ids


def renew(session: Session, me: str, ids: Sequence[int], now: datetime) -> None:
    """Prolong the lease of mails that wait behind a slow one."""
    session.execute(update(Owed).where(Owed.id.in_(ids), Owed.taken_by == me).values(due_at=now + LEASE))


def give_back(session: Session, me: str, now: datetime) -> int:
    """Give every lease of this process back: what a process that ends has not sent, another may send at once."""
    mine = session.execute(update(Owed).where(Owed.taken_by == me).values(due_at=now, taken_by=None).returning(Owed.id))
    return len(mine.all())


class Member(NamedTuple):
    """One list that a mail is about, as it is now."""

    list_id: int  # 0: no row holds the address but the outbox itself
    wording_id: str | None
    registration_id: int | None
    state: str | None  # of the registration
    confirm_by: datetime | None
    suppression: str | None  # the wider scope where there are several


class Due(NamedTuple):
    """A taken mail with everything that its text needs, as it is now."""

    id: int
    mail: str
    mid: str
    drop_at: datetime
    tries: int
    registration_id: int | None
    subscription_id: int | None
    key: bytes  # empty: no row holds the address but the outbox itself
    address: str | None
    name: str | None
    locale: str
    registered_at: datetime
    ref: bytes | None
    subscription_state: str | None
    restricted: bool | None
    confirmed_at: datetime | None
    proof_until: datetime | None
    fields: Mapping[str, str] | None
    owed_at: datetime
    members: tuple[Member, ...]  # in the order of the form; the mail bears the headers of the first

    @property
    def lead(self) -> Member:
        return self.members[0]


def read_again(session: Session, ids: Sequence[int], now: datetime) -> list[Due]:
    """The taken mails with the state that they are about, read just before they are written out."""
    found: dict[int, Due] = {}
    for row in session.connection().execute(_read_again, {"ids": list(ids), "now": now}):
        id_, member = row[0], Member._make(row[-len(Member._fields) :])
        known = found.get(id_)
        if known is None:
            found[id_] = Due._make((*row[: -len(Member._fields)], (member,)))
        else:
            found[id_] = known._replace(members=(*known.members, member))
    return list(found.values())


class Settled(NamedTuple):
    """A mail that is done with. `fact` and `details` (JSON): its evidence, where it leaves any."""

    id: int
    fact: str | None
    details: str | None
    registration_ids: tuple[int | None, ...] = (None,)  # of the lists that it named; none: it hangs on a subscription


def settle(session: Session, done: Sequence[Settled], now: datetime) -> None:
    """Forget mails and write their evidence, for each list; one that was erased meanwhile leaves none."""
    run = session.connection().exec_driver_sql
    ids = [one.id for one in done]
    facts = [(one.id, of, one.fact, one.details) for one in done if one.fact for of in one.registration_ids]
    if session.get_bind().dialect.name == "postgresql":
        columns = [[*column] for column in zip(*facts, strict=True)] or [[]] * 4
        run(_PG_SETTLE, (*columns, ids, now))
        return
    if facts:
        rows = ", ".join(["(?, ?, ?, ?)"] * len(facts))
        run(_SQLITE_SETTLED.format(rows), (*(value for one in facts for value in one), sqlite_text(now)))
    run(f"DELETE FROM outbox WHERE id IN ({', '.join('?' * len(ids))})", tuple(ids))  # noqa: S608


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
    """Those that wait; the mail of a form hangs on the first of its registrations, and is about each."""
    first = select(func.min(Registration.id)).where(Registration.ref == row.ref).scalar_subquery()
    return session.scalars(select(Owed).where(Owed.registration_id.in_([row.id, first]))).all()


# Statements of the hot path, on the tables themselves: measured, the same through the mapper costs three times as much.
_o, _r, _s, _p = (table.__table__.c for table in (Owed, Registration, Subscription, Suppression))
_NOW = bindparam("now", type_=UtcDateTime)
_take = (
    update(Owed.__table__)
    .where(_o.id.in_(bindparam("ids", expanding=True)))
    .values(due_at=bindparam("until", type_=UtcDateTime), taken_by=bindparam("me"))
)
_hangs_on = Registration.__table__.alias()  # one registration of a form, and `_r` are those that its mail is about
_h = _hangs_on.c
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
        _o.id, _o.mail, _o.mid, _o.drop_at, _o.tries, _o.registration_id, _o.subscription_id, _key,
        func.coalesce(_r.address, _s.address, _o.address), func.coalesce(_r.name, _s.name),
        func.coalesce(_r.locale, _s.locale, ""),
        func.coalesce(_r.registered_at, _s.registered_at, _o.owed_at), _r.ref,
        _s.state, _s.restricted, _s.confirmed_at, _s.proof_until, func.coalesce(_r.fields, _s.fields), _o.owed_at,
        _list_id, _agreed, _r.id, _r.state, _r.confirm_by, _suppression,
    )
    .outerjoin_from(Owed.__table__, _hangs_on, _h.id == _o.registration_id)
    .outerjoin(
        Registration.__table__, and_(_r.ref == _h.ref, or_(_r.id == _h.id, _o.mail == Mail.CONFIRM.value))
    )
    .outerjoin(Subscription.__table__, _s.id == _o.subscription_id)
    .where(_o.id.in_(bindparam("ids", expanding=True)))
    .order_by(_o.id, _r.id)
)  # fmt: skip
_PG_SETTLE = """
WITH n AS (
  SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[]) AS n(id, registration_id, fact, details)
), gone AS (
  DELETE FROM outbox WHERE id = ANY(%s::bigint[]) RETURNING id, subscription_id
), named AS (
  SELECT id FROM registrations WHERE id IN (SELECT registration_id FROM n) FOR KEY SHARE
)
INSERT INTO evidence (registration_id, subscription_id, fact, at, channel, details)
SELECT n.registration_id, gone.subscription_id, n.fact, %s, 'relay', n.details::json
FROM n JOIN gone USING (id) LEFT JOIN named ON named.id = n.registration_id
WHERE n.registration_id IS NULL OR named.id IS NOT NULL
"""
_SQLITE_SETTLED = """
WITH n(id, registration_id, fact, details) AS (VALUES {})
INSERT INTO evidence (registration_id, subscription_id, fact, at, channel, details)
SELECT n.registration_id, o.subscription_id, n.fact, ?, 'relay', n.details FROM n JOIN outbox o ON o.id = n.id
WHERE n.registration_id IS NULL OR EXISTS (SELECT 1 FROM registrations r WHERE r.id = n.registration_id)
"""
