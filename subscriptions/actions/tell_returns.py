"""The alarm about bounces and spam reports: owed when they have risen, at most once a day."""

from collections.abc import Mapping
from datetime import datetime

from subscriptions.domain.mail_kinds import MailKind
from subscriptions.store import figures, meta, outbox
from subscriptions.store.engine import repeated, transaction

_TOLD = "returns_told"  # the day of the last one


@repeated
def tell_returns(names: Mapping[int, str], now: datetime) -> int:
    """`names` of the lists, by number."""
    today = now.date().isoformat()
    with transaction() as session:
        if meta.get(session, _TOLD) == today or not figures.risen(session, names, now):
            return 0
        meta.put(session, _TOLD, today)
        outbox.owe(session, MailKind.RETURNS, now=now)
        return 1
