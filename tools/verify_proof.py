#!/usr/bin/env python3
"""Checks the sealed part of a proof.json of Yestwice. It needs Python 3.11 or newer and the package `cryptography`.

    python verify_proof.py proof.json [--head head.txt] [--key HEX]

It was written apart from the program that made the proof, to be read from top to bottom. It connects to nothing.

What is shown, and how:

1. Each event was committed to. SHA-256 over a secret salt and the event, written as JSON with sorted members and no
   blanks, is its commitment. The salt is in the proof; nobody finds another event with the same commitment.
2. The commitment stands in a block. Block and event are joined by a Merkle path (RFC 6962, section 2.1).
3. The block was sealed: its root, its time and the hash of the seal before it are signed with Ed25519 (RFC 8032).
4. Nothing before it was made anew: each seal names the hash of earlier ones, so that whoever kept a later one (the
   "head", which is mailed every week) can follow the hashes down to the seals of this proof.
5. The rows and times that the rest of the proof tells are those that were sealed, each once, all about its person and
   its list; the consent texts and policies are those whose SHA-256 were sealed. Rows that are not sealed are counted,
   and not shown by anything.
6. The person is known by a keyed hash, which nobody else can make. What shows the address is the email: the file
   confirmation.eml beside proof.json has the hash that was sealed, and went to the address that the proof names.
7. The key is the one that the head names (--head), or that you know from elsewhere (--key). Without either, the proof
   only shows that it was made with one and the same key.
"""

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SALT = 16  # octets: with another length, a part of what is told could pass for a part of the salt
MEMBERS = ("block", "first", "last", "settled", "root", "previous", "earlier", "sealed_at", "key")


class Wrong(Exception):
    """What does not fit."""


def sha256(*octets):
    return hashlib.sha256(b"".join(octets)).digest()


def check(holds, said):
    if not holds:
        raise Wrong(said)


def read_json(text):
    """Each member once: of two, one reader would see the first, and another the last."""

    def once(pairs):
        check(len(pairs) == len(dict(pairs)), "a member stands twice in one place of the JSON")
        return dict(pairs)

    return json.loads(text, object_pairs_hook=once)


def salt_of(text):
    salt = bytes.fromhex(text or "")
    check(len(salt) == SALT, f"a salt has not {SALT} octets")
    return salt


