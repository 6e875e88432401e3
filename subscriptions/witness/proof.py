"""Whether the sealed part of a proof fits: offline, with nothing but the document and a head."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from subscriptions.domain import merkle, seal
from subscriptions.domain.seal import Seal, canonical, fits
from subscriptions.links.seal_key import is_signed
from subscriptions.witness.rows import Wrong

Json = Mapping[str, Any]
_NUMBER = re.compile("[1-9][0-9]{0,18}")
_NONE = "This is no proof of this program, or a part of it is missing."


def read(text: str) -> Json:
    """Each member once: of two, one reader would see the first, and another the last. Raises Wrong."""
    try:
        found: Json = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Wrong("This is no proof of this program: it is no JSON.") from None
    return found


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Wrong("The proof was altered: a member stands twice in one place of its JSON.")
    return found


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
        _told_as_sealed(document, events)
        blocks = [event["block"] for event in events.values()]
        newest = max(seals, key=lambda one: one.block, default=None)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
        raise Wrong(_NONE) from None
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


_SAME = ("fact", "at", "channel", "actor", "ip_source", "details")


def _told_as_sealed(document: Json, events: Json) -> None:
    """What the rest of the proof tells is what was sealed, each event once, about its person and its list."""
    if "consents" not in document:  # the sealed part may come alone
        return
    told = [row for consent in document["consents"] for row in consent["evidence"]]
    rows = {str(row["id"]): row for row in told}
    if len(rows) != len(told) or events.keys() - rows:
        raise Wrong("The proof was altered: an event is told twice, or was sealed and is not told.")
    for id_, event in events.items():
        _told(document, rows[id_], event)
    _check_wordings(document, {id_: event["payload"]["details"] for id_, event in events.items()})
    for state in document["event"]:
        row = rows[str(state["evidence"])]
        if state["event_time"][:19] != row["at"][:19]:
            raise Wrong(f"Event {row['id']} is told with two times.")


def _told(document: Json, row: Json, event: Json) -> None:
    payload, record = event["payload"], document["record"]
    if not all(_same(row[name], payload[name]) for name in _SAME) or row["ip"] != event["ip"]:
        raise Wrong(f"Event {row['id']} is told otherwise than it was sealed.")
    about = [of for of in (payload["registration"], payload["subscription"]) if of]
    if {of["key"] for of in about} - {record["pii_principal_id"]}:
        raise Wrong(f"Event {row['id']} is about somebody else.")
    if {of["list"] for of in about} - {_slug(document)}:
        raise Wrong(f"Event {row['id']} is about another list.")


def _slug(document: Json) -> str:
    return str(document["record"]["record_id"].split("/")[-2])


def _same(one: object, other: object) -> bool:
    """Also in its kind: 1 is not true."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _check_wordings(document: Json, details: Json) -> None:
    """The consent text is the one whose hash was sealed, wherever it is told; each is looked at once."""
    named = {one.get("wording"): one["wording_sha256"] for one in details.values() if one.get("wording_sha256")}
    if any(one.get("wording_sha256") not in (None, named.get(one.get("wording"))) for one in details.values()):
        raise Wrong("Two events name two consent texts by the same name.")
    hashed = {one["id"]: one["hashed"] or "" for one in document["wordings"]}
    for told in (*document["wordings"], document["pii_processing"]["privacy_notice"]):
        if told["id"] in named and not _is_worded(told, hashed.get(told["id"], ""), named[told["id"]], _slug(document)):
            raise Wrong(f"The consent text {told['id']} is not the one that its events name.")


def _is_worded(told: Json, hashed: str, sha256: str, slug: str) -> bool:
    if hashlib.sha256(hashed.encode()).hexdigest() != sha256:
        return False
    _, _, _, controller, *_ = shown = json.loads(hashed)
    is_same = told.get("controller", controller) == controller
    return bool(is_same and shown[:3] == [slug, told["text"], told["policy_url"] or ""])


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
    if not _NUMBER.fullmatch(id_):
        raise Wrong(_NONE)
    said, payload = f"Event {id_}", bytes.fromhex(event["payload_commitment"])
    salt, ip_salt = _octets(event["salt"]), _octets(event["ip_salt"])
    if str(event["payload"]["id"]) != id_ or not fits(salt, canonical(event["payload"]), payload):
        raise Wrong(f"{said} was altered: it is not what was sealed.")
    ip = _octets(event["ip_commitment"]) or None
    if event["ip"] is not None and (ip is None or not fits(ip_salt, event["ip"].encode(), ip)):
        raise Wrong(f"{said} was altered: its IP address is not the one that was sealed.")
    block, index, size = by_block[event["block"]], event["index"], event["size"]
    path = [bytes.fromhex(one) for one in event["path"]]
    is_there = 0 <= index < size == block.last - block.first + 1 and event["leaf"] == block.first + index
    if not is_there or merkle.climb(seal.leaf(payload, ip), index, size, path) != block.root:
        raise Wrong(f"{said} does not stand in the seal of block {block.block}.")


def _octets(text: str | None) -> bytes:
    return bytes.fromhex(text or "")
