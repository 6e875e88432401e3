"""Ended elsewhere: who left at the program that sends, or told somebody; many at once, and safe to do twice."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from subscriptions import deadline
from subscriptions.actions.leave import Withdrawal
from subscriptions.actions.leave import end as end_one
from subscriptions.domain.policy import Policy
from subscriptions.store import addresses, audit, subscriptions
from subscriptions.store.audit import Act
from subscriptions.store.engine import reading, repeated, transaction

T = TypeVar("T")
LOOKED_UP, BATCH = 5000, 50  # so few that no sign-up waits long for them
SPARE = 1.5  # seconds, to answer in


def still_open(keys: Sequence[bytes], list_id: int) -> list[bytes]:
    """Those of these who are subscribed to the list; changes nothing."""
    found: set[bytes] = set()
    with reading() as session:
        for batch in batches(keys, LOOKED_UP):
            found |= subscriptions.open_among(session, batch, list_id)
    return [key for key in keys if key in found]


def end(keys: Sequence[bytes], list_id: int, how: Withdrawal, now: datetime, policy: Policy, act: Act) -> int:
    """End what is open of these, batch by batch while there is time to answer; how many. Another call does the rest."""
    ended = 0
    for batch in batches(keys, BATCH):
        if ended and deadline.left(deadline.ACT) < SPARE:
            break
        ended += _end(batch, list_id, how, now, policy, act)
    return ended


def batches(some: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (some[start : start + size] for start in range(0, len(some), size))


@repeated
def _end(keys: Sequence[bytes], list_id: int, how: Withdrawal, now: datetime, policy: Policy, act: Act) -> int:
    with transaction() as session:
        addresses.lock(session, *keys)
        rows = subscriptions.open_of(session, keys, list_id)
        for row in rows:
            end_one(session, row, how, now, policy)
        audit.write(session, replace(act, count=len(rows)) if rows else None)
        return len(rows)
