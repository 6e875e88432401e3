"""What waits for a human: letters that are kept here, and those in the mailbox, looked at as the page is opened."""

import zlib
from datetime import datetime, timedelta
from typing import NamedTuple

from subscriptions.actions import arrived as acts
from subscriptions.inbound import imap
from subscriptions.inbound.door import mark_of
from subscriptions.inbound.house import House, house_of
from subscriptions.inbound.letters import key_of, sender_of
from subscriptions.inbound.message import LOOKED_AT, Arrived, TooMuch, head, read
from subscriptions.parts import Parts
from subscriptions.store import audit
from subscriptions.store.audit import Act

SHOWN, NOT_OLDER = 50, timedelta(days=365)  # of those in the mailbox


class ToRead(NamedTuple):
    """`id`: k and its number where it is kept here; i, how the server numbers, and its number if in the mailbox."""

    id: str
    sender: str
    subject: str
    at: datetime | None
    address: str = ""
    key: bytes | None = None
    words: str = ""
    sha256: bytes = b""
    left_out: int = 0  # octets

    @property
    def is_kept(self) -> bool:
        return self.id.startswith("k")


def kept() -> list[ToRead]:
    return [ToRead(f"k{row.id}", row.sender, row.subject, row.at) for row in acts.letters()]


def in_mailbox(parts: Parts) -> list[ToRead]:
    """Those that nobody has read and that a human wrote, the newest first. Raises NoMailbox."""
    house = house_of(parts)
    with imap.opened(parts.settings.inbound) as folder:
        uids = folder.uids(0, house.now - NOT_OLDER, "UNSEEN", "UNDRAFT")[-SHOWN:]
        seen = {f"i{folder.validity}-{one.uid}": one.octets for one in folder.heads(uids)}
    found = {id_: arrived for id_, octets in seen.items() if (arrived := _of(octets or b""))}
    marks = {id_: mark_of(arrived, house.links).message_key for id_, arrived in found.items()}
    acted = acts.known([key for key in marks.values() if key])
    wanted = [id_ for id_, one in found.items() if marks[id_] not in acted and not one.is_automatic]
    return [_told(id_, found[id_], house) for id_ in reversed(wanted)]


def find(parts: Parts, id_: str) -> ToRead | None:
    """With what is in it, of the mailbox for its hash alone. Raises NoMailbox."""
    house = house_of(parts)
    if id_.startswith("k"):
        row = acts.letter(_number(id_[1:]))
        octets = zlib.decompress(row.octets) if row else b""
        arrived = _of(octets) or _of(head(octets))
        if row is None or arrived is None:
            return row and ToRead(id_, row.sender, row.subject, row.at, sha256=row.sha256, left_out=row.size)
        told = _told(id_, arrived, house)
        return told._replace(at=row.at, words=arrived.words, sha256=row.sha256, left_out=row.size - len(octets))
    if not parts.settings.inbound.imap_host:
        return None
    with imap.opened(parts.settings.inbound) as folder:
        seen = folder.whole(uid := _uid(id_, folder))
        if seen and seen.octets is None:
            seen = next(folder.heads([uid]), None)
    arrived = _of(seen.octets) if seen and seen.octets else None
    return _told(id_, arrived, house) if arrived else None


def close(parts: Parts, id_: str, act: Act) -> bool:
    """Somebody has dealt with it: it goes, or is marked as read in the mailbox. Whether it was still there."""
    if id_.startswith("k"):
        return acts.settle(_number(id_[1:]), act)
    if not parts.settings.inbound.imap_host:
        return False
    with imap.opened(parts.settings.inbound) as folder:
        if uid := _uid(id_, folder):
            folder.mark_seen([uid])
    audit.note(act)
    return bool(uid)


def _uid(id_: str, folder: imap.Folder) -> int:
    """Nought, which is no message, where the server numbers anew since that page was opened."""
    validity, _, uid = id_[1:].partition("-")
    return _number(uid) if validity == str(folder.validity) else 0


def _number(text: str) -> int:
    """Nought for what is none of ours, and more than databases and servers count to."""
    return int(text) if text.isdecimal() and len(text) < 11 else 0


def _of(octets: bytes) -> Arrived | None:
    try:
        return read(octets[:LOOKED_AT])
    except TooMuch:
        return None


def _told(id_: str, arrived: Arrived, house: House) -> ToRead:
    address = arrived.authors[0] if len(arrived.authors) == 1 else ""
    key = key_of(address, house) if address else None
    return ToRead(id_, sender_of(arrived), arrived.subject, arrived.sent_at, address, key, sha256=arrived.sha256)
