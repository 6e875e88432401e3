"""Events that a program which sends tells of: mails that came back, spam reports, who left; safe to tell twice."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from subscriptions import deadline
from subscriptions.actions import leave
from subscriptions.actions.ended import BATCH, SPARE, batches
from subscriptions.actions.leave import Withdrawal
from subscriptions.actions.returned import About, Complaint, Effect, Returned, Source, came_back, complain, open_at
from subscriptions.domain.address import KEY_BYTES
from subscriptions.domain.bounces import Weight
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Event
from subscriptions.domain.policy import Policy
from subscriptions.store import addresses, audit, subscriptions
from subscriptions.store.audit import Act
from subscriptions.store.engine import Contention, reading, repeated, transaction

PAGE = 10_000  # keys that are looked through at once
LEFT = "left in the newsletter program"


class Kind(StrEnum):
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Told:
    kind: Kind
    about: About
    at: datetime | None
    weight: Weight = Weight.OTHER
    reply: str = ""
    id: str = ""  # by which the sender knows whose, where that was told and no address


def keys_of(ids: Collection[str], list_id: int, id_of: Callable[[bytes], str]) -> dict[str, bytes]:
    """Of who is subscribed to that list, by the ids that exports tell; one pass finds them all.

    An id is a keyed hash of the key, and kept nowhere.
    """
    found, after = dict[str, bytes](), 0
    while len(found) < len(ids):
        if deadline.left(deadline.ACT) < SPARE:
            raise Contention
        with reading() as session:
            after, page = subscriptions.open_keys(session, list_id, after, PAGE)
        if not after:
            break
        keys = (page[at : at + KEY_BYTES] for at in range(0, len(page), KEY_BYTES))
        found |= {id_: key for key in keys if (id_ := id_of(key)) in ids}
    return found


def with_keys(events: Sequence[Told], ids: Mapping[int, Callable[[bytes], str]]) -> list[Told]:
    """Whom the ids mean, list by list; one that nobody has is nobody's."""
    asked = {list_id: {one.id for one in events if one.id and one.about.list_id == list_id} for list_id in ids}
    keys = {list_id: keys_of(some, list_id, ids[list_id]) for list_id, some in asked.items()}
    return [replace(one, about=one.about._replace(key=keys[one.about.list_id].get(one.id, one.about.key)))
            for one in events]  # fmt: skip


def take(events: Sequence[Told], now: datetime, policy: Policy, act: Act) -> Counter[Effect]:
    """How many had which effect. Raises Contention where the time is over: the same again does the rest."""
    effects = Counter[Effect]()
    for batch in batches(events, BATCH):
        if effects and deadline.left(deadline.ACT) < SPARE:
            raise Contention
        effects.update(_take(batch, now, policy, act))
    return effects


@repeated
def _take(events: Sequence[Told], now: datetime, policy: Policy, act: Act) -> list[Effect]:
    with transaction() as session:
        addresses.lock(session, *(one.about.key for one in events))
        effects = [_one(session, told, now, policy, act.actor) for told in events]
        changed = sum(effect is not Effect.NOTHING for effect in effects)
        audit.write(session, replace(act, count=changed))
        return effects


def _one(session: Session, told: Told, now: datetime, policy: Policy, client: str) -> Effect:
    source = Source(Channel.API, client, told.at and min(told.at, now))
    if told.kind is Kind.BOUNCE:
        return came_back(session, Returned(told.about, source, told.weight, told.reply), now, policy)
    if told.kind is Kind.COMPLAINT:
        return complain(session, Complaint(told.about, source), now, policy)
    row = open_at(session, told.about.key, told.about.list_id, told.at or now)
    if row is None:
        return Effect.NOTHING
    leave.end(session, row, Withdrawal(Event.UNSUBSCRIBE, Channel.API, LEFT, client, told.at), now, policy)
    return Effect.ENDED
