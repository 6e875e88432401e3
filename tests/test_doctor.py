"""The doctor as a whole: the table, the command, the desk (O-10, D-11)."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from subscriptions.doctor import run
from subscriptions.doctor.checks import CHECKS
from subscriptions.doctor.finding import Check
from subscriptions.doctor.says import FAULTS, HINTS, NOTES, SAYS
from subscriptions.settings import Settings
from subscriptions.store import sqlite
from tests.builders import World
from tests.conftest import ManualClock
from tests.doctored import alive, email, looked
from tests.support.cases import ONE_DATABASE
from tests.test_commands import good, refused
from tests.test_commands import run as command

HERE = Path(__file__).parent
DOCUMENT = (HERE.parent / "docs/doctor.md").read_text("utf-8")


def test_every_finding_is_seen_by_a_test_that_breaks_the_thing_itself() -> None:
    seen = "".join(path.read_text("utf-8") for path in HERE.glob("test_doctor*.py"))
    assert [name for name in SAYS if f'"{name}"' not in seen] == []
    assert len(SAYS) == len(FAULTS) + len(HINTS) + len(NOTES)


def test_the_document_has_a_row_for_each_check_with_its_title_and_why_it_matters() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (.+?) \| (.+?) \|$", DOCUMENT, re.M)
    assert rows == [(check.name, check.title, check.why) for check in CHECKS]


def test_every_check_says_in_whole_sentences_what_to_do() -> None:
    assert [name for name, text in (FAULTS | HINTS).items() if ". " not in text and name != "setting"] == []
    assert [check.name for check in CHECKS if not check.why.endswith(".") or check.title.endswith(".")] == []


# The command


@ONE_DATABASE
def test_in_try_out_mode_what_is_about_email_is_not_checked(world: World) -> None:
    skipped = [result.check.name for result in looked(world.app) if result.state == "skipped"]
    assert skipped == [check.name for check in CHECKS if check.is_live] and len(skipped) == 8
    assert (
        "– The relay: not checked (in try-out mode, or before an email is known that arrived)"
        in command(world, "doctor").stdout
    )


@ONE_DATABASE
def test_the_command_says_what_is_wrong_how_to_mend_it_why_and_what_to_copy(world: World) -> None:
    result = command(world, "doctor", "--only", "backup", "--only", "clock")
    assert result.exit_code == 1 and result.stderr == "Error: 1 of 2 checks found something to mend.\n"
    assert result.stdout.splitlines() == [
        "✓ The clock",
        "✗ Backup",
        "    Last backup: never. Make one now, and then every day.",
        "        yestwice backup yestwice.backup",
        "    Why: Without one, the proof of every consent is lost with the disk.",
    ]


@ONE_DATABASE
def test_a_hint_leaves_the_status_at_0_and_a_name_that_there_is_not_is_bad_usage(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "wal_is_safe", lambda version: False)
    assert good(world, "doctor", "--only", "database").startswith("! Database\n    SQLite ")
    assert command(world, "doctor", "--only", "health").exit_code == 2


@ONE_DATABASE
def test_json_has_every_check_with_its_state_and_what_to_copy(world: World) -> None:
    told = {one["name"]: one for one in json.loads(command(world, "doctor", "--json").stdout)}
    assert list(told) == [check.name for check in CHECKS]
    assert (told["relay"]["state"], told["clock"]["state"], told["backup"]["state"]) == ("skipped", "ok", "fault")
    assert told["backup"]["findings"] == [
        {
            "name": "backup-never",
            "level": "fault",
            "says": FAULTS["backup-never"],
            "copy": "yestwice backup yestwice.backup",
        }
    ]


@ONE_DATABASE
def test_a_check_that_breaks_or_never_ends_keeps_no_other_from_its_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = run.threading.Event()

    def broken(asked: object) -> Iterator[object]:
        raise RuntimeError("a secret")
        yield

    def endless(asked: object) -> Iterator[object]:
        gate.wait(60)
        yield from ()

    rows = [Check("broken", "A", broken, "."), Check("endless", "B", endless, "."), *CHECKS[-1:]]  # type: ignore[arg-type]
    monkeypatch.setattr(run, "CHECKS", rows), monkeypatch.setattr(run, "WITHIN", 2.0)
    results = looked(world.app)
    gate.set()
    first = [result.findings[0] for result in results if result.findings]
    assert [(one.name, one.values.get("why")) for one in first] == [
        ("unknown", "RuntimeError"), ("unknown", "it took too long"), ("backup-never", None)]  # fmt: skip
    assert "a secret" not in str(results)


@pytest.fixture
def live(make_app: Callable[..., Flask], settings: Settings, clock: ManualClock) -> Iterator[World]:
    with alive(make_app, settings, clock) as world:
        yield world


@ONE_DATABASE
def test_an_email_that_arrived_is_read_from_a_file_and_holds_for_later_runs(live: World, tmp_path: Path) -> None:
    (tmp_path / "email.eml").write_bytes(email())
    (tmp_path / "other.eml").write_bytes(email(From="a@other.example"))
    only = ("doctor", "--only", "dkim", "--only", "one-click", "--only", "arrived")
    assert re.findall("^[–!]", good(live, *only), re.M) == ["–", "–", "!"]
    assert "writes from example.net" in refused(live, *only, "--message", str(tmp_path / "other.eml"))
    said = good(live, *only, "--message", str(tmp_path / "email.eml"))
    assert said.count("✓ ") == 3 and "    DMARC: pass" in said
    assert good(live, *only) == said
    assert command(live, *only, "--message", str(tmp_path / "none.eml")).exit_code == 2
