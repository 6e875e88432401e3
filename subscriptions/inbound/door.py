"""The one door of the mail that comes: sorted, acted on and remembered."""

from subscriptions.actions import arrived as acts
from subscriptions.actions.arrived import Mark
from subscriptions.domain.arrivals import Outcome
from subscriptions.inbound.house import House
from subscriptions.inbound.message import Arrived
from subscriptions.inbound.sorting import sort
from subscriptions.links import Links


def take(arrived: Arrived, house: House) -> Outcome:
    """What a message asks for is done, once. Raises Unavailable: then nothing was, and it may be taken again."""
    found = sort(arrived, house)
    return acts.once(mark_of(arrived, house.links), found.sort, house.now,
                     lambda session: found.act(session, arrived, house))  # fmt: skip


def mark_of(arrived: Arrived, links: Links) -> Mark:
    return Mark(arrived.sha256, links.message_key(arrived.message_id) if arrived.message_id else None)
