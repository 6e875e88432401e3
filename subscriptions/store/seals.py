"""The chain of seals: what is known of it, and what shows that an event is in it."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from subscriptions import clock
from subscriptions.domain import merkle, seal
from subscriptions.domain.seal import Seal
from subscriptions.store import evidence_told, meta
from subscriptions.store.models import Leaf
from subscriptions.store.models import Seal as Row

TOLD = "heads_told"  # row of meta: when a head was last noted, to be mailed, and the blocks of all that were
_MEMBERS = [field.name for field in fields(Seal)]


def newest(session: Session) -> Seal | None:
    row = session.scalar(select(Row).order_by(Row.block.desc()).limit(1))
    return row and _read(row)


def find(session: Session, block: int) -> Seal | None:
    row = session.get(Row, block)
    return row and _read(row)


def _read(row: Row) -> Seal:
    return Seal(**{name: getattr(row, name) for name in _MEMBERS})


class Noted(NamedTuple):
    """The heads that were told outside, by their blocks, and when the last one was."""

    at: datetime
    blocks: list[int]


def noted(session: Session) -> Noted | None:
    at, *blocks = (meta.get(session, TOLD) or "").split(" ")
    return Noted(datetime.fromisoformat(at), [*map(int, blocks)]) if at else None


def note(session: Session, block: int, now: datetime) -> None:
    last = noted(session)
    meta.put(session, TOLD, " ".join([clock.text(now), *map(str, [*(last.blocks if last else ()), block])]))


def told_last(session: Session) -> Seal | None:
    """The head that is mailed: the last that was noted, so that proofs lead to it."""
    last = noted(session)
    return find(session, last.blocks[-1]) if last else None


def add(session: Session, made: Seal) -> None:
    session.add(Row(**{name: getattr(made, name) for name in _MEMBERS}))
    session.flush()


def inclusion(session: Session, evidence_ids: Collection[int], heads: Collection[int] = ()) -> dict[str, Any]:
    """What shows that these events are sealed, for a proof (`sealed` of proof.json); octets in hex, ready for JSON.

    `events`: by the id of the evidence, as text; one that is not sealed yet, or was deleted, is absent. Each has
      - `leaf`: its number; `block`, `index`, `size`: in which block, at which place (from 0) of how many;
      - `payload`: what is hashed, by `domain.seal.canonical` (JSON, members sorted, no blanks, UTF-8);
      - `salt`, `payload_commitment`: SHA-256 of salt and payload;
      - `ip`, `ip_salt`, `ip_commitment`: likewise of the IP in ASCII; all null where there was none, the first two
        where its period is over;
      - `path`: hashes from below (RFC 6962, 2.1.1) that lead from SHA-256(0x00, payload_commitment, ip_commitment) to
        the root of its block.
    `seals`: the newest one, then down to the oldest block concerned, all those by which one leads to the next: each
      names, as `previous` or `earlier`, the hash of a later one of these. `text`: what is signed; `signature`; `hash`:
      SHA-256 of the text and the line "signature: …"; and the members of the text by their names.
    `public_key`: by which they are signed; whoever checks compares it with the one that the head names.
    `heads`: blocks of seals that somebody has kept. From each of them a way leads down as well; also from the first
    and the last of the heads that were mailed since.
    """
    lists = evidence_told.slugs(session)
    rows = {row.id: row for row in evidence_told.those(session, evidence_ids)}
    theirs = select(Leaf).where(Leaf.evidence_id.in_([*rows]), Leaf.salt.is_not(None)).order_by(Leaf.number)
    events: dict[str, Any] = {}
    blocks: dict[int, Seal] = {}
    for leaf in session.scalars(theirs):
        block = next((one for one in blocks.values() if one.first <= leaf.number <= one.last), None)
        block = block or _around(session, leaf.number)
        blocks[block.block] = block
        row = rows[leaf.evidence_id or 0]
        events[str(row.id)] = {
            "leaf": leaf.number, "payload": evidence_told.payload(row, lists), "salt": _hex(leaf.salt),
            "payload_commitment": _hex(leaf.payload), "ip": row.ip if leaf.ip_salt else None,
            "ip_salt": _hex(leaf.ip_salt), "ip_commitment": _hex(leaf.ip), **_place(session, leaf.number, block),
        }  # fmt: skip
    key = next((one.key.hex() for one in blocks.values()), None)
    return {"events": events, "seals": _ways(session, [*blocks], heads), "public_key": key}


def _hex(octets: bytes | None) -> str | None:
    return None if octets is None else octets.hex()


def _around(session: Session, number: int) -> Seal:
    """The block of a leaf."""
    row = session.scalars(select(Row).where(Row.last >= number).order_by(Row.block).limit(1)).one()
    return _read(row)


def _place(session: Session, number: int, block: Seal) -> dict[str, Any]:
    which = Leaf.number.between(block.first, block.last)
    found = session.execute(select(Leaf.payload, Leaf.ip).where(which).order_by(Leaf.number))
    hashes, index = [seal.leaf(payload, ip) for payload, ip in found], number - block.first
    path = [one.hex() for one in merkle.path(hashes, index)]
    return {"block": block.block, "index": index, "size": len(hashes), "path": path}


def _ways(session: Session, blocks: Sequence[int], heads: Collection[int]) -> list[dict[str, Any]]:
    last = newest(session)
    if not blocks or last is None:
        return []
    mailed = [block for block in (noted(session) or Noted(last.sealed_at, [])).blocks if block >= min(blocks)]
    ends = {last.block, *heads, *mailed[:1], *mailed[-1:]}
    numbers = {number for end in ends for block in blocks if end >= block for number in seal.way(end, block)}
    found = session.scalars(select(Row).where(Row.block.in_(sorted(numbers))).order_by(Row.block.desc()))
    return [told(_read(row)) for row in found]


def told(one: Seal) -> dict[str, Any]:
    """A seal for programs, its octets in hex."""
    values = {name: getattr(one, name) for name in _MEMBERS}
    plain = {name: value.hex() if isinstance(value, bytes) else value for name, value in values.items()}
    return plain | {"sealed_at": seal.time(one.sealed_at), "hash": one.hash.hex(), "text": one.text}
