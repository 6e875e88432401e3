"""Taken mails: read with the state that they are about, and written out just before they leave."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from subscriptions.clock import Clock
from subscriptions.domain import seal
from subscriptions.domain.address import parse
from subscriptions.domain.figures import HowOften
from subscriptions.domain.mail_kinds import MailKind, SuppressionScope
from subscriptions.domain.policy import is_wanted, state_at
from subscriptions.domain.roles import RIGHTS, Right
from subscriptions.mail import answers
from subscriptions.mail.compose import Composer
from subscriptions.mail.lines import OutMessage
from subscriptions.store import accounts, outbox, requests, seals, suppressions
from subscriptions.store.engine import Contention, Unavailable, reading
from subscriptions.store.kept import after_erasure
from subscriptions.store.outbox import NOT_WRITTEN, Due, Member

FRESH = timedelta(seconds=5)  # a state read longer ago than this is read anew
_TO_ACCOUNTS = {kind.value for kind in MailKind if kind.row.to_account}
_ANSWERS = {kind.value for kind in MailKind if kind.row.answers}


@dataclass(slots=True)
class Taken:
    """A mail that this process has taken, with its state at `read_at`.

    When it is done with, it was sent (`message`), given up (a `reply` alone), or is no longer wanted (neither).
    """

    due: Due
    read_at: datetime
    message: OutMessage | None = None
    reply: str = ""
    refused: str = ""  # where the relay refused it for good: to which address


class Unwritable(Exception):
    """It fails with this mail, whatever becomes of the others; says how, and nothing of what it holds."""


class Batch:
    """Reads taken mails by their ids, and writes them out."""

    def __init__(self, composer: Composer, clock: Clock) -> None:
        self._composer, self._clock = composer, clock

    @property
    def senders(self) -> set[str]:
        """Whom our mails come from, as a relay is told."""
        return self._composer.senders()

    def read(self, ids: list[int]) -> list[Taken]:
        """In their order; one that was erased meanwhile is not among them. Raises Unwritable if one of them is."""
        now = self._clock.now()
        with _about_mails(), reading() as session:
            return [Taken(self._completed(session, due, now), now) for due in outbox.read_again(session, ids, now)]

    def refresh(self, taken: Taken) -> bool:
        """Make its state as fresh as it must be; whether it is still there."""
        if self._clock.now() - taken.read_at <= FRESH:
            return True
        for now in self.read([taken.due.id]):
            taken.due, taken.read_at, taken.message = now.due, now.read_at, None
            return True
        return False

    def write(self, taken: Taken) -> OutMessage | None:
        """Its text, written once; None where it may leave no more. Raises Unwritable."""
        now = self._clock.now()
        if taken.due.is_given_up(now):
            taken.message, taken.reply = None, taken.due.note or ""
            return None
        with _about_mails():
            taken.due = _narrowed(taken.due, now)
            if not taken.due.members:
                taken.message = None
            elif taken.message is None:  # one that was announced stays the same
                taken.message = self._composer.compose(taken.due, now)
            return taken.message

    def _completed(self, session: Session, due: Due, now: datetime) -> Due:
        """What few mails say; and who is known by a suppression alone gets a key: computed, never kept beside it."""
        if due.mail in _TO_ACCOUNTS:
            return _of_account(session, due, now)
        if due.mail == MailKind.HEAD:
            return due._replace(told={"head": _head(session)})
        if due.mail == MailKind.RETURNS:
            return due._replace(told={"causes": self._composer.risen(session, now)})
        if due.request_id:
            return _of_request(session, due)
        if due.mail in _ANSWERS:
            return answers.completed(session, due)
        erases = due.mail == MailKind.ERASED.value
        if due.address is None or (due.key and not erases):
            return due
        links, folded = self._composer.links, parse(due.address).folded
        key, mailbox = links.key(folded), links.mailbox_key(folded)
        if erases:
            return due._replace(kept=after_erasure(session, key, now, self._composer.policy, mailbox))
        standing = suppressions.active(session, key, now, mailbox)
        scopes = [SuppressionScope.ALL if no.is_never else SuppressionScope.CONFIRMATIONS for no in standing]
        member = due.lead._replace(suppression=min(scopes, default=None))
        return due._replace(key=key, mailbox=mailbox, members=(member,))


def _of_account(session: Session, due: Due, now: datetime) -> Due:
    """In the account's language; about nothing, where it has ended, or wants no numbers any more.

    What its address has said as a subscriber is not asked for, nor is its key: this mail is about none.
    """
    account = accounts.by_email(session, due.address or "")
    if account is None or account.disabled_at:
        return due._replace(members=())
    due = due._replace(locale=account.locale or "")
    if due.mail == MailKind.REQUESTS_DUE:
        _, overdue = requests.number_due(session, now.date(), account.lists)
        told = {"number": overdue} if overdue and Right.PRIVACY in RIGHTS[account.role] else None
        return due._replace(told=told) if told else due._replace(members=())
    if due.mail != MailKind.NUMBERS:
        return due
    if account.numbers is HowOften.NEVER or "says" not in (account.told or {}):
        return due._replace(members=())
    head = _head(session) if account.numbers is HowOften.WEEKLY else ""
    return due._replace(told={**(account.told or {}), "account": account.id, "head": head})


def _head(session: Session) -> str:
    """That of the evidence, as it was noted this week."""
    last = seals.told_last(session)
    return seal.head(last) if last else ""


def _of_request(session: Session, due: Due) -> Due:
    """From the list whose controller is asked; about nothing, where the request has ended."""
    row = requests.find(session, due.request_id or 0)
    if row is None:
        return due._replace(members=())
    told = {"number": row.id, "due": row.until, "why": row.extended_why or ""}
    told |= {"why": row.answer or ""} if row.outcome else {}
    to_us = due.mail == MailKind.REQUEST_FILED  # in the language of the list
    key, locale = (due.key, "") if to_us else (row.key or due.key, row.locale)
    members = (due.lead._replace(list_id=row.list_id or 0),)
    return due._replace(key=key, told=told, locale=locale, members=members)


@contextmanager
def _about_mails() -> Iterator[None]:
    """What fails within is the mails' fault, unless the database is away."""
    try:
        yield
    except (Unavailable, Contention):
        raise
    except Exception as error:
        raise Unwritable(f"{NOT_WRITTEN}: {type(error).__name__}") from error


def _narrowed(due: Due, now: datetime) -> Due:
    """The mail, about the lists that it may still be about; none: it may leave no more.

    Asked of the states as they are now: an erased, blocked or suppressed person is not mailed.
    """
    if due.drop_at <= now:  # also one of a kind that only a later version knows
        return due._replace(members=())
    kind, restricted = MailKind(due.mail), bool(due.restricted)
    if kind.row.to_operator:  # about nobody
        return due

    def is_due(member: Member) -> bool:
        state = state_at(member.state, member.confirm_by, now) if member.state and member.confirm_by else None
        standing = due.subscription_state
        return is_wanted(kind, state, standing, restricted=restricted, suppression=member.suppression)

    wanted = tuple(filter(is_due, due.members)) if due.address is not None else ()
    return due if len(wanted) == len(due.members) else due._replace(members=wanted)
