"""The head of the evidence: every week one is noted, and mailed to who keeps it elsewhere."""

from collections.abc import Sequence
from datetime import datetime

from subscriptions.domain.figures import HowOften
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.store import outbox, seals
from subscriptions.store.engine import repeated, transaction


@repeated
def tell_head(addresses: Sequence[str], now: datetime) -> int:
    """Note one on Mondays, and the first as soon as there is one; owe it to each of them; how many."""
    with transaction() as session:
        noted, newest = seals.noted(session), seals.newest(session)
        is_due = noted is None or HowOften.WEEKLY.is_due(noted.at, now)
        if newest is None or not is_due:
            return 0
        seals.note(session, newest.block, now)
        for address in addresses:
            outbox.owe(session, MailKind.HEAD, now=now, address=address)
        return len(addresses)
