"""proof.json: a record of ISO/IEC TS 27560 with the states of DPV, valid by the schema that it names (Z-01 to Z-08)."""

import hashlib
import json
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import jsonschema_rs
import pytest
from flask import Flask

from subscriptions.domain.dpv import OF_SIGN_UPS, OF_SUBSCRIPTIONS, VALID, Status, status_after
from subscriptions.domain.evidence import Fact
from subscriptions.domain.lifecycle import Registration, Subscription
from tests.builders import ANNE, Movable, World, through
from tests.proofs import proof, subscribe
from tests.support.cases import ONE_DATABASE
from tests.support.relay import Relay
from tests.test_commands import logging_as_it_was

__all__ = ["logging_as_it_was"]


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock) as world:
        yield world


def problems(world: World, record: object) -> list[str]:
    schema = world.get("/static/proof.schema.json").json
    return [str(one) for one in jsonschema_rs.validator_for(schema).iter_errors(record)]


def a_life(world: World, relay: Relay) -> None:
    """Yes, no, yes again, no again: two consents, and what happened to each."""
    for _ in range(2):
        subscribe(world, relay)
        world.clock.forward(days=40)
        world.post(world.leave_link(ANNE))
        world.clock.forward(days=1)


def test_the_record_is_valid_by_the_schema_that_it_names(world: World, relay: Relay, tmp_path: Path) -> None:
    a_life(world, relay)
    record = proof(world, tmp_path).record
    assert record["$schema"] == f"{world.base_url}/static/proof.schema.json"
    withdraw = f"{world.base_url}/my-data"
    assert record["dpv"]["dpv:hasConsentControl"]["@id"] == withdraw
    assert record["pii_processing"]["purposes"][0]["withdrawal_method"][0] == withdraw
    assert problems(world, record) == []
    for section, field in (("record", "pii_principal_id"), ("pii_processing", "language"), ("dpv", "@type")):
        broken = json.loads(json.dumps(record))
        del broken[section][field]
        assert problems(world, broken), f"nobody misses {field}"


def test_the_states_of_consent_follow_each_other_in_time(world: World, relay: Relay, tmp_path: Path) -> None:
    a_life(world, relay)
    events = proof(world, tmp_path).record["event"]
    assert [one["event_state"] for one in events] == [
        "dpv:ConsentRequested", "dpv:ConsentGiven", "dpv:ConsentWithdrawn",
        "dpv:ConsentRequested", "dpv:RenewedConsentGiven", "dpv:ConsentWithdrawn",
    ]  # fmt: skip
    times = [one["event_time"] for one in events]
    assert times == sorted(times) and all(one.endswith("Z") for one in times)
    assert events[1]["event_type"] == "button on the confirmation page"
    assert {one["entity_id"] for one in events} == {world.subscriptions()[0].key.hex()}


def test_the_rows_of_evidence_are_those_that_are_stored(world: World, relay: Relay, tmp_path: Path) -> None:
    a_life(world, relay)
    told = {one["id"]: one for consent in proof(world, tmp_path).record["consents"] for one in consent["evidence"]}
    assert told.keys() == {one.id for one in world.evidence()}
    for row in world.evidence():
        same = told[row.id]
        assert (same["fact"], same["channel"], same["ip"], same["details"]) == (
            row.fact, row.channel, row.ip, row.details)  # fmt: skip


def test_a_wording_stands_with_the_characters_that_its_hash_is_of(world: World, relay: Relay, tmp_path: Path) -> None:
    subscribe(world, relay)
    [wording] = proof(world, tmp_path).record["wordings"]
    assert hashlib.sha256(wording["hashed"].encode()).hexdigest() == wording["sha256"]
    assert wording["sha256"].startswith(wording["id"]) and wording["text"] in json.loads(wording["hashed"])


def test_no_more_of_a_person_is_told_than_proves_the_consent(world: World, relay: Relay, tmp_path: Path) -> None:
    subscribe(world, relay, name="Anne Ordinary Example")
    found = proof(world, tmp_path)
    kinds = found.record["pii_processing"]["purposes"][0]["pii_information"]
    assert [(one["pii_type"], one["pii_optional"]) for one in kinds] == [("email address", False), ("name", True)]
    assert "Ordinary" not in (found.folder / "proof.json").read_text("utf-8")


@ONE_DATABASE
def test_the_schema_is_served_to_everyone_as_json(world: World) -> None:
    answer = world.get("/static/proof.schema.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")


def test_every_state_of_the_tables_has_its_name_in_dpv() -> None:
    assert OF_SIGN_UPS.keys() == {*Registration} and OF_SUBSCRIPTIONS.keys() == {*Subscription}
    assert OF_SIGN_UPS[Registration.BLOCKED] is Status.EXPIRED and OF_SIGN_UPS[Registration.ERASED] is Status.REFUSED
    for of in (OF_SIGN_UPS, OF_SUBSCRIPTIONS):
        assert [state.value for state, status in of.items() if status in VALID] == ["confirmed"]


def test_only_a_confirmation_or_its_imported_evidence_makes_consent_valid() -> None:
    for fact, before, renewed in product(Fact, [None, *Status], (False, True)):
        after = status_after(fact, before, renewed)
        assert after not in VALID or before in VALID or fact in (Fact.CONFIRMED, Fact.IMPORTED), (fact, before)
    assert status_after(Fact.DISOWNED, Status.GIVEN, False) is Status.INVALIDATED
    assert status_after(Fact.UNSUBSCRIBED, Status.INVALIDATED, False) is Status.INVALIDATED
    assert status_after(Fact.ASKED_AGAIN, Status.GIVEN, False) is Status.GIVEN
