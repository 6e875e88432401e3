"""What who knows the program would try: to pass a part for the whole, to say a thing twice, to leave one out."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from subscriptions.store import meta
from subscriptions.store.engine import transaction
from tests.builders import LISTS, Movable, World, through
from tests.proofs import proof, subscribe
from tests.support.cases import ONE_DATABASE, each
from tests.support.relay import Relay
from tests.test_commands import logging_as_it_was, run
from tests.test_proof_checked import TOOL, checked, world
from tests.test_seals_tampered import hand

__all__ = ["logging_as_it_was", "world"]


@pytest.fixture
def sealed(world: World, relay: Relay) -> World:
    subscribe(world, relay)
    world.run("seal")
    return world


def test_the_first_sign_of_an_ip_address_does_not_pass_for_the_end_of_its_salt(sealed: World) -> None:
    with hand() as by:
        [(number, salt, id_, ip)] = by.rows(
            "SELECT l.number, l.ip_salt, e.id, e.ip FROM leaves l JOIN evidence e ON e.id = l.evidence_id "
            "WHERE e.ip IS NOT NULL ORDER BY 1 LIMIT 1"
        )
        by.do("UPDATE evidence SET ip = :ip WHERE id = :id", ip=ip[1:], id=id_)
        by.do("UPDATE leaves SET ip_salt = :salt WHERE number = :n", salt=bytes(salt) + ip[:1].encode(), n=number)
        assert "it has another IP address" in (by.wrong(sealed) or "")


def test_no_row_is_hidden_behind_a_leaf_that_stands_in_no_seal(sealed: World) -> None:
    for number in (-(2**63), -(2**63) + 1, -1, 0):
        with hand() as by:
            by.do(
                "INSERT INTO evidence (id, registration_id, subscription_id, fact, at, channel, details) SELECT -7, "
                "registration_id, subscription_id, fact, at, channel, details FROM evidence ORDER BY id LIMIT 1"
            )
            by.do("INSERT INTO leaves (number, evidence_id, payload) SELECT :n, -7, payload FROM leaves LIMIT 1",
                  n=number)  # fmt: skip
            assert "inserted" in (by.wrong(sealed) or ""), number


@ONE_DATABASE
def test_a_member_that_stands_twice_in_a_row_is_found(sealed: World) -> None:
    with hand() as by:
        by.do("""UPDATE evidence SET details = '{"method": "code", ' || substr(details, 2) WHERE fact = 'confirmed'""")
        assert "was altered" in (by.wrong(sealed) or "")


def test_entries_of_the_deletion_log_that_are_not_sealed_yet_are_counted(sealed: World) -> None:
    with hand() as by:
        by.do("INSERT INTO removals (at, cause, count, leaves) SELECT at, 'erasure', 1, '' FROM evidence LIMIT 1")
        assert by.verdict(sealed).unsealed_removals == 1 and by.wrong(sealed) is None


def test_a_policy_that_was_altered_or_removed_is_found(
    relay: Relay, make_app: Callable[..., Flask], clock: Movable, tmp_path: Path
) -> None:
    (file := tmp_path / "privacy.txt").write_text("We keep it for a day.")
    lists = [replace(LISTS[0], policy_file=str(file)), *LISTS[1:]]
    with through(relay, make_app, clock, lists=lists) as world:
        world.run("policies")
        subscribe(world, relay)
        world.run("seal")
        for change in ("text = 'For ever.'", "url = 'https://example.net/'", "valid_from = '2020-01-01 00:00:00'",
                       "raw = sha256", "language = 'xx'"):  # fmt: skip
            with hand() as by:
                cast = change.replace("sha256", "CAST(sha256 AS bytea)") if by.is_postgres else change
                by.do(f"UPDATE policies SET {cast}")  # noqa: S608
                assert "privacy policy was altered" in (by.wrong(world) or ""), change
        with hand() as by:
            assert by.wrong(world) is None
            by.do("DELETE FROM policies")
            assert "privacy policy was altered or removed" in (by.wrong(world) or "")


def test_it_says_whether_the_key_of_the_installation_was_compared(sealed: World) -> None:
    def told() -> Any:
        found = run(sealed, "evidence", "verify", "--json")
        return json.loads(found.stdout), found.stderr

    assert told()[0]["compared_with_key"] is True
    with transaction() as session:
        meta.put(session, "pepper", "another")  # by which a chain that was made anew could hide its key
    verdict, said = told()
    assert verdict["compared_with_key"] is False and "whose key has signed" in said


# Proofs


Forge = Callable[[Any], None]


def first(record: Any) -> Any:
    return next(iter(record["sealed"]["events"].values()))


def ip_without_its_first_sign(record: Any) -> None:
    event = next(one for one in record["sealed"]["events"].values() if one["ip"])
    row = next(one for one in record["consents"][0]["evidence"] if one["id"] == event["payload"]["id"])
    event["ip_salt"] += event["ip"][:1].encode().hex()
    row["ip"] = event["ip"] = event["ip"][1:]


def left_out(record: Any) -> None:
    record["consents"][0]["evidence"].pop()


def twice(record: Any) -> None:
    rows = record["consents"][0]["evidence"]
    rows.append(rows[0] | {"fact": "registered"})


def of_no_consent(record: Any) -> None:
    record["consents"] = []


def another_text(record: Any) -> None:
    record["wordings"][0]["text"] = record["pii_processing"]["privacy_notice"]["text"] = "Yes to everything."


def another_text_with_its_hash(record: Any) -> None:
    told = record["wordings"][0]
    told["text"] = record["pii_processing"]["privacy_notice"]["text"] = "Yes to everything."
    told["hashed"] = json.dumps([json.loads(told["hashed"])[0], told["text"], *json.loads(told["hashed"])[2:]])


def another_notice(record: Any) -> None:
    record["pii_processing"]["privacy_notice"]["text"] = "Yes to everything."


def another_controller(record: Any) -> None:
    record["wordings"][0]["controller"] = "Somebody Else Ltd"


def another_list(record: Any) -> None:
    record["record"]["record_id"] = record["record"]["record_id"].replace("/newsletter/", "/offers/")


def another_time(record: Any) -> None:
    record["event"][0]["event_time"] = "2020-01-01T00:00:00Z"


def one_for_true(record: Any) -> None:
    row = next(one for one in record["consents"][0]["evidence"] if "vouched" in one["details"])
    row["details"]["vouched"] = int(row["details"]["vouched"])


def without_a_number(record: Any) -> None:
    event = record["sealed"]["events"].pop(next(iter(record["sealed"]["events"])))
    record["sealed"]["events"]["1 is fine.\n\nThe proof holds"] = event


def without_end(record: Any) -> None:
    record["sealed"]["seals"][0]["block"] = float("inf")


FORGED: list[Forge] = [
    ip_without_its_first_sign, left_out, twice, of_no_consent, another_text, another_text_with_its_hash, another_notice,
    another_controller, another_list, another_time, one_for_true, without_a_number, without_end,
]  # fmt: skip


def test_no_forged_proof_is_taken_by_either_checker(sealed: World, tmp_path: Path) -> None:
    found = proof(sealed, tmp_path)
    path, good = found.folder / "proof.json", found.record
    assert checked(found).returncode == 0 and run(sealed, "evidence", "verify", str(path)).exit_code == 0
    taken = []
    for forge in FORGED:
        record = json.loads(json.dumps(good))
        forge(record)
        assert json.dumps(record) != json.dumps(good), forge
        path.write_text(json.dumps(record))
        ours, tools = run(sealed, "evidence", "verify", str(path)), checked(found)
        if (ours.exit_code, tools.returncode) != (1, 1) or "holds" in tools.stderr or "Traceback" in tools.stderr:
            taken.append((forge.__name__, ours.exit_code, tools.returncode))
    assert taken == []


@each("text", ["[" * 200_000, '{"sealed":' * 50_000, "\ufeff{}", "nul\x00l", "1" * 10_000, "[]", '""', "{}"])
def test_what_is_no_proof_ends_neither_checker_early(sealed: World, tmp_path: Path, text: str) -> None:
    path = tmp_path / "proof.json"
    path.write_text(text)
    told = subprocess.run([sys.executable, str(TOOL), str(path)], capture_output=True, text=True, check=False)
    assert told.returncode == 1 and told.stderr.startswith("WRONG:") and "Traceback" not in told.stderr
    assert run(sealed, "evidence", "verify", str(path)).exit_code == 1


def test_a_member_that_stands_twice_in_a_proof_is_found(sealed: World, tmp_path: Path) -> None:
    found = proof(sealed, tmp_path)
    path = found.folder / "proof.json"
    path.write_text(path.read_text().replace('"made_by":', '"made_by": "me", "made_by":'))
    assert checked(found).returncode == 1 and run(sealed, "evidence", "verify", str(path)).exit_code == 1


def test_rows_of_a_proof_that_are_not_sealed_are_counted(sealed: World, tmp_path: Path) -> None:
    found = proof(sealed, tmp_path)
    path, record = found.folder / "proof.json", found.record
    record["consents"][0]["evidence"].append(record["consents"][0]["evidence"][0] | {"id": 4711})
    path.write_text(json.dumps(record))
    told = checked(found)
    assert told.returncode == 0 and "1 more are told that are not sealed" in told.stdout
