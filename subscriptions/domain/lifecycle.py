"""The two tables of what may happen to a registration and to a subscription."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeVar

from subscriptions.domain.mail_kinds import MailKind, SuppressionScope


class Registration(StrEnum):
    """One act of signing up for one list."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    BLOCKED = "blocked"
    ERASED = "erased"  # never stored: the row is gone
    PURGED = "purged"  # never stored: the row is gone


class Subscription(StrEnum):
    """One consent, opened by a confirmed registration; who comes back later opens another."""

    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    ERASED = "erased"  # the person is gone from the row; the sealed evidence stays until the proof period ends
    PURGED = "purged"  # never stored: the row is gone


class Event(StrEnum):
    SUBSCRIBE = "subscribe"
    CONFIRM = "confirm"
    BLOCK = "block"
    DISOWN = "disown"
    ONE_CLICK = "one-click on the confirmation mail"
    UNSUBSCRIBE = "unsubscribe"
    MOVE = "move to another address"
    OBJECT = "object"
    COMPLAIN = "complain"
    BOUNCE = "bounce"
    CANCEL = "cancel after an attack"
    RETRACT = "cancel for the person"
    PURGE = "purge"
    ERASE = "erase"
    IMPORT = "import with evidence"
    INVITE = "invite after an import"
    UNDO = "undo an import"


@dataclass(frozen=True, slots=True)
class Suppress:
    """How a step protects the address from further mails: for every list and for good, unless it says less."""

    scope: SuppressionScope
    this_list: bool = False
    life: timedelta | None = None

    def until(self, now: datetime) -> datetime | None:
        """Its end, where it begins now."""
        return now + self.life if self.life else None


PROTECTED = timedelta(days=30)  # for good would keep the victims of an attack out for ever
NO_MAIL = Suppress(SuppressionScope.ALL)
NO_CONFIRMATIONS = Suppress(SuppressionScope.CONFIRMATIONS)
ONE_CLICKED = Suppress(SuppressionScope.CONFIRMATIONS, this_list=True, life=PROTECTED)
COMPLAINED = ONE_CLICKED  # a spam report is no more than that press, on another button
ATTACKED = Suppress(SuppressionScope.CONFIRMATIONS, life=PROTECTED)

State = Registration | Subscription
S = TypeVar("S", Registration, Subscription)


@dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """What an event leads to: the next state, the mail owed, and what it does besides."""

    to: S
    mail: MailKind | None = None
    suppress: Suppress | None = None
    ends_subscription: bool = False


Table = Mapping[tuple[S | None, Event], Step[S]]


class Refused(Exception):
    """The table has no row for this state and event."""


_R, _S, _E = Registration, Subscription, Event

REGISTRATION: Table[Registration] = {
    (None, _E.SUBSCRIBE): Step(_R.PENDING, MailKind.CONFIRM),
    (None, _E.INVITE): Step(_R.PENDING, MailKind.INVITE),
    (_R.PENDING, _E.UNDO): Step(_R.ERASED),
    (_R.PENDING, _E.CONFIRM): Step(_R.CONFIRMED, MailKind.WELCOME),
    (_R.CONFIRMED, _E.CONFIRM): Step(_R.CONFIRMED),
    (_R.PENDING, _E.BLOCK): Step(_R.BLOCKED),
    (_R.PENDING, _E.DISOWN): Step(_R.ERASED, suppress=NO_CONFIRMATIONS),
    (_R.BLOCKED, _E.DISOWN): Step(_R.ERASED, suppress=NO_CONFIRMATIONS),
    (_R.CONFIRMED, _E.DISOWN): Step(_R.CONFIRMED, suppress=NO_CONFIRMATIONS, ends_subscription=True),
    (_R.PENDING, _E.ONE_CLICK): Step(_R.ERASED, suppress=ONE_CLICKED),
    (_R.BLOCKED, _E.ONE_CLICK): Step(_R.ERASED, suppress=ONE_CLICKED),
    (_R.CONFIRMED, _E.ONE_CLICK): Step(_R.CONFIRMED, suppress=ONE_CLICKED, ends_subscription=True),
    (_R.PENDING, _E.COMPLAIN): Step(_R.ERASED, suppress=COMPLAINED),
    (_R.BLOCKED, _E.COMPLAIN): Step(_R.ERASED, suppress=COMPLAINED),
    (_R.CONFIRMED, _E.COMPLAIN): Step(_R.CONFIRMED, suppress=COMPLAINED, ends_subscription=True),
    **{(state, _E.BOUNCE): Step(state) for state in (_R.PENDING, _R.BLOCKED, _R.CONFIRMED)},
    (_R.PENDING, _E.CANCEL): Step(_R.ERASED, suppress=ATTACKED),
    (_R.BLOCKED, _E.CANCEL): Step(_R.ERASED, suppress=ATTACKED),
    (_R.PENDING, _E.RETRACT): Step(_R.ERASED),
    (_R.PENDING, _E.PURGE): Step(_R.PURGED),
    (_R.BLOCKED, _E.PURGE): Step(_R.PURGED),
    (_R.PENDING, _E.ERASE): Step(_R.ERASED, MailKind.ERASED),
    (_R.BLOCKED, _E.ERASE): Step(_R.ERASED, MailKind.ERASED),
}

