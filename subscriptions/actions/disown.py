"""Disown: "this was not me", by the button or by a mail program's one-click; and its undo."""

from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions.actions.leave import Withdrawal, end_chapter
from subscriptions.domain.evidence import Channel, Fact
from subscriptions.domain.lifecycle import Event, Suppress, registration_step
from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.policy import ONE_CLICK_ASK, Policy, state_at
from subscriptions.links import NotMe
from subscriptions.store import addresses, counters, evidence, registrations, suppressions, vacuum
from subscriptions.store.engine import repeated, transaction
from subscriptions.store.models import Registration, Subscription

_REASON = {Event.DISOWN: "this was not me", Event.ONE_CLICK: "one-click on the confirmation mail"}
_CHANNEL = {Event.DISOWN: Channel.BUTTON, Event.ONE_CLICK: Channel.ONE_CLICK}


@repeated
def disown(link: NotMe, event: Event, now: datetime, policy: Policy) -> None:
    """Erase the registration, or end what it opened, and ask this address no more (product.md, both tables).

    The owner of the mailbox pressed it, so it protects the address even when the registration is gone.
    """
    with transaction() as session:
        addresses.lock_surely(session, link.key)
        rows = registrations.of_form(session, link.ref)
        lists = {link.list_id, *(row.list_id for row in rows)}
        state = State(rows[0].state) if rows else State.PENDING
        for row in rows:
            _end(session, row, event, now, policy)
        if registration_step(state, event).suppress is Suppress.ASK:
            suppressions.add(session, link.key, "ask", _REASON[event], now, set_by=link.ref)
        else:
            _ask_no_more(session, link, lists, _REASON[event], now)
        counters.add(session, {"disowned": 1})


def _ask_no_more(session: Session, link: NotMe, lists: set[int], reason: str, now: datetime) -> None:
    """For each list that the mail named, for a while."""
    for list_id in sorted(lists):
        suppressions.add(
            session, link.key, "ask", reason, now, list_id=list_id, until=now + ONE_CLICK_ASK, set_by=link.ref
        )


def _end(session: Session, registration: Registration, event: Event, now: datetime, policy: Policy) -> None:
    step = registration_step(state_at(registration.state, registration.confirm_by, now), event)
    if step.to is State.ERASED:
        registrations.remove(session, [registration.id])
        vacuum.due(session)
        return
    channel = _CHANNEL[event]
    evidence.add(session, Fact.DISOWNED, now, channel, registration_id=registration.id)
    chapter = session.get(Subscription, registration.subscription_id)
    if step.ends_subscription and chapter is not None and chapter.state == "confirmed":
        end_chapter(session, chapter, Withdrawal(Event.UNSUBSCRIBE, channel, _REASON[event]), now, policy)


@repeated
def undo(link: NotMe) -> int:
    """Lift what this link has set; a subscription that it ended stays ended (W-08)."""
    with transaction() as session:
        addresses.lock(session, link.key)
        lifted = suppressions.lift(session, link.key, set_by=link.ref)
        addresses.forget_unknown(session, [link.key])
        if lifted:
            vacuum.due(session)
        return lifted
