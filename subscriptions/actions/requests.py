"""Requests about one's data: made at one's own page or entered at the desk, then answered, extended or refused."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from subscriptions import clock
from subscriptions.actions import Refused
from subscriptions.domain.evidence import Channel
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.policy import FILED, REQUESTS, Policy
from subscriptions.domain.requests import Outcome, RequestKind, Step, due_on, extended_until
from subscriptions.domain.roles import RIGHTS, Right
from subscriptions.domain.texts import marked
from subscriptions.links.purposes import used_hash
from subscriptions.store import accounts, audit, guards, outbox, requests, vacuum
from subscriptions.store.audit import Act
from subscriptions.store.engine import reading, repeated, transaction
from subscriptions.store.models import Counted, Request
from subscriptions.store.trips import trip

DAY = timedelta(days=1)
SETTLED = marked("Someone has settled this request in the meantime.")
TWICE = marked("This request was extended before. The law allows that once.")
LATE = marked("A request can only be extended within its first month.")


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks. `timezone`: of the list, in which a month is counted; `contact`: to whom we write of it."""

    kind: RequestKind
    channel: Channel
    words: str
    list_id: int | None = None
    timezone: str = ""
    key: bytes | None = None
    address: str | None = None
    person: str | None = None
    locale: str = ""
    identity: str = ""
    contact: str | None = None


@repeated
def ask(asked: Asked, mark: bytes, mark_of_contact: bytes, now: datetime) -> Request | datetime:
    """Made at their own page."""
    with transaction() as session:
        return file(session, asked, mark, mark_of_contact, now)


def file(session: Session, asked: Asked, mark: bytes, mark_of_contact: bytes, now: datetime) -> Request | datetime:
    """Made by the person: kept, acknowledged by mail, and told to whom it is made.

    A time: they have made so many today that there is no room for a further one until then. `mark`: what they count by.
    `mark_of_contact`: likewise the emails to that one, whose mailbox nobody can flood by many addresses.
    """
    since, count = guards.add_one(session, Counted.TRIES, mark, now, REQUESTS.period)
    if count > REQUESTS.count:
        return since + REQUESTS.period
    row = _row(asked, now, "")
    session.add(row)
    session.flush()
    _, told = guards.add_one(session, Counted.TRIES, mark_of_contact, now, FILED.period)
    contact = asked.contact if told <= FILED.count else None
    for kind, address in ((MailKind.REQUEST_RECEIVED, row.address), (MailKind.REQUEST_FILED, contact)):
        outbox.owe(session, kind if address else None, now=now, address=address, request_id=row.id)
    return row


@repeated
def enter(asked: Asked, received: datetime, act: Act) -> int:
    """One that came by letter, phone or email, entered at the desk; its number."""
    with transaction() as session:
        row = _row(asked, received, act.actor)
        session.add(row)
        session.flush()
        known = row.address if received == act.at else None  # of a letter of last week no receipt is sent
        outbox.owe(session, MailKind.REQUEST_RECEIVED if known else None, now=act.at, address=known, request_id=row.id)
        audit.write(session, act.of(1, request=row.id))
        return row.id


def _row(asked: Asked, received: datetime, actor: str) -> Request:
    here = received.astimezone(clock.zone_of(asked.timezone))
    names = ("kind", "channel", "words", "list_id", "key", "address", "person", "locale", "identity")
    return Request(**{name: getattr(asked, name) for name in names}, received_at=received, due_on=due_on(here),
                   actor=actor)  # fmt: skip


@repeated
def settle(id_: int, step: Step, words: str, timezone: str, act: Act) -> None:
    """Answer, extend or refuse one that is open; the person is told by mail. Raises Refused where somebody did."""
    with transaction() as session:
        row = requests.find(session, id_, hold=True)
        if row is None or row.outcome is not None:
            raise Refused(SETTLED)
        here = row.received_at.astimezone(clock.zone_of(timezone))
        if step is Step.EXTEND:
            if row.extended_until:
                raise Refused(TWICE)
            if act.at.astimezone(here.tzinfo).date() > row.due_on:
                raise Refused(LATE)
            row.extended_until, row.extended_why = extended_until(here), words
        else:
            row.outcome = Outcome.ANSWERED if step is Step.ANSWER else Outcome.REFUSED
            row.answered_at, row.answer = act.at, words
        kind = _TELLS[step] if row.address else None
        outbox.owe(session, kind, now=act.at, address=row.address, request_id=row.id)
        audit.write(session, act)


_TELLS = {
    Step.ANSWER: MailKind.REQUEST_ANSWERED, Step.EXTEND: MailKind.REQUEST_EXTENDED,
    Step.REFUSE: MailKind.REQUEST_REFUSED,
}  # fmt: skip


def forget(now: datetime, policy: Policy, at_most: int = 500) -> int:
    """Delete requests three years after the end of the year in which they were settled; a batch, how many."""
    with transaction() as session:
        ended = requests.forget_erased(session, now) + requests.over_at(session, policy.settled_before(now), at_most)
        if ended:
            vacuum.due(session)
        return ended


def remind(now: datetime) -> int:
    """Owe an email, once a day, to each account that answers requests, where one that it sees is overdue; how many."""
    with reading() as session:
        ids = [row.id for row in accounts.all_of(session) if not row.disabled_at and Right.PRIVACY in RIGHTS[row.role]]
    return sum(_remind(id_, now) for id_ in ids)


@repeated
def _remind(account_id: int, now: datetime) -> bool:
    with transaction() as session:
        account = accounts.hold(session, account_id)
        if account is None or account.disabled_at or not account.password:
            return False
        _, overdue = requests.number_due(session, now.date(), account.lists)
        if not overdue:
            return False
        today = used_hash(b"requests", f"{account_id} {now.date()}".encode())
        with trip(session) as out:
            fresh = guards.use(out, {today: now + DAY})
        if not fresh():
            return False
        outbox.owe(session, MailKind.REQUESTS_DUE, now=now, address=account.email)
        return True
