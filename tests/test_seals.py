"""What the sealer makes: leaves without a gap, blocks that are signed and name the one before, and the way to each."""

import hashlib
from pathlib import Path

from subscriptions.domain import merkle, seal
from subscriptions.links.seal_key import is_signed
from subscriptions.store import seals
from subscriptions.store.engine import reading
from subscriptions.store.models import Leaf, Removal, Seal
from tests.builders import ANNE, BART, World
from tests.test_nothing_is_left import found_in


def leaves() -> list[Leaf]:
    return rows(Leaf, Leaf.number)


def rows(table: type, by: object) -> list:
    with reading() as session:
        return list(session.scalars(seals.select(table).order_by(by)))


def test_every_row_of_evidence_gets_a_leaf_and_every_block_its_seal(world: World) -> None:
    world.subscribe(BART)
    number = len(world.evidence())
    assert world.run("seal") == number and world.run("seal") == 0
    assert [one.number for one in leaves()] == [*range(1, number + 1)]
    assert [one.evidence_id for one in leaves()] == [one.id for one in world.evidence()]
    (made,) = rows(Seal, Seal.block)
    assert (made.first, made.last, made.settled) == (1, number, world.evidence()[-1].id)


def test_what_is_told_for_a_proof_leads_from_the_event_to_the_newest_seal(world: World) -> None:
    for address in (BART, ANNE, "cris@example.org"):
        world.subscribe(address)
        world.run("seal")
    with reading() as session:
        told = seals.inclusion(session, [one.id for one in world.evidence()][:4])
    hashes = {told["seals"][0]["hash"]}
    for one in told["seals"]:
        assert one["hash"] in hashes
        assert is_signed(bytes.fromhex(told["public_key"]), one["text"], bytes.fromhex(one["signature"]))
        hashes |= {one["previous"], one["earlier"]}
    by_block = {one["block"]: one for one in told["seals"]}
    for event in told["events"].values():
        payload = hashlib.sha256(bytes.fromhex(event["salt"]) + seal.canonical(event["payload"])).digest()
        ip = bytes.fromhex(event["ip_commitment"] or "")
        assert payload.hex() == event["payload_commitment"]
        assert not ip or hashlib.sha256(bytes.fromhex(event["ip_salt"]) + event["ip"].encode()).digest() == ip
        root = merkle.climb(merkle.leaf(payload + ip), event["index"], event["size"],
                            [bytes.fromhex(one) for one in event["path"]])  # fmt: skip
        assert root and root.hex() == by_block[event["block"]]["root"]
    assert len(told["events"]) == 4


def test_a_deletion_takes_the_salts_and_is_sealed_itself(world: World) -> None:
    world.sign_up(ANNE)
    world.deliver()
    world.run("seal")
    world.post(world.not_me_link(ANNE))
    (removal,) = rows(Removal, Removal.id)
    assert (removal.cause, removal.count, removal.leaves) == ("this was not me", 1, "1-2")
    assert [(one.salt, one.ip_salt) for one in leaves()] == [(None, None)] * 2
    assert world.run("seal") == 1 and leaves()[-1].removal_id == removal.id


def test_nothing_is_left_by_which_a_guess_at_what_was_deleted_could_be_tried(world: World, tmp_path: Path) -> None:
    world.sign_up(ANNE)
    world.deliver()
    world.run("seal")
    salts = {f"{one.number}": one.salt for one in leaves()} | {"ip": leaves()[0].ip_salt}
    assert len(salts) == 3 and len(found_in(tmp_path, salts)) == 3
    world.clock.forward(days=30)
    world.run("purge")
    assert found_in(tmp_path, salts) == []
