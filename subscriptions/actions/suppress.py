"""Suppress and lift: by hand, with a reason; or by the owner of the mailbox."""

from datetime import datetime

from subscriptions.actions.leave import Withdrawal, end_open, suppress_all
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import NO_CONFIRMATIONS, Event
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.domain.policy import Policy
from subscriptions.store import addresses, suppressions, vacuum
from subscriptions.store.engine import repeated, transaction


@repeated
def suppress(
    key: bytes,
    scope: SuppressionScope,
    reason: str,
    now: datetime,
    policy: Policy,
    actor: str | None,
    how: Channel = Channel.COMMAND,
) -> int:
    """No more mails of that scope. With `ALL` every subscription ends too; how many did."""
    with transaction() as session:
        addresses.lock_or_create(session, key)
        if scope is SuppressionScope.CONFIRMATIONS:
            suppressions.add(session, key, NO_CONFIRMATIONS, reason, now)
            return 0
        ended = end_open(session, key, None, Withdrawal(Event.OBJECT, how, reason, actor), now, policy)
        suppress_all(session, key, reason, now)
        return ended


@repeated
def lift(key: bytes, scope: SuppressionScope | None = None, *, set_by: bytes | None = None) -> int:
    """Lift what is set on an address: all of it, one scope, or what one link has set; how many."""
    with transaction() as session:
        addresses.lock(session, key)
        lifted = suppressions.lift(session, key, scope=scope, set_by=set_by)
        addresses.forget_unknown(session, [key])
        if lifted:
            vacuum.due(session)
        return lifted
