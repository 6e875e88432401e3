"""Merkle trees against the words of RFC 6962 (2.1), written down once more; and what seals say of numbers."""

import hashlib
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from subscriptions.domain import merkle, seal

LEAVES = st.lists(st.binary(min_size=1, max_size=4), min_size=1, max_size=70)


def mth(leaves: list[bytes]) -> bytes:
    """Merkle Tree Hash: the left part has the largest power of two that is smaller than all."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


@given(LEAVES)
def test_the_root_is_that_of_the_rfc_and_each_path_leads_to_it(leaves: list[bytes]) -> None:
    hashes = [merkle.leaf(one) for one in leaves]
    root = merkle.root(hashes)
    assert root == mth(leaves)
    for index, one in enumerate(hashes):
        path = merkle.path(hashes, index)
        assert merkle.climb(one, index, len(hashes), path) == root
        assert merkle.climb(one, index, len(hashes), [*path, root]) is None
        assert not path or merkle.climb(one, index, len(hashes), path[:-1]) != root
        assert merkle.climb(merkle.leaf(b"another"), index, len(hashes), path) != root


@given(st.sets(st.integers(1, 60)))
def test_ranges_are_read_as_they_were_written(numbers: set[int]) -> None:
    said = seal.spans(seal.ranges(numbers))
    assert {number for first, last in said for number in range(first, last + 1)} == numbers


@given(st.integers(1, 5000), st.data())
def test_few_seals_lead_from_any_to_any_before_it_each_naming_the_next(newest: int, data: st.DataObject) -> None:
    block = data.draw(st.integers(1, newest))
    way, bits = [*seal.way(newest, block)], newest.bit_length()
    assert (way[0], way[-1]) == (newest, block) and len(way) <= bits * (bits + 1) / 2
    assert all(after in (one - 1, seal.without_lowest_bit(one)) for one, after in pairwise(way))
