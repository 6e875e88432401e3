"""Move: another address takes the place of one, list by list, and only once it has confirmed."""

from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions.actions.gate import Refusal
from subscriptions.actions.leave import Withdrawal, end
from subscriptions.actions.subscribe import SignUp, take
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Event, subscription_step
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.policy import MOVES, Policy
from subscriptions.store import audit, guards, outbox, registrations, subscriptions
from subscriptions.store.audit import Act
from subscriptions.store.engine import repeated, transaction
from subscriptions.store.models import Counted, Registration


@repeated
def begin(
    sign_up: SignUp, old: bytes, mark: bytes, now: datetime, policy: Policy, act: Act | None = None
) -> Refusal | datetime | None:
    """Sign the new address up; the old one stays as it is. What became of it is told by mail only.

    A time: so many addresses were named from the old one that we write to no further one until then.
    `mark`: by what the moves of the old address are counted. They need no proof of work, so nobody may flood with them.
    """
    with transaction() as session:
        since, count = guards.add_one(session, Counted.TRIES, mark, now, MOVES.period)
        if count > MOVES.count:
            return since + MOVES.period
        [refused] = take(session, [sign_up], now, policy)
        registrations.replacing(session, sign_up.ref, old)
        outbox.owe_instead(session, sign_up.ref, MailKind.CONFIRM, MailKind.MOVE)
        audit.write(session, act)
        return refused


def finish(session: Session, registration: Registration, now: datetime, policy: Policy) -> None:
    """Within the confirmation of the new address: end the old one's subscription, and tell the old mailbox once."""
    old, registration.replaces = registration.replaces, None
    subscription = subscriptions.find_open(session, old, registration.list_id) if old else None
    if old is None or subscription is None:
        return
    mail = subscription_step(subscription.state, Event.MOVE).mail
    end(session, subscription, Withdrawal(Event.MOVE, Channel.BUTTON, "moved to another address"), now, policy)
    if mail and outbox.of_key(session, old, mail) is None:
        outbox.owe(session, mail, now=now, subscription_id=subscription.id)
