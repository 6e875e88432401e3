"""Wishes that came by mail: to leave, to be erased, not to have been meant; and the one mail that asks back.

All of it happens in the transaction of `arrived.once`, so a message acts once.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from subscriptions.actions import leave, preferences, requests, suppress
from subscriptions.actions.leave import Withdrawal
from subscriptions.actions.requests import Asked
from subscriptions.domain.address import parsed
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Event
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.policy import TYPED, TYPED_IN_PEACE, Policy
from subscriptions.domain.requests import RequestKind
from subscriptions.links import Links, NotMe
from subscriptions.links.purposes import used_hash
from subscriptions.store import addresses, guards, outbox, subscriptions, suppressions
from subscriptions.store.lists import parties
from subscriptions.store.models import List, Request, Subscription
from subscriptions.store.trips import trip

CLOCKS_DIFFER = timedelta(days=1)  # of people's computers from ours
ONE_ANSWER = timedelta(days=7)  # of a kind, to an address (RFC 3834, 2)


@dataclass(frozen=True, slots=True)
class Message:
    """What counts of one that came. `reason`: why it is believed; `answers`: its id, if anyone waits for an answer.

    `written`: as it says itself.
    """

    sha256: bytes
    reason: str
    answers: str | None
    now: datetime
    policy: Policy
    written: datetime | None = None

    def is_about(self, row: Subscription) -> bool:
        """Not one that began after it was written: who has come back since is not meant to leave."""
        return self.written is None or row.confirmed_at <= self.written + CLOCKS_DIFFER

    @property
    def proof(self) -> dict[str, str]:
        return {"message_sha256": self.sha256.hex()}


def end(session: Session, key: bytes, list_id: int | None, message: Message) -> bool | None:
    """End what is open of one list, or of all (no `list_id`), and tell the person once; whether anything has ended.

    None: all that is open began after the message was written.
    """
    addresses.lock(session, key)
    known = subscriptions.of_key(session, key)
    open_ = [row for row in known if row.is_open and list_id in (None, row.list_id)]
    ended = [row for row in open_ if message.is_about(row)]
    how = Withdrawal(Event.UNSUBSCRIBE, Channel.EMAIL, message.reason, more=message.proof)
    for row in ended:
        leave.end(session, row, how, message.now, message.policy)
    if ended and message.answers and _is_first(session, b"left by mail", key, message.now):
        outbox.owe(session, MailKind.LEFT_BY_MAIL, now=message.now, subscription_id=ended[-1].id,
                   answers=message.answers)  # fmt: skip
    return None if open_ and not ended else bool(ended)


def disown(session: Session, link: NotMe, message: Message) -> None:
    """What the mail program's one click on a confirmation mail does."""
    how = Channel.EMAIL, "an email to the address in the confirmation mail"
    suppress.disown_in(session, link, Event.ONE_CLICK, message.now, message.policy, how)


def ask(session: Session, key: bytes, mailbox: bytes | None, message: Message) -> bool:
    """Ask the address by mail whether it wants to leave, if it is subscribed; whether that was done.

    Whoever wrote may be a stranger: it is within the budget of requests for one's own page, and once in seven days.
    """
    open_ = [row for row in subscriptions.of_key(session, key) if row.is_open]
    if not open_ or message.answers is None:
        return False
    addresses.lock_or_create(session, key, mailbox)
    mark = used_hash(b"asked by mail", key)
    if guards.is_used(session, mark) or guards.is_used(session, used_hash(b"left by mail", key)):
        return False
    rates = TYPED_IN_PEACE if suppressions.active(session, key, message.now, mailbox) else TYPED
    hook = {"subscription_id": open_[-1].id, "answers": message.answers}
    asked = preferences.owe(session, mailbox or key, "requests", rates, hook, message.now, MailKind.LEAVE_ASKED)
    with trip(session) as out:
        addresses.forget(out, [key, mailbox or key])  # what was made to be held, and nothing is kept of
    return asked is not None and _is_first(session, b"asked by mail", key, message.now)


def is_known(session: Session, key: bytes, *, to_erase: bool) -> bool:
    """Whether it is about a subscription here: to leave, also one that has ended; to erase, one that can be asked."""
    return any(row.is_open or not to_erase for row in subscriptions.of_key(session, key))


def _is_first(session: Session, kind: bytes, key: bytes, now: datetime) -> bool:
    with trip(session) as out:
        fresh = guards.use(out, {used_hash(kind, key): now + ONE_ANSWER})
    return bool(fresh())


def request_erasure(
    session: Session, key: bytes, words: str, message: Message, links: Links, lists: Mapping[int, List]
) -> bool | None:
    """Enter it for the officer of each controller of whom something is stored; whether there is any.

    None: there have been so many today that not all were entered.
    """
    known = subscriptions.shown_of_key(session, key, message.now)
    filed = list[Request | datetime]()
    for party in parties(_of(known, lists)):
        row, found = party.row, parsed(party.row.privacy_contact)
        asked = Asked(
            RequestKind.ERASURE, Channel.EMAIL, words, row.id, row.timezone, key, known[-1].address,
            locale=known[-1].locale, identity=message.reason, contact=found.mailed if found else None,
        )  # fmt: skip
        mark = links.try_key(b"requests" + (known[-1].mailbox or key))
        of_contact = links.try_key(b"filed" + (asked.contact or "").encode())
        filed.append(requests.file(session, asked, mark, of_contact, message.now))
    return None if any(isinstance(one, datetime) for one in filed) else bool(filed)


def _of(known: Collection[Subscription], lists: Mapping[int, List]) -> list[List]:
    return [lists[number] for number in sorted({row.list_id for row in known}) if number in lists]
