"""Whether the sealed part of a proof fits: offline, with nothing but the document and a head."""

from collections.abc import Mapping, Sequence
from typing import Any

from subscriptions.domain import merkle, seal
from subscriptions.domain.seal import Seal, canonical, committed
from subscriptions.links.seal_key import is_signed
from subscriptions.witness.rows import Wrong

Json = Mapping[str, Any]


def verify(document: Json, public: bytes | None, head: Seal | None) -> tuple[int, int, Seal]:
    """How many events are sealed, how many of them after that head, and the newest seal; raises Wrong.

    `public`: the key that must have signed, where it is known; `head`: one that was kept elsewhere, to which the seals
    of the document must lead.
    """
    try:
        sealed = document["sealed"]
        events, seals = sealed["events"], [_seal(one, sealed["public_key"]) for one in sealed["seals"]]
        by_block = {one.block: one for one in seals}
        for id_, event in events.items():
            _check(id_, event, by_block)
        blocks = [event["block"] for event in events.values()]
        newest = max(seals, key=lambda one: one.block, default=None)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Wrong("This is no proof of this program, or a part of it is missing.") from None
    if newest is None or not blocks:
        raise Wrong("No event of this proof is sealed.")
    if public is not None and newest.key != public:
        raise Wrong("The proof was sealed with another key than that of this installation.")
    later = [block for block in blocks if head and block > head.block]
    _lead(seals, newest.hash, blocks)
    if head:
        if head.key != newest.key:
            raise Wrong("The head was signed with another key than the proof.")
        _lead(seals, head.hash, [block for block in blocks if block <= head.block])
    return len(blocks), len(later), newest


def _lead(seals: Sequence[Seal], end: bytes, blocks: Sequence[int]) -> None:
    """From that seal down to these: each names, by its hash, one before it."""
    hashes, reached = {end}, set()
    for one in sorted(seals, key=lambda one: -one.block):
        if one.hash in hashes:
            hashes |= {one.previous, one.earlier}
            reached.add(one.block)
    if missed := sorted({*blocks} - reached):
        raise Wrong(f"Nothing leads from the head to the seal of block {missed[0]}: it was made anew, or the proof "
                    "was made without this head (make it again).")  # fmt: skip


def _seal(said: Json, public_key: str) -> Seal:
    try:
        one = seal.read(said)
    except ValueError:
        raise Wrong(f"The seal of block {said.get('block')} was altered.") from None
    if one.key.hex() != public_key or one.text != said["text"] or not is_signed(one.key, one.text, one.signature):
        raise Wrong(f"The seal of block {one.block} is not signed with the key of this proof.")
    return one


def _check(id_: str, event: Json, by_block: Mapping[int, Seal]) -> None:
    said, payload = f"Event {id_}", bytes.fromhex(event["payload_commitment"])
    if str(event["payload"]["id"]) != id_ or committed(_octets(event["salt"]), canonical(event["payload"])) != payload:
        raise Wrong(f"{said} was altered: it is not what was sealed.")
    ip = _octets(event["ip_commitment"]) or None
    if event["ip"] is not None and (ip is None or committed(_octets(event["ip_salt"]), event["ip"].encode()) != ip):
        raise Wrong(f"{said} was altered: its IP address is not the one that was sealed.")
    block, place = by_block[event["block"]], event["leaf"] - event["index"]
    path = [bytes.fromhex(one) for one in event["path"]]
    root = merkle.climb(seal.leaf(payload, ip), event["index"], event["size"], path)
    if root != block.root or place != block.first or place + event["size"] - 1 != block.last:
        raise Wrong(f"{said} does not stand in the seal of block {block.block}.")


def _octets(text: str | None) -> bytes:
    return bytes.fromhex(text or "")
