"""Seal: what has become evidence since, a block at a time; nobody who signs up waits for it."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import NamedTuple

from sqlalchemy.orm import Session

from subscriptions.domain import merkle, seal
from subscriptions.domain.seal import NOTHING, SALT, Seal, canonical, committed
from subscriptions.links.seal_key import SealKey
from subscriptions.store import evidence_told, removals, sealing, seals
from subscriptions.store.engine import Contention, reading, repeated, transaction
from subscriptions.store.evidence_told import Slugs, Told
from subscriptions.store.models import Removal
from subscriptions.store.sealing import NewLeaf

BATCH = 1000  # leaves of a block
BY_THE_CLOCK = 50  # blocks of one run: a flood of sign-ups, or all that an upgrade finds, is sealed by and by


class _Block(NamedTuple):
    """What a block will hold, hashed before the transaction that writes it begins."""

    last: Seal | None  # the seal before it
    rows: Sequence[Told]
    leaves: list[NewLeaf]
    settled: int


def whole(now: datetime, key: SealKey, alive: Callable[[], bool], at_most: int | None = None) -> int:
    """Block after block until nothing waits, or the run is no longer ours; how many leaves. `at_most`: so many blocks.

    A row takes some 23 us: with as many blocks a minute as by the clock, a fiftieth of one processor.
    """
    total = 0
    for number in count(1):
        done = block(now, key)
        total += done
        if not done or number == at_most or not alive():
            break
    return total


@repeated
def block(now: datetime, key: SealKey) -> int:
    """One block of what waits; how many leaves it has. There is no leaf without its seal: all or nothing."""
    with reading() as session:
        made = _prepared(session)
    if made.leaves:
        with transaction() as session:
            sealing.keep_out(session, sealer=True)
            _refuse_what_changed(session, made)
            _write(session, made, now, key)
            sealing.note_bound(session)
    return len(made.leaves)


def _prepared(session: Session) -> _Block:
    last, bound = seals.newest(session), sealing.settled(session)
    before, numbers = (last.settled, count(last.last + 1)) if last else (0, count(1))
    logged = removals.unsealed(session, BATCH)
    rows = evidence_told.unsealed(session, before, BATCH - len(logged))
    lists, salts = evidence_told.slugs(session), _salts(len(logged) + 2 * len(rows))
    leaves = [_of_removal(row, next(numbers), next(salts)) for row in logged]
    leaves += [_of_evidence(row, lists, next(numbers), next(salts), next(salts)) for row in rows]
    return _Block(last, rows, leaves, _settled(before, bound, rows, len(leaves) == BATCH))


def _of_removal(row: Removal, number: int, salt: bytes) -> NewLeaf:
    return NewLeaf(number, None, row.id, salt, None, committed(salt, canonical(removals.payload(row))), None)


def _of_evidence(row: Told, lists: Slugs, number: int, salt: bytes, ip_salt: bytes) -> NewLeaf:
    payload = committed(salt, canonical(evidence_told.payload(row, lists)))
    if not row.ip:
        return NewLeaf(number, row.id, None, salt, None, payload, None)
    return NewLeaf(number, row.id, None, salt, ip_salt, payload, committed(ip_salt, row.ip.encode()))


def _salts(number: int) -> Iterator[bytes]:
    octets = os.urandom(number * SALT)
    return (octets[start : start + SALT] for start in range(0, len(octets), SALT))


def _settled(before: int, bound: int | None, rows: Sequence[Told], is_full: bool) -> int:
    """Up to which id all is sealed once this block is, and nothing can appear any more."""
    last = rows[-1].id if rows else before
    if bound is None:
        return max(before, last)
    return max(before, min(bound, last) if is_full else bound)


def _refuse_what_changed(session: Session, made: _Block) -> None:
    """Another may have sealed since, or somebody may have been deleted; then it is begun again."""
    there = len(made.rows), sum(1 for row in made.rows if row.ip)
    if seals.newest(session) != made.last or sealing.still_there(session, [row.id for row in made.rows]) != there:
        raise Contention("what was to be sealed has changed")


def _write(session: Session, made: _Block, now: datetime, key: SealKey) -> None:
    last, number = made.last, made.last.block + 1 if made.last else 1
    earlier = seals.find(session, seal.without_lowest_bit(number))
    root = merkle.root([seal.leaf(leaf.payload, leaf.ip) for leaf in made.leaves])
    unsigned = Seal(
        number, made.leaves[0].number, made.leaves[-1].number, made.settled, root,
        last.hash if last else NOTHING, earlier.hash if earlier else NOTHING, now, key.public,
    )  # fmt: skip
    sealing.add(session, made.leaves)
    seals.add(session, replace(unsigned, signature=key.sign(unsigned.text)))
