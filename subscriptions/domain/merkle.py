"""Merkle trees as RFC 6962 (2.1) builds them: of the hashes of leaves, their root, and the path from one to it."""

import hashlib
from collections.abc import Sequence


def leaf(told: bytes) -> bytes:
    """The hash of a leaf; it begins otherwise than that of a node, so that none passes for the other."""
    return hashlib.sha256(b"\x00" + told).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Of one leaf or more: level by level, an odd one goes up as it is, which is the tree of the RFC."""
    level = leaves
    while len(level) > 1:
        level = _above(level)
    return level[0]


def _above(level: Sequence[bytes]) -> list[bytes]:
    above = [node(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
    return [*above, level[-1]] if len(level) % 2 else above


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """What `climb` needs besides the leaf of that place, from below (RFC 6962, 2.1.1)."""
    level, found = leaves, []
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            found.append(level[beside])
        level, index = _above(level), index // 2
    return found


def climb(told: bytes, index: int, size: int, beside: Sequence[bytes]) -> bytes | None:
    """The root to which a path leads from a leaf; None for one of another length."""
    rest, hash_ = [*beside], told
    while size > 1:
        if index ^ 1 < size:
            if not rest:
                return None
            other = rest.pop(0)
            hash_ = node(other, hash_) if index % 2 else node(hash_, other)
        index, size = index // 2, (size + 1) // 2
    return None if rest else hash_
