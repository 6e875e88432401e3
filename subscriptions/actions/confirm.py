"""Confirm: the button of the confirmation mail opens a subscription, or finds one open."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from subscriptions.actions import move
from subscriptions.actions.subscribe import Origin
from subscriptions.domain.evidence import Channel, Fact
from subscriptions.domain.lifecycle import Event, registration_step, subscription_step
from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.lifecycle import Subscription as Chapter
from subscriptions.domain.policy import Policy, state_at
from subscriptions.store import addresses, chapters, counters, evidence, outbox, registrations
from subscriptions.store.engine import reading, repeated, transaction
from subscriptions.store.models import List, Registration, Subscription


class Standing(StrEnum):
    """What a confirm link is worth now; GET and POST answer with the same status."""

    WAITING = "waiting"  # the button would confirm
    SUBSCRIBED = "subscribed"
    LATE = "late"
    ENDED = "ended"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Place:
    """One list that a confirm link is about."""

    standing: Standing
    registration: Registration


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody has confirmed, as the evidence says it."""

    channel: Channel
    method: str


BY_BUTTON = Way(Channel.BUTTON, "button on the confirmation page")
BY_OPEN_TAB = Way(Channel.BUTTON, "confirmed in the browser of the sign-up, whose page was still open")


@dataclass(frozen=True, slots=True)
class View:
    """What the page of a confirm link shows: the best that it is worth, and each list where it names several."""

    standing: Standing
    registration: Registration | None = None
    welcomed: bool = False
    several: tuple[Place, ...] = ()


def look(ref: bytes, now: datetime) -> View:
    """What a confirm link is worth, without changing anything."""
    with reading() as session:
        return _view(session, ref, now)


def _view(session: Session, ref: bytes, now: datetime) -> View:
    rows = registrations.of_link(session, ref)
    places = [Place(standing, row) for row in rows if (standing := _standing(session, row, now))]
    if not places:
        return View(Standing.GONE)
    best = min(places, key=lambda place: _BEST.index(place.standing))
    return View(best.standing, best.registration, several=tuple(places) if len(places) > 1 else ())


_BEST = [Standing.WAITING, Standing.SUBSCRIBED, Standing.LATE, Standing.ENDED]


def _standing(session: Session, row: Registration, now: datetime) -> Standing | None:
    """None: gone. Past its month the row counts as gone, before the sweep comes (F-07)."""
    state = state_at(State(row.state), row.confirm_by, now)
    if row.address is None or (state is not State.CONFIRMED and row.purge_at <= now):
        return None
    if state is State.BLOCKED:
        return Standing.LATE
    if state is State.PENDING:
        return Standing.WAITING
    chapter = session.get(Subscription, row.subscription_id)
    is_open = chapter is not None and chapter.state == Chapter.CONFIRMED.value
    return Standing.SUBSCRIBED if is_open else Standing.ENDED


@repeated
def confirm(
    ref: bytes, now: datetime, policy: Policy, origin: Origin, way: Way = BY_BUTTON, only: int | None = None
) -> View:
    """Press the button: for every list that waits, or for `only` one. A second press changes nothing (E-10)."""
    with transaction() as session:
        return press(session, ref, now, policy, origin, way, only)


def press(
    session: Session, ref: bytes, now: datetime, policy: Policy, origin: Origin, way: Way, only: int | None = None
) -> View:
    """The same within a transaction of the caller."""
    found = registrations.of_link(session, ref)
    if not found:
        return View(Standing.GONE)
    for key in sorted({key for row in found for key in (row.key, row.replaces) if key}):
        addresses.lock(session, key)
    view = _view(session, ref, now)
    if view.standing is not Standing.WAITING or view.registration is None:
        return view
    places = view.several or (Place(view.standing, view.registration),)
    waiting = [one.registration for one in places if one.standing is Standing.WAITING]
    chosen = [row for row in waiting if only in (None, row.list_id)]
    welcomed = [_open(session, row, now, policy, origin, way) for row in chosen]
    session.flush()
    return replace(_view(session, ref, now), welcomed=any(welcomed))


def _open(
    session: Session, registration: Registration, now: datetime, policy: Policy, origin: Origin, way: Way
) -> bool:
    """Open a chapter, or join the open one; whether a welcome mail is owed."""
    step = registration_step(State.PENDING, Event.CONFIRM)
    chapter = chapters.open_one(session, registration.key, registration.list_id)
    subscription_step(Chapter.CONFIRMED if chapter else None, Event.CONFIRM)
    is_new = chapter is None
    if chapter is None:
        chapter = _chapter(registration, now, policy)
        session.add(chapter)
        session.flush()
    registration.state, registration.subscription_id = step.to.value, chapter.id
    evidence.add(
        session, Fact.CONFIRMED, now, way.channel,
        registration_id=registration.id, subscription_id=chapter.id,
        ip=origin.ip, ip_source=origin.ip_source, details={"method": way.method},
    )  # fmt: skip
    move.finish(session, registration, now, policy)
    counters.add(session, {"confirmations": 1})
    row = session.get(List, registration.list_id)
    welcome = is_new and row is not None and row.welcome
    outbox.owe(session, step.mail if welcome else None, now=now, subscription_id=chapter.id)
    return welcome


def _chapter(registration: Registration, now: datetime, policy: Policy) -> Subscription:
    return Subscription(
        list_id=registration.list_id,
        key=registration.key,
        state=Chapter.CONFIRMED.value,
        address=registration.address,
        name=registration.name,
        fields=registration.fields,
        locale=registration.locale,
        registered_at=registration.registered_at,
        confirmed_at=now,
        ip_until=policy.ip_until(now),
    )
