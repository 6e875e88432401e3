"""The mailbox, looked at again and again: what is new is sorted, and what we do not act on stays as it is."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from subscriptions.actions import arrived as acts
from subscriptions.domain.arrivals import ACTED, LOOKS_BACK, Outcome
from subscriptions.inbound import imap
from subscriptions.inbound.door import attempt
from subscriptions.inbound.house import House, house_of
from subscriptions.inbound.imap import Folder, NoMailbox
from subscriptions.parts import Parts

AT_MOST = 200  # messages of one run; the next goes on
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(minutes=30)  # until a mailbox that cannot be read is tried again
_SEEN, _FAULT = "inbound_seen", "inbound_fault"


class Fault(NamedTuple):
    """That the mailbox cannot be read: since when, why, and when it is tried next."""

    since: datetime
    next_try: datetime
    why: str


def fault() -> Fault | None:
    if not (said := acts.noted(_FAULT)):
        return None
    since, next_try, why = json.loads(said)
    return Fault(datetime.fromisoformat(since), datetime.fromisoformat(next_try), why)


def poll(parts: Parts, alive: Callable[[], bool] = lambda: True, *, asked: bool = False) -> Counter[Outcome]:
    """Look at what has come; raises NoMailbox. By the clock not before its time, where the last look failed."""
    now, before = parts.clock.now(), fault()
    if before and now < before.next_try and not asked:
        return Counter()
    done = Counter[Outcome]()
    try:
        with imap.opened(parts.settings.inbound) as folder:
            _look(folder, parts, alive, done)
    except NoMailbox as error:
        since = before.since if before else now
        again = now + min(max(now - since, SHORTEST), LONGEST)
        acts.note(_FAULT, json.dumps([since.isoformat(), again.isoformat(), str(error)]))
        raise
    if before:
        acts.note(_FAULT, "")
    return done


def _look(folder: Folder, parts: Parts, alive: Callable[[], bool], done: Counter[Outcome]) -> None:
    """How far it has come is noted at its end: what a run that died has acted on, the next one finds known."""
    house, acted, mark = house_of(parts), list[int](), _mark(folder, parts)
    last = _last(mark)
    try:
        for uid in folder.uids(last, house.now - LOOKS_BACK, "UNDRAFT")[:AT_MOST]:
            if not alive():
                break
            outcome = _one(folder, uid, house)
            done[outcome] += 1
            last = uid
            acted += [uid] if outcome in {*ACTED, Outcome.REPEATED} else []
    finally:
        folder.mark_seen(acted)
        acts.note(_SEEN, f"{mark} {last}")


def _one(folder: Folder, uid: int, house: House) -> Outcome:
    found = folder.whole(uid)
    if found is None or found.octets is None:
        return Outcome.UNCLEAR if found else Outcome.NOTHING
    return attempt(found.octets, house)[0]


def _mark(folder: Folder, parts: Parts) -> str:
    """Which folder, numbered how: if any of it changes, all of what is new enough is looked at again."""
    inbound = parts.settings.inbound
    named = f"{inbound.imap_host} {inbound.imap_username} {inbound.imap_folder}"
    return f"{parts.links.domain_name(named)} {folder.validity}"


def _last(mark: str) -> int:
    said, _, last = (acts.noted(_SEEN) or "").rpartition(" ")
    return int(last) if said == mark else 0
