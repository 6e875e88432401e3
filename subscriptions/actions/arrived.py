"""What a message causes, and the memory of it: one transaction, once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions.domain.arrivals import ACTED, Outcome
from subscriptions.store import arrivals, counters
from subscriptions.store.engine import repeated, transaction


@dataclass(frozen=True, slots=True)
class Mark:
    """By what a message is known when it comes again: its bytes, or its Message-ID by keyed hash."""

    sha256: bytes
    message_key: bytes | None


@repeated
def once(mark: Mark, sort: str, now: datetime, act: Callable[[Session], Outcome]) -> Outcome:
    """Act on a message unless that was done before. `act` runs in this transaction, and again where that is repeated.

    What it does not act on is not remembered.
    """
    with transaction() as session:
        outcome = Outcome.REPEATED
        if arrivals.first(session, mark.sha256, mark.message_key, now):
            outcome = act(session)
            arrivals.note(session, mark.sha256, f"{sort} {outcome}" if outcome in ACTED else "")
        counters.add(session, {f"arrived_{sort}_{outcome}": 1})
        return outcome
