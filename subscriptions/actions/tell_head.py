"""The head of the evidence, by mail every week to who keeps it elsewhere."""

from collections.abc import Sequence
from datetime import datetime

from subscriptions import clock
from subscriptions.domain.figures import HowOften
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.store import meta, outbox, seals
from subscriptions.store.engine import repeated, transaction


@repeated
def tell_head(addresses: Sequence[str], now: datetime) -> int:
    """Owe it to each of them on Mondays, and the first as soon as there is one; how many."""
    with transaction() as session:
        last = meta.get(session, seals.TOLD)
        is_due = last is None or HowOften.WEEKLY.is_due(datetime.fromisoformat(last), now)
        if not addresses or not is_due or seals.newest(session) is None:
            return 0
        meta.put(session, seals.TOLD, clock.text(now))
        for address in addresses:
            outbox.owe(session, MailKind.HEAD, now=now, address=address)
        return len(addresses)
