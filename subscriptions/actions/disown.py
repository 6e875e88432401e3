"""Disown: "this was not me", by the button or by a mail program's one-click; and its undo."""

from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions.actions.leave import Withdrawal, end
from subscriptions.actions.suppress import lift
from subscriptions.domain.evidence import Channel, Fact
from subscriptions.domain.lifecycle import Event, registration_step
from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.policy import Policy, state_at
from subscriptions.links import NotMe
from subscriptions.store import addresses, counters, evidence, registrations, suppressions, vacuum
from subscriptions.store.engine import repeated, transaction
from subscriptions.store.models import Registration, Subscription

_HOW = {
    Event.DISOWN: (Channel.BUTTON, "this was not me"),
    Event.ONE_CLICK: (Channel.ONE_CLICK, "one-click on the confirmation mail"),
}


@repeated
def disown(link: NotMe, event: Event, now: datetime, policy: Policy) -> None:
    """Erase the registrations, or end what they opened, and protect the address as their table says.

    The owner of the mailbox pressed it, so that holds even when the registrations are gone.
    """
    with transaction() as session:
        addresses.lock_or_create(session, link.key)
        rows = registrations.of_form(session, link.ref)
        lists = {link.list_id, *(row.list_id for row in rows)}
        step = registration_step(rows[0].state if rows else State.PENDING, event)
        for row in rows:
            _end(session, row, event, now, policy)
        if rule := step.suppress:
            for list_id in sorted(lists) if rule.this_list else [None]:
                suppressions.add(session, link.key, rule, _HOW[event][1], now, list_id=list_id, set_by=link.ref)
        counters.add(session, {"disowned": 1})


def _end(session: Session, registration: Registration, event: Event, now: datetime, policy: Policy) -> None:
    step = registration_step(state_at(registration.state, registration.confirm_by, now), event)
    if step.to is State.ERASED:
        registrations.remove(session, [registration.id])
        vacuum.due(session)
        return
    channel, reason = _HOW[event]
    evidence.add(session, Fact.DISOWNED, now, channel, registration_id=registration.id)
    subscription = session.get(Subscription, registration.subscription_id)
    if step.ends_subscription and subscription is not None and subscription.is_open:
        end(session, subscription, Withdrawal(Event.UNSUBSCRIBE, channel, reason), now, policy)


def undo(link: NotMe) -> int:
    """Lift what this link has set; a subscription that it ended stays ended: consent is asked for anew."""
    return lift(link.key, set_by=link.ref)
