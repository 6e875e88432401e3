"""Suppress and lift: by hand, with a reason; or by the owner of the mailbox, whom "this was not me" protects."""

from datetime import datetime
from itertools import chain

from sqlalchemy.orm import Session

from subscriptions.actions.leave import Withdrawal, end, end_open, suppress_all
from subscriptions.domain.evidence import Cause, Channel, Fact
from subscriptions.domain.lifecycle import NO_CONFIRMATIONS, Event, registration_step
from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.domain.policy import Policy, state_at
from subscriptions.links import NotMe
from subscriptions.store import addresses, audit, counters, evidence, registrations, subscriptions, suppressions, vacuum
from subscriptions.store.audit import Act
from subscriptions.store.engine import repeated, transaction
from subscriptions.store.models import Registration


@repeated
def suppress(
    key: bytes, scope: SuppressionScope, reason: str, now: datetime, policy: Policy, actor: str | None,
    how: Channel = Channel.COMMAND, act: Act | None = None, mailbox: bytes | None = None,
) -> int:  # fmt: skip
    """No more mails of that scope. With `ALL` every subscription ends too; how many did.

    `mailbox`, here and below: its key, where the address is one spelling of another; it gets no confirmation mails.
    """
    with transaction() as session:
        addresses.lock_or_create(session, key, mailbox)
        audit.write(session, act)
        if scope is SuppressionScope.CONFIRMATIONS:
            suppressions.add(session, key, NO_CONFIRMATIONS, reason, now, mailbox=mailbox)
            return 0
        ended = end_open(session, key, None, Withdrawal(Event.OBJECT, how, reason, actor), now, policy)
        suppress_all(session, key, reason, now, mailbox)
        return ended


@repeated
def lift(
    key: bytes, scope: SuppressionScope | None = None, *, set_by: bytes | None = None, mailbox: bytes | None = None,
    act: Act | None = None, controller: str | None = None,
) -> int:  # fmt: skip
    """Lift what is set on an address: all of it, one scope, of one controller, or what one link has set; how many."""
    with transaction() as session:
        addresses.lock(session, key, mailbox)
        audit.write(session, act)
        lifted = suppressions.lift(session, key, scope=scope, set_by=set_by, mailbox=mailbox, controller=controller)
        addresses.forget_unknown(session, {key, *chain.from_iterable(lifted)})
        if lifted:
            vacuum.due(session)
        return len(lifted)


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
        disown_in(session, link, event, now, policy, _HOW[event])


def disown_in(
    session: Session, link: NotMe, event: Event, now: datetime, policy: Policy, how: tuple[Channel, str]
) -> None:
    """The same within a transaction; `how` it reached us, and as which reason."""
    addresses.lock_or_create(session, link.key, link.mailbox)
    rows = registrations.of_form(session, link.ref)
    lists = {link.list_id, *(row.list_id for row in rows)}
    step = registration_step(rows[0].state if rows else State.PENDING, event)
    for row in rows:
        _end(session, row, event, now, policy, how)
    if rule := step.suppress:
        for list_id in sorted(lists) if rule.this_list else [None]:
            suppressions.add(
                session, link.key, rule, how[1], now, list_id=list_id, set_by=link.ref, mailbox=link.mailbox,
            )  # fmt: skip
    counters.add(session, {"disowned": 1})


def _end(
    session: Session, registration: Registration, event: Event, now: datetime, policy: Policy, how: tuple[Channel, str]
) -> None:
    step = registration_step(state_at(registration.state, registration.confirm_by, now), event)
    channel, reason = how
    is_gone = step.to is State.ERASED and not registrations.remove(session, [registration.id], Cause.NOT_ME, now)
    if is_gone:
        vacuum.due(session)
        return
    by = {Channel.BUTTON: "the page's form", Channel.EMAIL: "an email", Channel.COMPLAINT: "complaint"}.get(
        channel, "one-click of the mail program"
    )
    evidence.add(session, Fact.DISOWNED, now, channel, registration_id=registration.id, details={"by": by})
    subscription = subscriptions.find(session, registration.subscription_id)
    if step.ends_subscription and subscription is not None and subscription.is_open:
        end(session, subscription, Withdrawal(Event.UNSUBSCRIBE, channel, reason), now, policy)
