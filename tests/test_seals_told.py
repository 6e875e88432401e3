"""`yestwice evidence`: a lawful life verifies, a head shows what was put back, a proof is checked by itself."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from subscriptions.actions import erase as erasing
from subscriptions.domain.address import parse
from subscriptions.store import seals
from subscriptions.store.engine import outside_transaction, reading
from subscriptions.store.models import db
from tests.builders import ANNE, BART, CRIS, OFFERS, World
from tests.support.cases import ONE_DATABASE, each
from tests.test_commands import good, logging_as_it_was, refused, run

__all__ = ["logging_as_it_was"]
TOOL = Path(__file__).resolve().parents[1] / "tools" / "verify_proof.py"


def verified(world: World, *more: str) -> dict[str, Any]:
    result = run(world, "evidence", "verify", "--json", *more)
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def fits(world: World) -> None:
    told = verified(world)
    assert told["wrong"] is None, told["wrong"]


@pytest.fixture
def lived(world: World) -> World:
    """Bart is subscribed, Cris has left, Anne waits; all is sealed."""
    world.subscribe(BART)
    world.subscribe(CRIS, OFFERS)
    world.post(world.leave_link(CRIS, OFFERS))
    world.sign_up(ANNE)
    world.deliver()
    world.run("seal")
    return world


def erase(world: World, address: str) -> None:
    key = world.parts.links.key(parse(address).folded)
    assert erasing.ask(key, world.clock.now(), world.parts.policy, "test").is_asked
    erasing.finish(key, world.clock.now(), world.parts.policy)


def test_a_whole_lawful_life_verifies_at_each_step(lived: World) -> None:
    def step(*command: str) -> None:
        lived.run("seal")
        fits(lived)
        if command:
            good(lived, *command)
            lived.run("deliver")
            fits(lived)

    step("unsubscribe", BART, "--channel", "letter")
    lived.post(lived.not_me_link(ANNE))
    lived.subscribe("dora@example.org")
    lived.sign_up("emil@example.org")
    lived.sign_up("gina@example.org")
    step("suppressions", "add", "gina@example.org", "--scope", "all", "--reason", "a letter", "--yes")
    lived.clock.forward(days=31)
    lived.run("purge")
    erase(lived, CRIS)
    step()
    lived.clock.forward(days=366)
    lived.run("purge")
    erase(lived, "dora@example.org")
    step()
    lived.clock.forward(days=4 * 366)
    lived.run("purge")
    step()
    lived.subscribe("fred@example.org")
    lived.clock.forward(days=-3 * 366)
    step()
    lived.post(lived.leave_link("fred@example.org"))
    step()
    assert {one.fact for one in lived.evidence()} == {"registered", "mailed", "confirmed", "unsubscribed"}


def test_what_is_not_sealed_yet_is_told(lived: World) -> None:
    lived.sign_up("dora@example.org")
    assert "Not sealed yet: 1." in good(lived, "evidence", "verify")
    assert "--against" in good(lived, "evidence", "verify")


@ONE_DATABASE
def test_a_copy_that_was_put_back_is_found_with_the_head_alone(lived: World, tmp_path: Path) -> None:
    copy, head = tmp_path / "copy.db", tmp_path / "head.txt"
    with outside_transaction() as connection:
        connection.exec_driver_sql(f"VACUUM INTO '{copy}'")
    lived.subscribe("dora@example.org")
    lived.run("seal")
    head.write_text(good(lived, "evidence", "head"))
    url, before = f"sqlite:///{copy}", copy.read_bytes()
    assert "Everything fits" in good(lived, "evidence", "verify", "--database", url)
    said = refused(lived, "evidence", "verify", "--database", url, "--against", str(head))
    assert "an older copy was put back" in said
    assert copy.read_bytes() == before and [*tmp_path.glob("copy.db*")] == [copy]
    assert "fits as well" in good(lived, "evidence", "verify", "--against", str(head))


def test_a_chain_that_was_made_anew_fits_by_itself_and_not_the_head(lived: World, tmp_path: Path) -> None:
    head = tmp_path / "head.txt"
    head.write_text(good(lived, "evidence", "head"))
    with db.engine.begin() as connection:
        for table in ("leaves", "seals", "removals"):
            connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608
    lived.run("seal")
    fits(lived)
    assert "made anew" in refused(lived, "evidence", "verify", "--against", str(head))


def test_a_head_of_json_is_compared_as_well_and_an_altered_one_refused(lived: World, tmp_path: Path) -> None:
    file = tmp_path / "head.json"
    file.write_text(good(lived, "evidence", "head", "--json"))
    good(lived, "evidence", "verify", "--against", str(file))
    told = json.loads(file.read_text())
    file.write_text(json.dumps(told | {"last": told["last"] + 1}))
    assert run(lived, "evidence", "verify", "--against", str(file)).exit_code == 2


@pytest.fixture
def proof(lived: World, tmp_path: Path) -> Path:
    lived.subscribe("dora@example.org")
    lived.run("seal")
    with reading() as session:
        told = seals.inclusion(session, [one.id for one in lived.evidence()])
    path = tmp_path / "proof.json"
    path.write_text(json.dumps({"sealed": told}))
    (tmp_path / "head.txt").write_text(good(lived, "evidence", "head"))
    return path


def tool(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", TOOL, *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_a_stranger_checks_a_proof_with_one_file(lived: World, proof: Path) -> None:
    head = proof.with_name("head.txt")
    result = tool(proof, "--head", head)
    assert (result.returncode, result.stderr) == (0, "") and "before that head" in result.stdout
    quoted = head.read_text().replace("\n", "\n> ")  # as an answer quotes it
    head.write_text(f"Hello,\n\n> {quoted}\nRegards: Anne\n")
    assert tool(proof, "--head", head).returncode == 0
    assert "give --head or --key" in tool(proof).stdout
    assert "The proof fits" in good(lived, "evidence", "verify", str(proof), "--against", str(head))


def alter(where: str, value: object) -> Any:
    def change(told: dict[str, Any]) -> None:
        *path, name = where.split(".")
        found: Any = told["sealed"]
        for part in path:
            found = found[int(part)] if isinstance(found, list) else found[part]
        found[int(name) if isinstance(found, list) else name] = value

    return change


ALTERED = {
    "events.1.payload.fact": "confirmed", "events.1.payload.details.locale": "xx", "events.1.salt": "00" * 16,
    "events.1.payload.registration.key": "00" * 16, "events.1.ip": "192.0.2.99", "events.1.ip_salt": "00" * 16,
    "events.1.payload_commitment": "00" * 32, "events.1.ip_commitment": "00" * 32, "events.1.path.0": "00" * 32,
    "events.1.path": [], "events.1.index": 2, "events.1.leaf": 4, "events.1.block": 2, "seals.0.root": "00" * 32,
    "seals.0.sealed_at": "2020-01-01T00:00:00.000000Z", "seals.0.signature": "00" * 64, "seals.0.hash": "00" * 32,
    "seals.1.previous": "11" * 32, "seals.0.previous": "11" * 32, "public_key": "00" * 32, "seals": [], "events": {},
    "events.1": None, "events.1.size": 3, "seals.0.last": 99,
}  # fmt: skip


@ONE_DATABASE
def test_each_altered_proof_is_refused_by_the_command_and_by_the_file(lived: World, proof: Path) -> None:
    good_one = proof.read_text()
    for where, value in ALTERED.items():
        told = json.loads(good_one)
        alter(where, value)(told)
        proof.write_text(json.dumps(told))
        result = tool(proof)
        assert result.returncode == 1 and "WRONG" in result.stderr, where
        assert refused(lived, "evidence", "verify", str(proof)), where


@ONE_DATABASE
@each("text", ["", "[]", "{}", "no JSON", '{"sealed": null}', '{"sealed": {"events": 1, "seals": 2}}'])
def test_what_is_no_proof_is_refused_in_one_sentence(lived: World, tmp_path: Path, text: str) -> None:
    path = tmp_path / "proof.json"
    path.write_text(text)
    assert tool(path).returncode == 1 and "no proof" in refused(lived, "evidence", "verify", str(path))
    assert tool(tmp_path / "nowhere").returncode == 2


@ONE_DATABASE
@each("url", ["nonsense", "mysql://x/y", "sqlite:////nowhere/at/all.db", "postgresql+psycopg://127.0.0.1:1/none",
              "sqlite:///{folder}/garbage.db", "sqlite:///{folder}/empty.db", "x" * 10_000])  # fmt: skip
def test_a_database_that_cannot_be_read_is_told_in_one_sentence(world: World, tmp_path: Path, url: str) -> None:
    (tmp_path / "garbage.db").write_bytes(b"no database" * 1000)
    (tmp_path / "empty.db").touch()
    result = run(world, "evidence", "verify", "--database", url.format(folder=tmp_path))
    assert result.exit_code in (1, 2) and result.stdout == "" and "Traceback" not in result.stderr
    assert result.stderr.strip().splitlines()[-1].startswith("Error: "), result.stderr


@ONE_DATABASE
def test_a_copy_that_is_not_there_is_said_to_be_missing_and_not_made(world: World, tmp_path: Path) -> None:
    said = refused(world, "evidence", "verify", "--database", f"sqlite:///{tmp_path}/nowhere.db")
    assert "check that it is there" in said and not (tmp_path / "nowhere.db").exists()
