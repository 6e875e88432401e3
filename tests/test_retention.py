"""The retention table: every column has its row, and each row's data goes when it says, and not a second before."""

import json
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from subscriptions.domain.retention import ALL, ROWS
from subscriptions.jobs.jobs import NAMED
from subscriptions.store import retention as due
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import (
    Audit,
    Captured,
    Hold,
    Registration,
    db,
)
from tests.builders import ANNE, World
from tests.kept import MADE, sweep, waits
from tests.losses import hold, lift
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.test_commands import good, logging_as_it_was, run

pytestmark = BY_DAY_ON_SQLITE
__all__ = ["logging_as_it_was"]


# go with the last that is known of the person: below; and files: test_journal.py
WITH_OTHERS = {"holds", "audit", "journal"}


def test_every_row_that_a_job_ends_is_tried_here() -> None:
    assert {row.name for row in ROWS if row.job} == MADE.keys() | WITH_OTHERS
    assert {row.job for row in ROWS if row.job} <= NAMED.keys()


@pytest.mark.parametrize("name", MADE)
def test_what_is_stored_goes_when_its_row_says_and_not_a_second_before(world: World, name: str) -> None:
    made = MADE[name](world)
    before = world.count(made.table, *made.which)
    world.clock.forward(seconds=(made.over_at - world.clock.now()).total_seconds() - 1)
    sweep(world)
    assert world.count(made.table, *made.which) == before > 0
    world.clock.forward(seconds=1)
    if name == "copies":
        with transaction() as session:
            session.execute(sa.update(Captured).values(real_at=world.parts.clock.real_now() - timedelta(days=1)))
    if name in (counts := due_now(world)):
        assert counts[name] > 0
    sweep(world)
    assert world.count(made.table, *made.which) == 0
    assert due_now(world).get(name, 0) == 0


def due_now(world: World) -> dict[str, int]:
    with reading() as session:
        return due.counts(session, world.clock.now(), world.parts.clock.real_now(), world.parts.policy)


def test_holds_and_the_audits_hashes_go_with_the_last_that_is_known_of_the_person(world: World) -> None:
    waits(world)
    run(world, "explain", ANNE)
    hold(world)
    lift(world)
    about = Audit.about.is_not(None)
    sweep(world)
    assert (world.count(Hold), world.count(Audit, about) > 0) == (1, True)
    world.clock.forward(days=62)
    sweep(world)
    sweep(world)
    assert (world.count(Hold), world.count(Audit, about)) == (0, 0)


def test_every_column_of_every_table_has_a_row() -> None:
    for table in db.metadata.tables.values():
        for column in table.columns:
            named = [row.columns.get(table.name, "") for row in ROWS]
            assert any(names == ALL or column.name in names.split() for names in named), f"{table.name}.{column.name}"


def test_no_row_names_what_is_not_there() -> None:
    there = {f"{table.name}.{column.name}" for table in db.metadata.tables.values() for column in table.columns}
    assert {one for row in ROWS for one in row.named} <= there | db.metadata.tables.keys()


def test_a_hold_takes_what_it_keeps_out_of_what_is_due(world: World) -> None:
    made = waits(world)
    hold(world)
    world.clock.forward(seconds=(made.over_at - world.clock.now()).total_seconds())
    assert due_now(world)["unconfirmed"] == 0


def test_the_dry_run_says_what_is_due_now_and_within_30_days_and_deletes_nothing(world: World) -> None:
    waits(world)
    world.clock.forward(days=10)
    before = world.count(Registration)
    rows = {line.split()[0]: line.split()[1:] for line in good(world, "retention", "show", "--dry-run").splitlines()}
    assert rows["unconfirmed"] == ["0", "1"] and world.count(Registration) == before
    assert "30 days after the sign-up" in good(world, "retention", "show")


def test_the_table_of_the_operator_says_when_the_deletion_log_last_noted_a_deletion(world: World) -> None:
    def told() -> object:
        rows = json.loads(good(world, "retention", "show", "--json"))
        return next(row for row in rows if row["class"] == "unconfirmed")["last_deletion"]

    waits(world)
    assert told() is None
    world.post(world.not_me_link(ANNE))
    assert told() == world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def test_everybody_reads_the_table_and_every_row_is_on_it(world: World) -> None:
    page = world.get("/retention")
    assert page.status_code == 200 and all(f'id="{row.name}"' in page.text for row in ROWS)
    assert "30 days after the sign-up, or one calendar month" in page.text


def test_the_line_says_when_the_last_deletion_was_to_five_minutes_and_every_site_may_read_it(world: World) -> None:
    assert world.get("/retention.json").get_json()["last_deletion"] is None
    run(world, "jobs", "run", "purge")  # nothing to delete: that is a run
    world.clock.forward(minutes=14)
    answer = world.get("/retention.json", headers={"Origin": "https://evil.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    told = answer.get_json()
    assert told["line"] == "Unconfirmed sign-ups are deleted 30 days after the sign-up. Last deletion: 10 minutes ago."
    assert re.fullmatch(r"2026-11-23T\d\d:\d\d:\d\dZ", told["last_deletion"]) and told["unconfirmed_days"] == 30
    assert told["line"] in world.get("/retention").text


def test_nobodys_act_shows_in_the_line(world: World) -> None:
    run(world, "jobs", "run", "purge")
    before = world.get("/retention.json").data
    waits(world)
    world.post(world.not_me_link(ANNE))
    assert world.get("/retention.json").data == before


def test_a_clock_that_has_gone_back_says_just_now(world: World) -> None:
    run(world, "jobs", "run", "purge")
    world.clock.forward(hours=-5)
    assert world.get("/retention.json").get_json()["line"].endswith("Last deletion: just now.")