def check_event(number, event, seals):
    """Steps 1 and 2."""
    check(re.fullmatch("[1-9][0-9]{0,18}", number), "an event has no number")
    text = json.dumps(event["payload"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    commitment = sha256(salt_of(event["salt"]), text.encode("utf-8", "surrogatepass"))
    check(commitment.hex() == event["payload_commitment"], f"event {number} is not what was committed to")
    check(str(event["payload"]["id"]) == number, f"event {number} has the number of another")
    of_ip = bytes.fromhex(event["ip_commitment"] or "")
    if event["ip"] is not None:
        made = sha256(salt_of(event["ip_salt"]), event["ip"].encode())
        check(made == of_ip, f"the IP address of event {number} is not what was committed to")
    check(event["block"] in seals, f"the seal of block {event['block']}, with event {number}, is missing")
    seal = seals[event["block"]]
    first, last = int(seal["first"]), int(seal["last"])
    check(0 <= event["index"] < event["size"] == last - first + 1 and event["leaf"] == first + event["index"],
          f"event {number} has another place than block {event['block']} gives it")  # fmt: skip
    root = climb(sha256(b"\x00", commitment, of_ip), event["index"], event["size"], event["path"])
    check(root == seal["root"], f"event {number} does not stand in block {event['block']}")


def climb(hash_, index, size, path):
    """The root to which the path leads; at each level the hash is joined with the one beside it, if there is one."""
    rest = list(path)
    while size > 1:
        if index ^ 1 < size:
            if not rest:
                return None
            beside = bytes.fromhex(rest.pop(0))
            hash_ = sha256(b"\x01", beside, hash_) if index % 2 else sha256(b"\x01", hash_, beside)
        index, size = index // 2, (size + 1) // 2
    return None if rest else hash_.hex()


def check_told(document, events):
    """Step 5; gives how many rows are told that are not sealed."""
    if "consents" not in document:  # the sealed part may come alone
        return 0
    rows = {str(row["id"]): row for consent in document["consents"] for row in consent["evidence"]}
    check(len(rows) == sum(len(consent["evidence"]) for consent in document["consents"]), "an event is told twice")
    person, slug = document["record"]["pii_principal_id"], document["record"]["record_id"].split("/")[-2]
    for number, event in events.items():
        check(number in rows, f"event {number} was sealed, and is not told")
        row, payload = rows[number], event["payload"]
        for name in ("fact", "at", "channel", "actor", "ip_source", "details"):
            check(same(row[name], payload[name]), f"event {number} is told otherwise than it was sealed: {name}")
        check(row["ip"] == event["ip"], f"event {number} is told with another IP address than was sealed")
        for of in filter(None, (payload["registration"], payload["subscription"])):
            check(of["key"] == person, f"event {number} is about somebody else")
            check(of["list"] == slug, f"event {number} is about another list")
    check_wordings(document, {number: event["payload"]["details"] for number, event in events.items()}, slug)
    for state in document["event"]:
        row = rows[str(state["evidence"])]
        check(state["event_time"][:19] == row["at"][:19], f"event {row['id']} is told with two times")
    return len(rows.keys() - events.keys())


def same(one, other):
    """Also in its kind: 1 is not true."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def check_wordings(document, details, slug):
    """The consent text is the one whose hash was sealed, wherever it is told."""
    names = {one.get("wording"): (one["wording_sha256"], number) for number, one in details.items()
             if one.get("wording_sha256")}  # fmt: skip
    for number, one in details.items():
        check(one.get("wording_sha256") in (None, names.get(one.get("wording"), (None,))[0]),
              f"event {number} names another text by the same name")  # fmt: skip
    hashed = {one["id"]: one["hashed"] or "" for one in document["wordings"]}
    for told in [*document["wordings"], document["pii_processing"]["privacy_notice"]]:
        if told["id"] not in names:
            continue
        sha, number = names[told["id"]]
        said = f"the consent text is not the one that event {number} names"
        check(sha256(hashed.get(told["id"], "").encode()).hex() == sha, said)
        _, _, _, controller, *_ = shown = json.loads(hashed[told["id"]])
        check(shown[:3] == [slug, told["text"], told["policy_url"] or ""], said)
        check(told.get("controller", controller) == controller, said)


def check_policies(document):
    """Each policy is the one whose hash its name begins; the events name it."""
    for one in document.get("policies", []):
        if one["hashed"] is not None:
            made = sha256(one["hashed"].encode("utf-8", "surrogatepass")).hex()
            is_in = json.dumps(one["text"], ensure_ascii=False)[1:-1] in one["hashed"]
            check(made == one["sha256"] and is_in, f"the text {one['id']} is not the one of its hash")


def sealed_details(consent, events):
    return [row["details"] for row in consent["evidence"] if str(row["id"]) in events]


def check_mails(document, events, folder):
    """Step 6; gives what can be said."""
    said, address = [], document.get("record", {}).get("pii_principal_address")
    for consent in document.get("consents", []):
        path = folder / Path(consent["file"]).name if consent["file"] else None
        hashes = {details.get("redacted_sha256") for details in sealed_details(consent, events)} - {None}
        if path is None or not path.is_file() or not hashes:
            continue
        octets = path.read_bytes()
        check(hashlib.sha256(octets).hexdigest() in hashes, f"{path.name} is not the email that was sealed")
        check(went_to(octets) == on_the_wire(address or ""), f"{path.name} did not go to the address of this proof")
        said.append(f"{path.name} is the email that was sealed; it went to {address}")
    return said or ["the address was not checked: that takes confirmation.eml, in the folder of proof.json"]


def went_to(octets):
    found = re.search(rb"^To:((?:.|\r?\n[ \t])*)", octets.partition(b"\r\n\r\n")[0], re.MULTILINE)
    return "".join(found[1].decode("utf-8", "replace").split()) if found else ""


def on_the_wire(address):
    """An international domain as a mail server knows it (RFC 5891)."""
    local, _, domain = address.rpartition("@")
    labels = (one if one.isascii() else f"xn--{one.encode('punycode').decode()}" for one in domain.split("."))
    return "".join(f"{local}@{'.'.join(labels)}".split())


def check_seal(seal, key):
    """Step 3; gives the hash of the seal. The text is made anew from the members, so that they say what was signed."""
    text = "yestwice seal 1\n" + "".join(f"{name}: {seal[name]}\n" for name in MEMBERS)
    said = f"the seal of block {seal['block']}"
    check(seal["key"] == key, f"{said} was made with another key")
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(seal["signature"]), text.encode())
    except InvalidSignature:
        raise Wrong(f"the signature of {said} is false") from None
    made = sha256(f"{text}signature: {seal['signature']}\n".encode()).hex()
    check(made == seal["hash"], f"the hash of {said} is false")
    return made


def reached(seals, end):
    """Step 4: the blocks to which the hashes lead from that one."""
    hashes, blocks = {end}, set()
    for block in sorted(seals, reverse=True):
        if seals[block]["hash"] in hashes:
            hashes |= {seals[block]["previous"], seals[block]["earlier"]}
            blocks.add(block)
    return blocks


def read_head(text):
    """The lines "name: value" of a head, whatever stands around them; a long value goes on in the lines below.

    Or the same as JSON.
    """
    if text.lstrip().startswith("{"):
        return read_json(text)
    said, name = {}, ""
    for line in text.splitlines():
        found, more = re.fullmatch(r"\W*(\w+):\s*(\S*)\s*", line), re.fullmatch(r"\W*([0-9a-f]+)\s*", line)
        if found and found[1] in (*MEMBERS, "signature", "hash"):
            name, said[found[1]] = found[1], found[2]
        elif name and more:
            said[name] += more[1]
        else:
            name = ""
    return said


def verify(document, head=None, key=None, folder=None):
    """Gives what can be said; raises Wrong."""
    sealed = document["sealed"]
    events, used = sealed["events"], sealed["public_key"]
    check(events, "no event of this proof is sealed")
    seals = {int(seal["block"]): seal for seal in sealed["seals"]}
    for seal in seals.values():
        check_seal(seal, used)
    for number, event in events.items():
        check_event(number, event, seals)
    unsealed = check_told(document, events)
    check_policies(document)
    blocks = {event["block"] for event in events.values()}
    check(blocks <= reached(seals, seals[max(seals)]["hash"]), "the seals do not lead to each other")
    said = [f"{len(events)} sealed events, in order and unchanged; signed with the key {used}"]
    if unsealed:
        said.append(f"{unsealed} more are told that are not sealed: nothing shows that they are true")
    if head is not None:
        check(head.get("key") == used, "the head was signed with another key")
        check_seal(head, used)
        before = {block for block in blocks if block <= int(head["block"])}
        check(before <= reached(seals, head["hash"]), "the seals do not lead to this head")
        number = sum(1 for event in events.values() if event["block"] in before)
        said.append(f"{number} of them were sealed by {head['sealed_at']}, before that head (block {head['block']})")
    if key is not None:
        check(key.lower() == used, "the key is another than the one that was given")
    if folder is not None:
        said += check_mails(document, events, folder)
    if head is None and key is None:
        said.append("whose key that is, was not checked: give --head or --key")
    return said


def main():
    parser = argparse.ArgumentParser(description="Check the sealed part of a proof.json.")
    parser.add_argument("proof", help="the file proof.json")
    parser.add_argument("--head", help="a file with a head that was kept elsewhere")
    parser.add_argument("--key", help="the public key in hex, as known from elsewhere")
    given = parser.parse_args()
    try:
        document = read_json(Path(given.proof).read_text("utf-8"))
        head = read_head(Path(given.head).read_text("utf-8")) if given.head else None
        said = verify(document, head, given.key, Path(given.proof).parent)
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    except Wrong as error:
        print(f"WRONG: {error}.", file=sys.stderr)
        return 1
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
        print("WRONG: this is no proof of Yestwice, or a part of it is missing or garbled.", file=sys.stderr)
        return 1
    print("The proof holds.", *(f"- {line}." for line in said), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
