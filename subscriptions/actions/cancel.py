"""Cancel: the registrations of an attack are erased, and the addresses that it hit are asked no more."""

import ipaddress
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from subscriptions.domain.lifecycle import ATTACKED, Event, Registration, registration_step
from subscriptions.store import addresses, attack, audit, counters, vacuum
from subscriptions.store.attack import Found
from subscriptions.store.audit import Act
from subscriptions.store.engine import reading, repeated, transaction
from subscriptions.store.models import ActorKind

BATCH = 500
ACT = "abuse cancel"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Window:
    """Which sign-ups are meant: of a time (its end not included); of these networks, or all; of a list, or all."""

    since: datetime
    until: datetime
    networks: tuple[Network, ...] = ()
    list_id: int | None = None

    def holds(self, found: Found) -> bool:
        if not self.networks:
            return True
        return found.ip is not None and any(ipaddress.ip_address(found.ip) in network for network in self.networks)

    @property
    def reason(self) -> str:
        return f"attack of {self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC"

    @property
    def details(self) -> dict[str, object]:
        since, until = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (self.since, self.until))
        return {"since": since, "until": until, "networks": [*map(str, self.networks)], "list_id": self.list_id}


@dataclass(slots=True)
class Count:
    """How many registrations, and of how many addresses: a mailbox counts once, however it is spelled."""

    registrations: int = 0
    addresses: int = 0


def look(window: Window) -> Count:
    """What would be cancelled; changes nothing."""
    keys: set[bytes] = set()
    count = Count()
    for found in _found(window):
        count.registrations += len(found)
        keys.update(row.mailbox for row in found)
    count.addresses = len(keys)
    return count


def _found(window: Window) -> Iterator[list[Found]]:
    last = 0
    while True:
        with reading() as session:
            batch = attack.unconfirmed(session, window.since, window.until, window.list_id, last, BATCH)
        if not batch:
            return
        last = batch[-1].id
        yield [row for row in batch if window.holds(row)]


def cancel(
    window: Window, now: datetime, actor: str, kind: ActorKind = ActorKind.COMMAND
) -> Generator[Count, None, None]:  # fmt: skip
    """Erase them in batches, telling of each; the audit says what was found and, at the end, what was done."""
    found, done = look(window), Count()
    if not found.registrations:
        return
    act = Act(now, kind, actor, ACT, details=window.details)
    _note(act, "begun", found)
    try:
        for batch in _found(window):
            if batch:
                count = _cancel(batch, window, now)
                done.registrations += count.registrations
                done.addresses += count.addresses
                yield count
    finally:
        _note(act, "done", done)


def _note(act: Act, how_far: str, count: Count) -> None:
    told = act.of(count.registrations, registrations=count.registrations, addresses=count.addresses)
    audit.note(replace(told, act=f"{ACT} {how_far}"))


@repeated
def _cancel(batch: list[Found], window: Window, now: datetime) -> Count:
    """One batch: locked as a sign-up locks them, so that who confirms at this moment keeps the subscription."""
    for state in (Registration.PENDING, Registration.BLOCKED):
        registration_step(state, Event.CANCEL)
    with transaction() as session:
        addresses.lock(session, *{key for row in batch for key in (row.key, row.mailbox)})
        gone = attack.remove(session, [row.id for row in batch], now)
        spelled = {mailbox: key for key, mailbox in sorted(gone, reverse=True)}
        known = attack.protected(session, spelled, window.reason)
        new = {mailbox: key for mailbox, key in spelled.items() if mailbox not in known}
        attack.protect(session, new, ATTACKED, window.reason, now)
        counters.add(session, {"cancelled": len(gone)})
        vacuum.due(session)
        return Count(len(gone), len(new))
