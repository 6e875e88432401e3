"""Returned: what a mail that came back or a spam report changes, within the transaction of whoever brings it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy.orm import Session

from subscriptions.actions import leave, suppress
from subscriptions.actions.leave import Withdrawal
from subscriptions.domain.bounces import WITHIN, Weight, is_enough
from subscriptions.domain.evidence import Channel, Fact
from subscriptions.domain.figures import COMPLAINED, RETURNED
from subscriptions.domain.lifecycle import Event, registration_step, subscription_step
from subscriptions.domain.lifecycle import Subscription as State
from subscriptions.domain.policy import Policy, state_at
from subscriptions.links import NotMe
from subscriptions.store import addresses, counters, evidence, figures, registrations, subscriptions, suppressions
from subscriptions.store.models import Registration, Subscription

REASON = "spam report"


class Effect(StrEnum):
    """What became of something that was told."""

    ENDED = "ended"
    NOTED = "noted"
    NOTHING = "unchanged"


class About(NamedTuple):
    """Which mail: one to a subscriber, or by `ref` the confirmation mail of a form, whose `key` may be unknown."""

    list_id: int
    key: bytes = b""
    ref: bytes = b""
    mailbox: bytes | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Who told us. `at`: when it happened, where that is said; `sha256`: of the mail, in hexadecimal."""

    channel: Channel
    actor: str | None = None
    at: datetime | None = None
    sha256: str = ""

    @property
    def details(self) -> Mapping[str, str]:
        return {"message": self.sha256} if self.sha256 else {}


@dataclass(frozen=True, slots=True)
class Returned:
    """`about` nothing: no mail of ours that we could know. `recipients`: keys of whom it names; none: nobody."""

    about: About | None
    source: Source
    weight: Weight = Weight.OTHER
    reply: str = ""
    recipients: tuple[bytes, ...] = ()

    def weighs(self, key: bytes) -> Weight:
        """Where somebody has mails sent on, the next mailbox may be gone, and theirs is not."""
        return self.weight if not self.recipients or key in self.recipients else Weight.OTHER


@dataclass(frozen=True, slots=True)
class Complaint:
    """A spam report; `about` nothing: about no mail of ours that we could know."""

    about: About | None
    source: Source


def came_back(session: Session, mail: Returned, now: datetime, policy: Policy) -> Effect:
    """Note it, and end the subscription where nobody is there."""
    if (about := mail.about) is None:
        return Effect.NOTHING
    if about.ref:
        return _form_came_back(session, about, mail, now)
    addresses.lock(session, about.key)
    row = open_at(session, about.key, about.list_id, mail.source.at or now)
    if row is None:
        return Effect.NOTHING
    if _ends(session, row, mail, now, policy):
        return Effect.ENDED
    return Effect.NOTED if _note(session, row, mail, now) else Effect.NOTHING


def open_at(session: Session, key: bytes, list_id: int, at: datetime) -> Subscription | None:
    """The subscription that was meant; what happened before it was confirmed is about an earlier one."""
    row = subscriptions.find_open(session, key, list_id)
    return row if row and row.confirmed_at <= at else None


def _ends(session: Session, row: Subscription, mail: Returned, now: datetime, policy: Policy) -> bool:
    weight, today = mail.weighs(row.key), min(mail.source.at or now, now).date()
    noted = evidence.returned(session, row, now - WITHIN)
    days = [today, *(day for day, soft in noted.items() if soft)]
    if weight is not Weight.HARD and not (weight is Weight.SOFT and is_enough(days, today)):
        return False
    source, more = mail.source, {} if weight is Weight.HARD else {"days": f"{len({*days})}"}
    how = Withdrawal(Event.BOUNCE, source.channel, mail.reply, source.actor, source.at, {**source.details, **more})
    leave.end(session, row, how, now, policy)
    counters.add(session, {"bounced": 1}, {} if noted else figures.of_day(RETURNED, row.list_id, now))
    return True


def _form_came_back(session: Session, about: About, mail: Returned, now: datetime) -> Effect:
    """It ends nothing: whoever owns the address may have another, and the sign-up goes by itself."""
    rows = registrations.of_form(session, about.ref)
    addresses.lock(session, *(row.key for row in rows))
    for row in rows:
        registration_step(state_at(row.state, row.confirm_by, now), Event.BOUNCE)
    noted = [_note(session, row, mail, now) for row in rows]
    return Effect.NOTED if any(noted) else Effect.NOTHING


def _note(session: Session, row: Registration | Subscription, mail: Returned, now: datetime) -> bool:
    """Once a day: a server that repeats itself makes nobody's bounces many."""
    at, source = min(mail.source.at or now, now), mail.source
    if at.date() in (noted := evidence.returned(session, row, at - WITHIN)):
        return False
    of = (row.id, None) if isinstance(row, Registration) else (None, row.id)
    weight = mail.weighs(row.key)
    details = {"reply": mail.reply, "weight": weight.value, "on": at.date().isoformat(), **source.details}
    evidence.add(session, Fact.RETURNED, now, source.channel, registration_id=of[0], subscription_id=of[1],
                 actor=source.actor, details=details)  # fmt: skip
    counters.add(session, {"returned": 1}, {} if noted else figures.of_day(RETURNED, row.list_id, now))
    return True


def complain(session: Session, report: Complaint, now: datetime, policy: Policy) -> Effect:
    """A spam report: that list ends, and asks for no confirmation for a while."""
    about, source = report.about, report.source
    if about is None:
        return Effect.NOTHING
    rows = registrations.of_form(session, about.ref) if about.ref else ()
    if not about.key and not rows:
        return Effect.NOTHING
    key, mailbox = (about.key, about.mailbox) if about.key else (rows[0].key, rows[0].mailbox)
    counters.add(session, {"complaints": 1}, figures.of_day(COMPLAINED, about.list_id, now))
    if about.ref:
        link = NotMe(about.ref, about.list_id, key, mailbox)
        suppress.disown_in(session, link, Event.COMPLAIN, now, policy, (source.channel, REASON))
        return Effect.ENDED
    addresses.lock_or_create(session, key)
    how = Withdrawal(Event.COMPLAIN, source.channel, REASON, source.actor, source.at, source.details)
    row = subscriptions.find_open(session, key, about.list_id)
    if row is not None and (source.at or now) < row.confirmed_at:
        return Effect.NOTHING
    if row is not None:
        leave.end(session, row, how, now, policy)
    if rule := subscription_step(State.CONFIRMED, Event.COMPLAIN).suppress:
        suppressions.add(session, key, rule, REASON, now, list_id=about.list_id, mailbox=row and row.mailbox)
    return Effect.ENDED if row else Effect.NOTED
