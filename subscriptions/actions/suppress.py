"""Suppress and lift: by hand, with a reason; or by the owner of the mailbox."""

from datetime import datetime

from subscriptions.actions.leave import Withdrawal, end_open, suppress_all
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Event
from subscriptions.domain.policy import Policy
from subscriptions.store import addresses, mailbox, suppressions, vacuum
from subscriptions.store.engine import repeated, transaction


@repeated
def suppress(
    key: bytes,
    scope: str,
    reason: str,
    now: datetime,
    policy: Policy,
    actor: str | None,
    how: Channel = Channel.COMMAND,
) -> int:
    """Scope `ask`: no more confirmation mails. Scope `all`: every subscription ends too; how many did."""
    with transaction() as session:
        addresses.lock_surely(session, key)
        if scope == "ask":
            suppressions.add(session, key, scope, reason, now)
            return 0
        ended = end_open(session, key, None, Withdrawal(Event.OBJECT, how, reason, actor), now, policy)
        suppress_all(session, key, reason, now)
        return ended


@repeated
def lift(key: bytes, scope: str | None = None) -> int:
    """Lift what is set on an address: one scope, or all of them; how many."""
    with transaction() as session:
        addresses.lock(session, key)
        lifted = suppressions.lift(session, key, scope=scope)
        addresses.forget_unknown(session, [key])
        mailbox.forget_unknown(session, [key])
        if lifted:
            vacuum.due(session)
        return lifted
