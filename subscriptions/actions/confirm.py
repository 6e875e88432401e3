"""Confirm: the button of the confirmation mail, or its code, opens a subscription or finds one open."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from subscriptions.actions import move
from subscriptions.actions.subscribe import Origin
from subscriptions.domain.codes import address_tries, is_over, visit_tries
from subscriptions.domain.evidence import Channel, Fact
from subscriptions.domain.lifecycle import Event, registration_step, subscription_step
from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.lifecycle import Subscription as Opened
from subscriptions.domain.policy import Policy, state_at
from subscriptions.links import Links, Visit
from subscriptions.store import (
    addresses,
    counters,
    evidence,
    guards,
    lists,
    outbox,
    policies,
    registrations,
    subscriptions,
)
from subscriptions.store.engine import reading, repeated, transaction
from subscriptions.store.figures import of_confirmation
from subscriptions.store.models import Counted, Registration, Subscription


class LinkState(StrEnum):
    """What a confirm link is worth now, the best first; GET and POST answer with the same status."""

    WAITING = "waiting"  # the button would confirm
    SUBSCRIBED = "subscribed"
    LATE = "late"
    ENDED = "ended"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class ListStatus:
    """A list that a confirm link is about."""

    state: LinkState
    registration: Registration


@dataclass(frozen=True, slots=True)
class ConfirmMethod:
    """How somebody has confirmed, as the evidence says it."""

    channel: Channel
    method: str


BY_BUTTON = ConfirmMethod(Channel.BUTTON, "button on the confirmation page")
BY_OPEN_TAB = ConfirmMethod(Channel.BUTTON, "confirmed in the browser of the sign-up, whose page was still open")
BY_PAGE = ConfirmMethod(Channel.FORM, "code typed on the page of the sign-up")
BY_JSON = ConfirmMethod(Channel.API, "code sent by the client of the sign-up")


@dataclass(frozen=True, slots=True)
class ConfirmStatus:
    """What a confirm link is about: each of its lists that is left, in the order of the form."""

    lists: tuple[ListStatus, ...] = ()
    welcomed: bool = False
    moved: bool = False  # just now, from another address

    @property
    def state(self) -> LinkState:
        """The best that the link is worth."""
        return min((status.state for status in self.lists), key=list(LinkState).index, default=LinkState.GONE)

    def those(self, *states: LinkState) -> list[Registration]:
        return [status.registration for status in self.lists if status.state in states]

    @property
    def lead(self) -> Registration | None:
        """Of those that are worth the best, the first."""
        return next(iter(self.those(self.state)), None)


def look(ref: bytes, now: datetime) -> ConfirmStatus:
    """What a confirm link is worth, without changing anything."""
    with reading() as session:
        return _status(session, ref, now)


def _status(session: Session, ref: bytes, now: datetime) -> ConfirmStatus:
    rows = registrations.of_form(session, ref)
    found = [ListStatus(state, row) for row in rows if (state := _state(session, row, now)) is not LinkState.GONE]
    return ConfirmStatus(tuple(found))


def _state(session: Session, row: Registration, now: datetime) -> LinkState:
    """Past its month the row counts as gone, before the sweep comes."""
    state = state_at(row.state, row.confirm_by, now)
    if row.address is None or (state is not State.CONFIRMED and row.purge_at <= now):
        return LinkState.GONE
    if state is State.BLOCKED:
        return LinkState.LATE
    if state is State.PENDING:
        return LinkState.WAITING
    subscription = subscriptions.find(session, row.subscription_id)
    return LinkState.SUBSCRIBED if subscription is not None and subscription.is_open else LinkState.ENDED


@repeated
def confirm(
    ref: bytes, now: datetime, policy: Policy, origin: Origin, method: ConfirmMethod = BY_BUTTON,
    only: int | None = None,
) -> ConfirmStatus:  # fmt: skip
    """Press the button: for every list that waits, or for `only` one. A second press changes nothing."""
    with transaction() as session:
        return _press(session, ref, now, policy, origin, method, only)


def _press(
    session: Session, ref: bytes, now: datetime, policy: Policy, origin: Origin, method: ConfirmMethod,
    only: int | None = None,
) -> ConfirmStatus:  # fmt: skip
    rows = registrations.of_form(session, ref)
    addresses.lock(session, *{key for row in rows for key in (row.key, row.mailbox, row.replaces)})
    status = _status(session, ref, now)
    chosen = [row for row in status.those(LinkState.WAITING) if only in (None, row.list_id)]
    if not chosen:
        return status
    moved = all(row.replaces for row in chosen)
    welcomed = [_open(session, row, now, policy, origin, method) for row in chosen]
    session.flush()
    return replace(_status(session, ref, now), welcomed=any(welcomed), moved=moved)


def _open(
    session: Session, registration: Registration, now: datetime, policy: Policy, origin: Origin, method: ConfirmMethod
) -> bool:
    """Open a subscription, or join the open one; whether a welcome mail is owed."""
    step = registration_step(State.PENDING, Event.CONFIRM)
    found = subscriptions.find_open(session, registration.key, registration.list_id)
    subscription_step(found and found.state, Event.CONFIRM)
    subscription = found or _new(session, registration, now, policy)
    registration.state, registration.subscription_id = step.to, subscription.id
    welcomes, sha256 = lists.agreed(session, registration.list_id, registration.wording_id)
    wording = {"wording": registration.wording_id, "wording_sha256": sha256}
    if version := policies.holding(session, registration.list_id, registration.locale):  # it stood behind the button
        wording["policy"] = version
    evidence.add(
        session, Fact.CONFIRMED, now, method.channel,
        registration_id=registration.id, subscription_id=subscription.id,
        ip=origin.ip, ip_source=origin.ip_source, details={"method": method.method, **wording},
    )  # fmt: skip
    move.finish(session, registration, now, policy)
    counters.add(session, {"confirmations": 1}, of_confirmation(registration, now) if found is None else {})
    welcome = found is None and welcomes
    outbox.owe(session, step.mail if welcome else None, now=now, subscription_id=subscription.id)
    return welcome


_CARRIED = (
    "list_id", "key", "mailbox", "address", "name", "fields", "locale", "registered_at", "wording_id"
)  # fmt: skip


def _new(session: Session, registration: Registration, now: datetime, policy: Policy) -> Subscription:
    carried = {column: getattr(registration, column) for column in _CARRIED}
    made = Subscription(state=Opened.CONFIRMED, confirmed_at=now, ip_until=policy.ip_until(now), **carried)
    session.add(made)
    session.flush()
    return made


@dataclass(frozen=True, slots=True)
class Entered:
    """What came of a code. `status`: what it confirmed, or how it was too late; none where it was not the right one."""

    status: ConfirmStatus | None
    left: int  # tries


@repeated
def enter(
    visit: Visit, code: str, links: Links, now: datetime, policy: Policy, origin: Origin, method: ConfirmMethod
) -> Entered:
    """Confirm where the sign-up was made; a wrong code is answered and counted alike, whatever is behind it.

    So is one that comes when the tries of the address are used up: to say so would tell that it is known here.
    """
    if is_over(visit.at, now, policy):
        return Entered(None, 0)
    with transaction() as session:
        spent, left = _spend(session, visit, links, now, policy)
        ref = links.codes.ref_of(code, visit.refs)
        if ref is None or not spent:
            return Entered(None, left)
        for key in spent:
            guards.give_back(session, key)
        return Entered(_press(session, ref, now, policy, origin, method), left)


def _spend(session: Session, visit: Visit, links: Links, now: datetime, policy: Policy) -> tuple[list[bytes], int]:
    """Count one try of the visit and of the address; their keys, none where a try is no longer allowed, and the rest.

    Once those of the visit are used up, nobody can use up those of the address with it.
    """
    rate, all_of_them, mine = visit_tries(policy), address_tries(policy), links.try_key(visit.refs[0])
    _, used = guards.add_one(session, Counted.TRIES, mine, now, rate.period)
    if used > rate.count:
        return [], 0
    behind = registrations.key_behind(session, visit.refs) or visit.refs[0]
    theirs = links.try_key(b"address" + behind)
    _, by_address = guards.add_one(session, Counted.TRIES, theirs, now, all_of_them.period)
    return [mine, theirs] if by_address <= all_of_them.count else [], rate.count - used
