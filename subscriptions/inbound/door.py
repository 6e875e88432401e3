"""The one door of the mail that comes: sorted, acted on and remembered."""

import logging

from subscriptions.actions import arrived as acts
from subscriptions.actions.arrived import Mark
from subscriptions.domain.arrivals import Outcome
from subscriptions.inbound.house import House
from subscriptions.inbound.message import Arrived, TooMuch, read
from subscriptions.inbound.sorting import sort
from subscriptions.links import Links
from subscriptions.store.engine import Contention, Unavailable

log = logging.getLogger(__name__)


def take(arrived: Arrived, house: House) -> Outcome:
    """What a message asks for is done, once. Raises Unavailable: then nothing was, and it may be taken again."""
    found = sort(arrived, house)
    return acts.once(mark_of(arrived, house.links), found.sort, house.now,
                     lambda session: found.act(session, arrived, house))  # fmt: skip


def attempt(
    octets: bytes, house: House, sender: str | None = None, recipient: str | None = None
) -> tuple[Outcome, Arrived | None]:
    """The same of what may be anything: what cannot be sorted, also by a fault of ours, is for a human."""
    arrived = None
    try:
        arrived = read(octets, sender, recipient)
        return take(arrived, house), arrived
    except (Unavailable, Contention):
        raise
    except TooMuch:
        return Outcome.UNCLEAR, None
    except Exception as error:  # its text may be the message's, so the log has its kind alone
        log.error("a message could not be sorted", extra={"error": type(error).__name__})
        return Outcome.UNCLEAR, arrived


def mark_of(arrived: Arrived, links: Links) -> Mark:
    return Mark(arrived.sha256, links.message_key(arrived.message_id) if arrived.message_id else None)
