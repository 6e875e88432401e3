"""How evidence is sealed: what of a row is hashed, and what a seal says; the same text on both databases, for ever."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from subscriptions.domain import merkle

SALT = 16  # octets
NOTHING = bytes(32)  # the hash of the seal before the first
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def time(at: datetime) -> str:
    """To the microsecond, as it is stored."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical(payload: Mapping[str, Any]) -> bytes:
    """JSON with sorted members and no blanks. What a relay has said may hold half a character: it is hashed as well."""
    return _canonical(payload).encode("utf-8", "surrogatepass")


def committed(salt: bytes, told: bytes) -> bytes:
    """It binds to what is told and says nothing of it; without the salt nobody finds out by trying."""
    return hashlib.sha256(salt + told).digest()


def fits(salt: bytes, told: bytes, hash_: bytes) -> bool:
    """Whether that is what was committed to; with a longer salt, its end could pass for a beginning that was told."""
    return len(salt) == SALT and committed(salt, told) == hash_


def leaf(payload: bytes, ip: bytes | None) -> bytes:
    """The hash of a leaf, from its two commitments."""
    return merkle.leaf(payload + (ip or b""))


@dataclass(frozen=True, slots=True)
class Seal:
    """A block of leaves. `settled`: up to that id every row of evidence is sealed in it or before, or was deleted.

    `earlier`: the hash of the seal whose number is this one's without its lowest bit, so that a few seals lead from any
    to any before it.
    """

    block: int
    first: int
    last: int
    settled: int
    root: bytes
    previous: bytes
    earlier: bytes
    sealed_at: datetime
    key: bytes  # the public one, of which each is its own fingerprint
    signature: bytes = b""

    @property
    def text(self) -> str:
        """What is signed."""
        said = {"block": self.block, "first": self.first, "last": self.last, "settled": self.settled,
                "root": self.root.hex(), "previous": self.previous.hex(), "earlier": self.earlier.hex(),
                "sealed_at": time(self.sealed_at), "key": self.key.hex()}  # fmt: skip
        return "yestwice seal 1\n" + "".join(f"{name}: {value}\n" for name, value in said.items())

    @property
    def hash(self) -> bytes:
        """What the seal after it names, and what the head is; it covers the signature, too."""
        return hashlib.sha256(f"{self.text}signature: {self.signature.hex()}\n".encode()).digest()


WIDTH, _CHUNK = 72, 64


def head(seal: Seal) -> str:
    """As it is printed, mailed and kept: what was signed, by what, and the hash of both, in lines that mails leave."""
    lines = [*seal.text.splitlines(), f"signature: {seal.signature.hex()}", f"hash: {seal.hash.hex()}"]
    return "".join(f"{line if len(line) <= WIDTH else _folded(line)}\n" for line in lines)


def _folded(line: str) -> str:
    name, _, value = line.partition(": ")
    return "\n  ".join([f"{name}:", *(value[start : start + _CHUNK] for start in range(0, len(value), _CHUNK))])


_NUMBERS, _OCTETS = ("block", "first", "last", "settled"), ("root", "previous", "earlier", "key", "signature")
_NAMES = {*_NUMBERS, *_OCTETS, "sealed_at", "hash"}
_LINE, _MORE = re.compile(r"\W*(\w+):\s*(\S*)\s*"), re.compile(r"\W*([0-9a-f]+)\s*")


def read_head(text: str) -> Seal:
    """The same read again, whatever stands around it, also as an answer quotes it; raises ValueError."""
    said, name = dict.fromkeys(_NAMES, ""), ""
    for line in text.splitlines():
        if (found := _LINE.fullmatch(line)) and found[1] in _NAMES:
            name, said[found[1]] = found[1], found[2]
        elif name and (more := _MORE.fullmatch(line)):
            said[name] += more[1]
        else:
            name = ""
    return read(said)


def read(said: Mapping[str, Any]) -> Seal:
    """A seal from the members of its text, whose hash must be the one that is said; raises ValueError."""
    try:
        octets = {name: bytes.fromhex(said[name]) for name in _OCTETS}
        values: dict[str, Any] = octets | {name: int(said[name]) for name in _NUMBERS}
        made = Seal(**values, sealed_at=datetime.fromisoformat(said["sealed_at"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise ValueError("it lacks something that a head has") from None
    if made.hash.hex() != said.get("hash"):
        raise ValueError("its hash is not that of its text")
    return made


def without_lowest_bit(block: int) -> int:
    return block & (block - 1)


def way(newest: int, block: int) -> Iterator[int]:
    """The numbers of the seals that lead from the newest down to one, each of which names the next."""
    while newest > block:
        yield newest
        shorter = without_lowest_bit(newest)
        newest = shorter if shorter >= block else newest - 1
    yield block


def ranges(numbers: Iterable[int]) -> str:
    """Numbers as people write them: 1-5,7,9-12."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def spans(text: str) -> Sequence[tuple[int, int]]:
    """The same read again: the first and the last of each run; raises ValueError."""
    pairs = (part.partition("-") for part in text.split(",") if part)
    return [(int(first), int(last or first)) for first, _, last in pairs]
