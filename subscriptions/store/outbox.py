"""Owed mails: owed in the transaction of the act, taken with a lease, settled in batches; and how they read."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.lifecycle import Subscription as Standing
from subscriptions.domain.mail_kinds import MailKind, SuppressionScope
from subscriptions.domain.refusals import Refusal
from subscriptions.store import outbox_sql as sql
from subscriptions.store.kept import Kept
from subscriptions.store.models import Owed, Registration, Subscription
from subscriptions.store.trips import Connected, Trip, trip

LEASE = timedelta(seconds=60)
NOT_WRITTEN = "it cannot be written"  # how a note begins that is of us; the others are what the relay said
MID = 16  # octets of randomness in a Message-ID
_STANDS = Owed.refusal.is_distinct_from(Refusal.NOTED)


def new_mids(number: int) -> list[str]:
    """Names for mails, the left part of a Message-ID.

    All from one call: at every call the system's randomness hands the interpreter to another thread.
    """
    random = secrets.token_hex(MID * number)
    return [random[at : at + 2 * MID] for at in range(0, len(random), 2 * MID)]


def owe(
    session: Session, mail: MailKind | None, *, now: datetime, due_at: datetime | None = None,
    registration_id: int | None = None, subscription_id: int | None = None, address: str | None = None,
    drop_at: datetime | None = None, request_id: int | None = None, answers: str | None = None,
) -> str:  # fmt: skip
    """Owe a mail, if the step owes one; it is written out when it is sent. `address`: only where no row holds it.

    Gives its name, the left part of its Message-ID.
    """
    if mail is None:
        return ""
    if mail.row.budgeted and due_at is None:
        raise ValueError(f"a mail of kind {mail} leaves when the address's budget says")
    due_at = due_at or now
    about = {"registration_id": registration_id, "subscription_id": subscription_id, "address": address,
             "request_id": request_id, "answers": answers}  # fmt: skip
    times = {"owed_at": now, "due_at": due_at, "drop_at": drop_at or due_at + mail.row.life}
    session.add(Owed(mail=mail.value, mid=(mid := new_mids(1)[0]), tries=0, **about, **times))
    session.flush()
    return mid


def take(of: Connected, me: str, at_most: int, now: datetime) -> list[int]:
    """Take mails that are due: ids that no other process has; the lease ends by itself."""
    with trip(of, last=True) as out:
        taken = out.ask(sql.PG_TAKE if out.is_postgres else sql.SQLITE_TAKE, (now + LEASE, me, now, at_most))
    return [id_ for (id_,) in taken()]


def renew(session: Session, me: str, ids: Sequence[int], now: datetime) -> None:
    """Prolong the lease of mails that wait behind a slow one."""
    session.execute(update(Owed).where(Owed.id.in_(ids), Owed.taken_by == me).values(due_at=now + LEASE))


def give_back(
    session: Session, me: str, now: datetime, ids: Sequence[int] | None = None, note: str | None = None
) -> int:
    """Give these leases of this process back, or all: what it has not sent, another may send at once."""
    mine = update(Owed).where(Owed.taken_by == me, *([] if ids is None else [Owed.id.in_(ids)]))
    values = {"due_at": now, "taken_by": None} | ({"note": note} if note else {})
    return len(session.execute(mine.values(values).returning(Owed.id)).all())


class Member(NamedTuple):
    """One list that a mail is about, as it is now."""

    list_id: int  # 0: no row holds the address but the outbox itself
    wording_id: str | None
    registration_id: int | None
    state: State | None  # of the registration
    confirm_by: datetime | None
    suppression: SuppressionScope | None  # the wider scope where there are several


class Due(NamedTuple):
    """A taken mail with everything that its text needs, as it is now."""

    id: int
    mail: str  # a MailKind, unless a later version owes it
    mid: str
    drop_at: datetime
    tries: int
    registration_id: int | None
    subscription_id: int | None
    key: bytes  # empty: no row holds the address but the outbox itself
    mailbox: bytes | None  # its key, where the address is one spelling of another mailbox
    address: str | None
    name: str | None
    locale: str
    registered_at: datetime
    ref: bytes | None
    subscription_state: Standing | None
    restricted: bool | None
    confirmed_at: datetime | None
    fields: Mapping[str, str] | None
    owed_at: datetime
    refusal: Refusal | None
    refused_at: datetime | None
    note: str | None
    request_id: int | None
    site: str | None  # the host on which the form stood, where that is known
    members: tuple[Member, ...]  # in the order of the form; the mail bears the headers of the first
    kept: Kept | None = None  # what stays, where the mail says so
    told: Mapping[str, Any] | None = None  # numbers, and of which account; or of a request

    @property
    def lead(self) -> Member:
        return self.members[0]

    def is_given_up(self, now: datetime) -> bool:
        """Whether a refusal, which was a while ago, is the last that is to be said of it."""
        return self.refusal is Refusal.NOTED or (self.refusal is not None and self.drop_at <= now)


_UNKNOWN = tuple(Due._field_defaults.values())  # what no row of the outbox says


def read_again(session: Session, ids: Sequence[int], now: datetime) -> list[Due]:
    """The taken mails with the state that they are about, read just before they are written out."""
    found, width = [], len(Member._fields)
    rows = session.connection().execute(sql.READ_AGAIN, {"ids": list(ids), "now": now})
    for _, group in groupby(rows.all(), key=itemgetter(0)):
        first, *others = group
        members = tuple(Member._make(row[-width:]) for row in (first, *others))
        found.append(Due._make((*first[:-width], members, *_UNKNOWN)))
    return found


class Settled(NamedTuple):
    """A mail that is done with. `fact` and `details` (JSON): its evidence, where it leaves any."""

    id: int
    fact: str | None
    details: str | None
    registration_ids: tuple[int | None, ...] = (None,)  # of the lists that it named; none: it hangs on a subscription


def settle(out: Trip, done: Sequence[Settled], now: datetime) -> None:
    """Forget mails and write their evidence, for each list; one that was erased meanwhile leaves none."""
    columns = {"id": "bigint", "registration_id": "bigint", "fact": "text", "details": "text"}
    facts = [(mail.id, of, mail.fact, mail.details) for mail in done if mail.fact for of in mail.registration_ids]
    if out.is_postgres:
        known = [*facts, *((mail.id, None, None, None) for mail in done if not mail.fact)]
        out.with_rows(columns, known, sql.PG_SETTLE, now)
        return
    if facts:
        out.with_rows(columns, facts, sql.SQLITE_SETTLED, now)
    out.ask(f"DELETE FROM outbox WHERE id IN ({', '.join('?' * len(done))})", [mail.id for mail in done])  # noqa: S608


def put_off(session: Session, me: str, id_: int, until: datetime, note: str) -> None:
    """Try this mail again later, unless another has it by now."""
    mine = update(Owed).where(Owed.id == id_, Owed.taken_by == me)
    session.execute(mine.values(due_at=until, taken_by=None, tries=Owed.tries + 1, note=note))


def drop_all(session: Session) -> int:
    """How many waited."""
    return len(session.execute(delete(Owed).returning(Owed.id)).all())


def waiting(session: Session) -> tuple[int, datetime | None]:
    """How many mails are to be sent, and since when the oldest of them is; not those that are as good as given up."""
    count, oldest = session.execute(select(func.count(), func.min(Owed.owed_at)).where(_STANDS)).one()
    return count, oldest


def forget_addresses(session: Session, now: datetime) -> bool:
    """Where the mails pause, an address that stands nowhere else waits no longer than its mail may."""
    over = delete(Owed).where(Owed.address.is_not(None), Owed.drop_at <= now).returning(Owed.id)
    return session.execute(over).first() is not None


def owe_instead(session: Session, ref: bytes, mail: MailKind, other: MailKind) -> None:
    """What this form owes as one kind is owed as another."""
    theirs = select(Registration.id).where(Registration.ref == ref)
    session.execute(update(Owed).where(Owed.registration_id.in_(theirs), Owed.mail == mail).values(mail=other.value))


def hang_elsewhere(session: Session, gone: Collection[int]) -> None:
    """The mail of a form hangs on one of its registrations: where that goes, on the next one that waits."""
    lost = select(Owed, Registration.ref).join(Registration, Registration.id == Owed.registration_id)
    for owed, ref in session.execute(lost.where(Owed.registration_id.in_(gone))):
        of_form = Registration.ref == ref, Registration.state == State.PENDING, Registration.id.not_in(gone)
        other = session.scalar(select(func.min(Registration.id)).where(*of_form))
        owed.registration_id = other or owed.registration_id
    session.flush()


def of_key(session: Session, key: bytes, mail: MailKind, address: str | None = None) -> Owed | None:
    """The first mail of that kind that a row of this address is owed, or the address itself."""
    theirs = or_(
        Owed.address.in_([address]),
        Owed.subscription_id.in_(select(Subscription.id).where(Subscription.key == key)),
        Owed.registration_id.in_(select(Registration.id).where(Registration.key == key)),
    )
    return session.scalars(select(Owed).where(theirs, Owed.mail == mail.value, _STANDS).order_by(Owed.due_at)).first()


def is_owed(session: Session, mail: MailKind, address: str) -> bool:
    """Whether a mail of that kind waits for an address that no row of a person holds."""
    return session.scalar(select(Owed.id).where(Owed.address == address, Owed.mail == mail).limit(1)) is not None


def answered(session: Session, id_: int) -> str | None:
    """The Message-ID of the message that came, to which it is the answer."""
    return session.scalar(select(Owed.answers).where(Owed.id == id_))


def of_subscription(session: Session, id_: int) -> Sequence[Owed]:
    return session.scalars(select(Owed).where(Owed.subscription_id == id_)).all()


def of_registration(session: Session, row: Registration) -> Sequence[Owed]:
    """Those that wait; the mail of a form hangs on the first of its registrations, and is about each."""
    first = select(func.min(Registration.id)).where(Registration.ref == row.ref).scalar_subquery()
    return session.scalars(select(Owed).where(Owed.registration_id.in_([row.id, first]))).all()
