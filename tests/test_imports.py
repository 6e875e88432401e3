"""A list with its evidence comes in as it was, nobody against whom something stands does, and it can be undone."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask

from subscriptions.domain.evidence import Cause, Channel, Fact
from subscriptions.domain.imports import Outcome, Stage
from subscriptions.settings import Abuse
from subscriptions.store.models import Removal
from tests.builders import ANNE, BART, CRIS, NEWS, Office, World, rows_of_every_table
from tests.conftest import ManualClock
from tests.imports import CONFIRMED, SIGNED_UP, bring, brought, lines, proved, the_import
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE
from tests.test_commands import good, refused, run
from tests.test_commands import logging_as_it_was as logging_as_it_was

DORA = "dora@example.org"


def open_of(world: World) -> list[str | None]:
    return [row.address for row in world.subscriptions() if row.is_open]


def counts() -> dict[str, int]:
    """Of the newest import, by the names of the outcomes."""
    found = the_import().counts
    return {name: found[one.value] for name, one in Outcome.__members__.items() if one.value in found}


def test_a_list_with_evidence_is_confirmed_as_imported_and_every_proof_says_so(world: World, tmp_path: Path) -> None:
    text = lines([proved(ANNE, "Anne"), proved(BART, ip="")])
    done = bring(world, tmp_path, text, "--with-evidence", "--document", "binder 12")
    assert (done.stage, counts()) == (Stage.DONE, {"IMPORTED": 2})
    row, fact = world.subscriptions()[0], world.evidence()[0]
    assert (row.address, row.name, row.wording_id) == (ANNE, "Anne", None)
    assert (row.registered_at, row.confirmed_at) == tuple(map(datetime.fromisoformat, (SIGNED_UP, CONFIRMED)))
    assert (fact.fact, fact.channel, fact.at) == (Fact.IMPORTED, Channel.IMPORT, world.clock.now())
    told = {"source": "list.csv", "file_sha256": done.sha256, "row": 2, "document": "binder 12"}
    assert fact.details.items() >= told.items() and fact.ip == "203.0.113.9"
    assert row.ip_until == datetime(2027, 3, 1, 10, 7, tzinfo=UTC)
    said = good(world, "explain", ANNE)
    assert "imported from list.csv: signed up on 1 March 2026, 10:00 UTC, confirmed on 1 March 2026, 10:07 UTC" in said
    assert run(world, "proof", ANNE, "--list", NEWS, "-o", str(tmp_path / "proof")).exit_code == 0
    page = (tmp_path / "proof" / "proof.html").read_text("utf-8")
    assert "This consent was not given here. It was imported on" in page and done.sha256 in page
    told = json.loads((tmp_path / "proof" / "proof.json").read_text("utf-8"))
    assert told["event"][0]["event_state"] == "dpv:ConsentGiven"


@BY_DAY_ON_SQLITE
def test_an_ip_address_is_kept_no_longer_than_that_of_who_confirms_here(world: World, tmp_path: Path) -> None:
    old = (ANNE, "", "2020-03-01", "2020-03-02", "203.0.113.9")
    bring(world, tmp_path, lines([old, proved(BART)]))
    assert [row.ip for row in world.evidence()] == [None, "203.0.113.9"]
    world.clock.forward(days=100)
    world.run("purge")
    assert [row.ip for row in world.evidence()] == [None, None] and len(open_of(world)) == 2


def test_nobody_against_whom_something_stands_comes_in_by_a_file(world: World, tmp_path: Path) -> None:
    world.subscribe(ANNE, name="Anne")
    world.subscribe(BART)
    world.post(world.leave_link(BART))
    good(world, "suppressions", "add", CRIS, "--scope", "all", "--reason", "asked", "--yes")
    good(world, "suppressions", "add", DORA, "--scope", "confirmations", "--reason", "asked")
    before = rows_of_every_table()
    rows = [ANNE.upper(), BART, CRIS, "dora+x@example.org", "postmaster@example.org", "nobody", "a b@example.org",
            "x@local", "", "privacy@example.org"]  # fmt: skip
    bring(world, tmp_path, lines([proved(address, "Other") for address in rows]))
    assert counts() == {"KNOWN": 1, "LEFT": 1, "SUPPRESSED": 2, "ROLE": 1, "BAD_ADDRESS": 3, "NO_ADDRESS": 1, "OWN": 1}
    after = rows_of_every_table()
    assert {name for name in before if before[name] != after[name]} == {"imports", "import_batches", "audit"}
    assert (open_of(world), world.subscriptions()[0].name) == ([ANNE], "Anne")


WRONG = {
    "NO_TIMES": [(ANNE, "", "", CONFIRMED, "203.0.113.9"), (BART, "", SIGNED_UP, "", "203.0.113.9")],
    "NO_PROOF": [proved(ANNE, ip=""), proved(BART, ip="home")],
    "BAD_TIME": [proved(ANNE, at="2099-01-01"), proved(BART, at="2026-02-01"), proved(CRIS, at="soon")],
    "TOO_LONG": [proved(ANNE, "x" * 101), proved(BART, "a\x07")],
    "DOMAIN": [proved("x@blocked.example"), proved("y@below.blocked.example")],
}


@ONE_DATABASE
def test_a_row_without_whole_evidence_is_refused_and_says_why(
    make_app: Callable[..., Flask], clock: ManualClock, tmp_path: Path
) -> None:
    app = make_app(abuse=Abuse(blocked_domains=("blocked.example",)))
    with app.app_context():
        bring(World(app, app.test_client(), clock), tmp_path, lines(row for rows in WRONG.values() for row in rows))
        assert counts() == {why: len(rows) for why, rows in WRONG.items()}


@ONE_DATABASE
def test_what_another_program_says_of_whoever_has_left_is_heeded(world: World, tmp_path: Path) -> None:
    head = ("email", "activated", "registered", "deactivated", "source")
    rows = [(ANNE, "1772460300", "1772460000", "0", "fair"), (BART, "1772460300", "1772460000", "1772460400", "fair")]
    bring(world, tmp_path, lines(rows, head, ";"), "--with-evidence", "--document", "contract")
    assert counts() == {"IMPORTED": 1, "NOT_SUBSCRIBED": 1}
    assert world.evidence()[0].details["source"] == "fair"


@BY_DAY_ON_SQLITE
def test_the_same_file_adds_nobody_and_another_one_with_the_same_people_neither(world: World, tmp_path: Path) -> None:
    text = lines([proved(ANNE), proved(BART), proved(ANNE)])
    bring(world, tmp_path, text)
    assert counts() == {"IMPORTED": 2, "KNOWN": 1}
    assert "would add nobody" in refused(world, "import", str(tmp_path / "list.csv"), "--list", NEWS, "--with-evidence")
    bring(world, tmp_path, text + "\r\n")
    assert counts() == {"KNOWN": 3} and len(world.subscriptions()) == 2


def test_rows_without_whole_evidence_come_in_the_other_way_or_with_their_document_from_the_same_file(
    world: World, tmp_path: Path
) -> None:
    text = lines([proved(ANNE), proved(BART, ip=""), proved(CRIS, at="")])
    bring(world, tmp_path, text)
    assert counts() == {"IMPORTED": 1, "NO_PROOF": 1, "NO_TIMES": 1}
    bring(world, tmp_path, text, "--with-evidence", "--document", "binder 12")
    assert counts() == {"IMPORTED": 1, "KNOWN": 1, "NO_TIMES": 1}
    bring(world, tmp_path, text, "--invite")
    assert counts() == {"KNOWN": 2, "WAITS": 1}
    assert "would add nobody" in refused(world, "import", str(tmp_path / "list.csv"), "--list", NEWS, "--invite")


@BY_DAY_ON_SQLITE
def test_a_dry_run_shows_columns_rows_and_problems_and_changes_nothing(world: World, tmp_path: Path) -> None:
    good(world, "jobs", "show")
    before = rows_of_every_table()
    (tmp_path / "list.csv").write_text(lines([proved(ANNE), proved(BART, ip=""), proved("no")]))
    said = brought(world, tmp_path / "list.csv", "--dry-run").stdout
    assert "CSV, comma, utf-8" in said and "confirmed_ip: confirmed_ip" in said
    assert "row 3: neither an IP address nor a document" in said and "        1  imported" in said
    assert rows_of_every_table() == before | {"audit": before["audit"] + 1}
    assert [*(tmp_path / "imports").glob("*")] == []


@ONE_DATABASE
def test_a_column_is_read_as_a_person_says_and_days_are_never_guessed(world: World, tmp_path: Path) -> None:
    file, known = tmp_path / "list.csv", ("--with-evidence", "--document", "x", "--map", "wer=email")
    file.write_text(lines([(ANNE, "01/02/2020", "03/02/2020")], ("wer", "seit", "ja")))
    asked = brought(world, file, *known, "--map", "seit=registered_at", "--map", "ja=confirmed_at")
    assert asked.exit_code == 1 and "nobody can tell days from months" in asked.stderr
    assert "There is no column" in brought(world, file, "--dry-run", "--map", "x=email").stderr
    assert "is no field" in brought(world, file, "--dry-run", "--map", "wer=state").stderr
    assert brought(world, file, "--dry-run", "--map", "wer").exit_code == 1
    answer = ("--map", "seit=registered_at:dmy", "--map", "ja=confirmed_at:mdy")
    assert brought(world, file, *known, *answer).exit_code == 0
    [row] = world.subscriptions()
    assert (row.registered_at.date().isoformat(), row.confirmed_at.date().isoformat()) == ("2020-02-01", "2020-03-02")


def test_undone_within_a_day_it_is_as_if_it_had_never_been_but_for_who_has_done_something_since(
    world: World, tmp_path: Path
) -> None:
    bring(world, tmp_path, lines([proved(ANNE), proved(BART), proved(CRIS), proved(DORA)]))
    world.post(world.leave_link(BART))
    good(world, "hold", "add", DORA, "--reason", "dispute", "--review", "2027-03-01")
    world.clock.forward(hours=23)
    assert good(world, "import", "undo", str(the_import().id), "--yes") == "2 removed.\n"
    assert [row.address for row in world.subscriptions()] == [BART, DORA]
    assert world.count(Removal, Removal.cause == Cause.UNDONE, Removal.count == 2) == 1
    assert good(world, "import", "undo", str(the_import().id), "--yes") == "0 removed.\n"
    bring(world, tmp_path, (tmp_path / "list.csv").read_text())
    assert counts() == {"IMPORTED": 2, "LEFT": 1, "KNOWN": 1}
    world.clock.forward(days=1)
    assert "can be undone within a day" in refused(world, "import", "undo", str(the_import().id), "--yes")


@BY_DAY_ON_SQLITE
def test_the_report_has_every_row_for_a_day_and_then_only_numbers_are_left(world: World, tmp_path: Path) -> None:
    id_ = str(bring(world, tmp_path, lines([proved(ANNE), proved("=cmd()@"), proved(BART, ip="")])).id)
    report, kept = tmp_path / "report.csv", tmp_path / "imports" / id_
    good(world, "import", "show", id_, "-o", str(report))
    rows = list(csv.reader(report.read_text("utf-8").splitlines()))
    assert rows[1:] == [["2", ANNE, "yes", "imported"], ["3", "'=cmd()@", "no", "an email address that cannot exist"],
                        ["4", BART, "no", "neither an IP address nor a document"]]  # fmt: skip
    assert kept.stat().st_mode & 0o777 == 0o600
    world.clock.forward(days=1)
    world.run("imports")
    assert not kept.exists() and "only numbers" in refused(world, "import", "show", id_, "-o", str(report))
    assert "1  imported" in good(world, "import", "show", id_)


@BY_DAY_ON_SQLITE
def test_who_was_imported_is_new_to_a_program_that_reads_changes(world: World, tmp_path: Path) -> None:
    office = Office(world)
    bring(world, tmp_path, lines([proved(ANNE)]))
    world.run("seal")
    told: Any = office.get("/api/v1/changes").json
    assert [one["change"] for one in told["changes"]] == ["imported"] and office.exported(NEWS) == [ANNE]
