"""The walk along the chain, from its first leaf: it ends at the first thing that is wrong, and says what."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from subscriptions.domain import merkle, seal
from subscriptions.domain.address import BadAddress, parse
from subscriptions.domain.seal import NOTHING, Seal
from subscriptions.links.seal_key import is_signed
from subscriptions.store import chain
from subscriptions.store.chain import LeafRow, SealRow
from subscriptions.witness.rows import Rows, Wrong


@dataclass(slots=True)
class Verdict:
    """`wrong`: the first thing, in a sentence; none: everything fits."""

    wrong: str | None = None
    leaves: int = 0
    head: Seal | None = None
    unsealed: int = 0
    compared_with_key: bool = False  # that of this installation; else whoever made the chain may have made all of it
    unsealed_removals: int = 0  # entries of the deletion log: they excuse what is gone, and nothing shows since when


KeyOf = Callable[[str], bytes]
Progress = Callable[[int], object]


def verify(
    session: Session, public: bytes | None, key_of: KeyOf | None, against: Seal | None = None,
    progress: Progress = lambda n: None,
) -> Verdict:  # fmt: skip
    """`public`: the key that must have signed; `key_of`: by which an address and its key are compared; where known.

    `against`: a head that was kept elsewhere: the chain must have come to it.
    """
    verdict = Verdict(compared_with_key=public is not None)
    try:
        _walk(session, public, against, progress, verdict)
        _rest(session, key_of, against, verdict)
    except Wrong as error:
        verdict.wrong = str(error)
    return verdict


def _walk(session: Session, public: bytes | None, against: Seal | None, progress: Progress, verdict: Verdict) -> None:
    rows, leaves = Rows(session), chain.leaves(session)
    hashes = {0: NOTHING}  # of the seals that a later one names
    for row in chain.seals(session):
        last = verdict.head
        made = _seal(row, last, hashes, public or (last.key if last else None))
        block = [*_taken(leaves, made)]
        if merkle.root([_leaf(one) for one in block]) != made.root:
            raise Wrong(f"The leaves {made.first} to {made.last} do not fit the seal of block {made.block}: "
                        "one of them was altered, removed, inserted or swapped.")  # fmt: skip
        for one in block:
            rows.check(one)
        if against and against.block == made.block and against.hash != made.hash:
            raise Wrong(f"Block {made.block} is another than the head says: what was sealed by then was made anew.")
        verdict.head, verdict.leaves = made, made.last
        progress(len(block))
        hashes = {number: hashes[number] for number in _named_later(made.block) if number in hashes}
        hashes[made.block] = made.hash
    if (more := next(leaves, None)) is not None:
        raise Wrong(f"Leaf {more.number} stands in no seal: the seals behind block "
                    f"{verdict.head.block if verdict.head else 0} were removed, or it was inserted.")  # fmt: skip


def _named_later(block: int) -> Iterator[int]:
    """Which seals the next ones may name besides this one."""
    while block:
        block = seal.without_lowest_bit(block)
        yield block


def _seal(row: SealRow, last: Seal | None, hashes: dict[int, bytes], public: bytes | None) -> Seal:
    """The seal of a row, if it fits the one before it."""
    number, first = (last.block + 1, last.last + 1) if last else (1, 1)
    if row.block != number:
        raise Wrong(f"There is a gap: the seal of block {number} was removed.")
    try:
        at = datetime.fromisoformat(row.sealed_at)
        octets = {name: bytes(getattr(row, name)) for name in _OCTETS}
        made = Seal(**row._asdict() | octets | {"sealed_at": at})
        fits = (made.previous, made.earlier, made.first) == (
            hashes[number - 1], hashes[seal.without_lowest_bit(number)], first)  # fmt: skip
        is_signed_well = is_signed(made.key, made.text, made.signature)
    except (TypeError, ValueError, AttributeError):
        fits = is_signed_well = False
    if not fits or not is_signed_well:
        raise Wrong(f"The seal of block {number} does not fit: it was altered, or one before it.")
    if public is not None and made.key != public:
        raise Wrong(f"The seal of block {number} was made with another key than that of this installation.")
    return made


_OCTETS = ("root", "previous", "earlier", "key", "signature")


def _taken(leaves: Iterator[LeafRow], made: Seal) -> Iterator[LeafRow]:
    """The leaves of a block, without a gap."""
    for number in range(made.first, made.last + 1):
        one = next(leaves, None)
        if one is None or one.number != number:
            raise Wrong(f"There is a gap: leaf {number} was removed." if one is None or one.number > number
                        else f"Leaf {one.number} was inserted before the first.")  # fmt: skip
        yield one


def _leaf(one: LeafRow) -> bytes:
    try:
        return seal.leaf(bytes(one.payload), None if one.ip is None else bytes(one.ip))
    except TypeError:
        raise Wrong(f"Leaf {one.number} was altered: it holds no hash.") from None


def _rest(session: Session, key_of: KeyOf | None, against: Seal | None, verdict: Verdict) -> None:
    """What stands in no leaf."""
    head = verdict.head
    inserted, verdict.unsealed = chain.unsealed(session, head.settled if head else 0)
    verdict.unsealed_removals = chain.unsealed_removals(session)
    if inserted is not None:
        raise Wrong(f"Row {inserted} of the evidence was inserted: all of its time was sealed, and it was not there.")
    if against and (head is None or head.block < against.block):
        raise Wrong(f"The chain ends at block {head.block if head else 0}, and the head is of block {against.block}: "
                    "the end was cut off, or an older copy was put back.")  # fmt: skip
    for table, id_, address, key in chain.addresses(session) if key_of else ():
        if key_of and _key(address, key_of) != key:
            raise Wrong(f"Row {id_} of {table} was altered: its address is another than that of its sign-up.")


def _key(address: Any, key_of: KeyOf) -> bytes:
    try:
        return key_of(parse(address).folded)
    except (BadAddress, TypeError, AttributeError):  # what was taken by the rules of an earlier version
        return key_of(str(address).lower())