_ENDED = _S.UNSUBSCRIBED, _S.BOUNCED
_CHANGES_NOTHING = _E.CONFIRM, _E.SUBSCRIBE, _E.UNSUBSCRIBE, _E.BOUNCE
SUBSCRIPTION: Table[Subscription] = {
    (None, _E.CONFIRM): Step(_S.CONFIRMED),
    (None, _E.IMPORT): Step(_S.CONFIRMED),
    (_S.CONFIRMED, _E.IMPORT): Step(_S.CONFIRMED),  # who has left or bounced comes back by their own sign-up alone
    (_S.CONFIRMED, _E.UNDO): Step(_S.PURGED),
    (_S.CONFIRMED, _E.CONFIRM): Step(_S.CONFIRMED),
    (_S.CONFIRMED, _E.SUBSCRIBE): Step(_S.CONFIRMED, MailKind.ALREADY_SUBSCRIBED),
    (_S.CONFIRMED, _E.UNSUBSCRIBE): Step(_S.UNSUBSCRIBED),
    (_S.CONFIRMED, _E.MOVE): Step(_S.UNSUBSCRIBED, MailKind.ADDRESS_CHANGED),
    (_S.CONFIRMED, _E.OBJECT): Step(_S.UNSUBSCRIBED, suppress=NO_MAIL),
    (_S.CONFIRMED, _E.COMPLAIN): Step(_S.UNSUBSCRIBED, suppress=COMPLAINED),
    (_S.CONFIRMED, _E.BOUNCE): Step(_S.BOUNCED),
    (_S.CONFIRMED, _E.ERASE): Step(_S.ERASED, MailKind.ERASED),
    **{(ended, event): Step(ended) for ended in _ENDED for event in _CHANGES_NOTHING},
    **{(ended, _E.OBJECT): Step(ended, suppress=NO_MAIL) for ended in _ENDED},
    **{(ended, _E.COMPLAIN): Step(ended, suppress=COMPLAINED) for ended in _ENDED},
    **{(ended, _E.PURGE): Step(_S.PURGED) for ended in (*_ENDED, _S.ERASED)},
    **{(ended, _E.ERASE): Step(_S.ERASED, MailKind.ERASED) for ended in _ENDED},
}


def registration_step(state: Registration | None, event: Event) -> Step[Registration]:
    """The step that `event` takes from `state`; raises Refused where the table has none."""
    return _step(REGISTRATION, state, event)


def subscription_step(state: Subscription | None, event: Event) -> Step[Subscription]:
    """The step that `event` takes from `state`; raises Refused where the table has none."""
    return _step(SUBSCRIPTION, state, event)


def _step(table: Table[S], state: S | None, event: Event) -> Step[S]:
    try:
        return table[state, event]
    except KeyError:
        raise Refused(f"{state or 'nothing'} cannot {event}") from None
