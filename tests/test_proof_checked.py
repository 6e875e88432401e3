"""A stranger checks a proof: seals, the policy of that day, how double opt-in worked then (E-02, E-11, E-12)."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from subscriptions.proof.workflow import STEPS, parse, ran
from subscriptions.store import meta
from subscriptions.store.engine import transaction
from tests.builders import ANNE, LISTS, Movable, World, through
from tests.proofs import Proof, proof, subscribe
from tests.support.relay import Relay
from tests.test_commands import good, logging_as_it_was, run

__all__ = ["logging_as_it_was"]
TOOL = Path(__file__).resolve().parents[1] / "tools" / "verify_proof.py"


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock) as world:
        yield world


def checked(found: Proof) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOL), str(found.folder / "proof.json")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_what_is_not_sealed_yet_is_said(world: World, relay: Relay, tmp_path: Path) -> None:
    subscribe(world, relay)
    found = proof(world, tmp_path)
    assert "These events are not sealed yet." in found.html.partition("</section>")[0]
    assert checked(found).returncode == 1


def test_a_stranger_checks_the_seals_with_one_file_and_finds_what_was_altered(
    world: World, relay: Relay, tmp_path: Path
) -> None:
    subscribe(world, relay)
    world.run("seal")
    found = proof(world, tmp_path / "good")
    assert "3 of 3 events are sealed against later change" in found.words
    assert checked(found).returncode == 0
    record = found.record
    head = record["sealed"]["seals"][0]
    assert head["hash"] in found.words and record["sealed"]["public_key"] in found.words
    assert good(world, "evidence", "verify", str(found.folder / "proof.json"))
    for forge in (earlier_in_the_seal, earlier_in_what_is_told, of_somebody_else, from_elsewhere):
        forged = json.loads(json.dumps(record))
        forge(forged)
        path = found.folder / "proof.json"
        path.write_text(json.dumps(forged))
        assert checked(found).returncode == 1 and run(world, "evidence", "verify", str(path)).exit_code == 1, forge


def earlier_in_the_seal(record: Any) -> None:
    event = next(iter(record["sealed"]["events"].values()))
    event["payload"]["at"] = event["payload"]["at"].replace("2026", "2025")


def earlier_in_what_is_told(record: Any) -> None:
    row = record["consents"][0]["evidence"][0]
    row["at"] = row["at"].replace("2026", "2025")


def of_somebody_else(record: Any) -> None:
    record["record"]["pii_principal_id"] = "00" * 16


def from_elsewhere(record: Any) -> None:
    record["consents"][0]["evidence"][0]["ip"] = "198.51.100.9"


def another_text(record: Any) -> None:
    for one in (record["wordings"][0], record["pii_processing"]["privacy_notice"]):
        one["text"] = "Yes, and I pay for it."


def another_text_with_its_hash(record: Any) -> None:
    one = record["wordings"][0]
    one["text"] = one["hashed"] = "Yes, and I pay for it."
    one["sha256"] = hashlib.sha256(one["hashed"].encode()).hexdigest()


def another_notice(record: Any) -> None:
    record["pii_processing"]["privacy_notice"]["text"] = "Yes, and I pay for it."


def another_address(record: Any) -> None:
    record["record"]["pii_principal_address"] = "eve@example.org"


@pytest.mark.parametrize("forge", [another_text, another_text_with_its_hash, another_notice, another_address])
def test_a_stranger_finds_another_text_and_another_address(
    world: World, relay: Relay, tmp_path: Path, forge: Callable[[Any], None]
) -> None:
    subscribe(world, relay)
    world.run("seal")
    found, record = proof(world, tmp_path), proof(world, tmp_path / "again").record
    forge(record)
    (found.folder / "proof.json").write_text(json.dumps(record))
    assert checked(found).returncode == 1


@pytest.mark.parametrize("address", [ANNE, "jörg@example.org", "anne@bücher.example"])
def test_the_email_beside_it_shows_the_address_and_without_it_the_tool_says_so(
    world: World, relay: Relay, tmp_path: Path, address: str
) -> None:
    subscribe(world, relay, address)
    world.run("seal")
    found = proof(world, tmp_path, address=address)
    told = checked(found)
    assert told.returncode == 0 and f"is the email that was sealed; it went to {address}" in told.stdout, told.stderr
    (found.folder / "confirmation.eml").unlink()
    told = checked(found)
    assert told.returncode == 0 and "the address was not checked" in told.stdout
    (found.folder / "confirmation.eml").write_bytes(b"To: " + address.encode() + b"\r\n\r\nHello")
    assert checked(found).returncode == 1


def test_the_seals_still_lead_to_the_proof_once_ip_addresses_and_the_person_are_gone(
    world: World, relay: Relay, tmp_path: Path
) -> None:
    subscribe(world, relay)
    world.run("seal")
    world.clock.forward(days=366)
    world.run("purge")
    world.run("seal")
    found = proof(world, tmp_path / "proof")
    assert checked(found).returncode == 0 and "192.0.2.1" not in found.html


def test_the_policy_of_that_day_stands_in_the_annex_whatever_it_says_today(
    relay: Relay, make_app: Callable[..., Flask], clock: Movable, tmp_path: Path
) -> None:
    file = tmp_path / "privacy.txt"
    file.write_text("We keep it for a day.")
    lists = [replace(LISTS[0], policy_file=str(file)), *LISTS[1:]]
    with through(relay, make_app, clock, lists=lists) as world:
        world.run("policies")
        subscribe(world, relay)
        file.write_text("We keep it for ever.")
        world.clock.forward(days=1)
        world.run("policies")
        found = proof(world, tmp_path / "proof")
    annex = found.words.partition("Annex B:")[2].partition("Annex C:")[0]
    assert "We keep it for a day." in annex and "for ever" not in found.words
    [policy] = found.record["policies"]
    assert policy["text"] == "We keep it for a day." and policy["sha256"] in annex
    assert hashlib.sha256(policy["hashed"].encode()).hexdigest() == policy["sha256"]
    assert policy["text"] in json.loads(policy["hashed"]) and str(tmp_path) not in policy["hashed"]
    assert found.record["consents"][0]["policy"] == policy["id"]
    assert policy["url"] == "privacy.txt" and str(tmp_path) not in found.html, "where it lies concerns nobody"


def test_without_a_kept_policy_its_address_stands_there_and_a_sentence(
    world: World, relay: Relay, tmp_path: Path
) -> None:
    subscribe(world, relay)
    annex = proof(world, tmp_path).words.partition("Annex B:")[2].partition("Annex C:")[0]
    assert "https://example.org/privacy" in annex and "No copy of its text of that day was kept." in annex


def noted(world: World, *lines: str) -> None:
    with transaction() as session:
        meta.put(session, "versions", "".join(f"{line}\n" for line in lines))


def test_the_document_tells_how_it_worked_in_the_version_that_ran_then(
    world: World, relay: Relay, tmp_path: Path
) -> None:
    noted(world, "2026-10-01T00:00:00Z 0.4.1", "2026-11-23T12:03:00Z 0.6.0", "2026-11-24T00:00:00Z 9.9.0")
    subscribe(world, relay)
    annex = proof(world, tmp_path).words.partition("Annex F:")[2].partition("Annex G:")[0]
    assert "Version 0.4.1, from 1 October 2026, 00:00:00 (UTC) to 23 November 2026, 12:03:00 (UTC)" in annex
    first, _, second = annex.partition("Version 0.6.0")
    assert "virus scanners open links as well" in first and "sealed" not in first and "9.9" not in annex
    assert "As in the version before, and in addition:" in second and "sealed within minutes" in second


def test_a_clock_behind_the_first_version_that_was_noted_makes_no_old_version_of_it(
    world: World, relay: Relay, tmp_path: Path
) -> None:
    noted(world, "2026-12-01T00:00:00Z 0.5.0")
    subscribe(world, relay)
    assert "A version before 0.4" not in proof(world, tmp_path).words


@pytest.mark.parametrize("version", ["0.1.0", "0.2.1", "0.3.0", "0.4.0", "0.5.0", "0.6.0", "1.0.0"])
def test_every_version_has_a_whole_description(version: str) -> None:
    then = datetime(2026, 1, 1, tzinfo=UTC)
    [found] = ran([], then, then) if version == "0.3.0" else [*ran([(then, version)], then, then)][-1:]
    told = " ".join(found.steps)
    for told_of in ("enters an email address", "sends one email", "button", "consent text", "24 hours", "evidence"):
        assert told_of in told, told_of
    assert ("stood beside the button of the form" in told) is (version < "0.4")


def test_no_step_is_described_that_no_version_had() -> None:
    assert all(step.since < step.before for step in STEPS)
    assert [parse(text) for text in ("0.6.0", "1.2.3.dev4", "x", "")] == [(0, 6), (1, 2), None, None]


def test_what_a_relay_says_in_strange_signs_stands_there_as_it_was_kept(
    world: World, relay: Relay, tmp_path: Path
) -> None:
    relay.behave("end", "250 2.0.0 ok \x07 \x1b[31m ü </pre>", keep=True)
    subscribe(world, relay)
    found = proof(world, tmp_path)
    told = [one["details"].get("reply") for one in found.record["consents"][0]["evidence"]]
    assert told == [one.details.get("reply") for one in world.evidence()] and any(told)
    assert "</pre></code>" not in found.html and "\x1b" not in found.html
