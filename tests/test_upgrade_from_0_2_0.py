"""A service on 0.2.0 is upgraded: every link, code, handle and token of its mails and answers acts as before."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask_migrate.cli import db as flask_db

from app import create_app
from subscriptions.store import migrate
from subscriptions.store.models import Address, db
from tests.builders import World
from tests.fixtures.v0_2_0.replay import BASE, Player
from tests.support.relay import Relay
from tests.support.sql import connected, execute, number, rows
from tests.support.upgrade import V0_2_0, Left, settings_of
from tests.test_commands import good, logging_as_it_was
from tests.upgraded import Upgraded

__all__ = ["logging_as_it_was"]
COUNTED = {"sign-ups": "networks", "tries": "tries"}
THINGS = json.loads((V0_2_0 / "things.json").read_text("utf-8"))
WALKS = {one["walk"]: one["steps"] for one in json.loads((V0_2_0 / "walks.json").read_text("utf-8"))}


# What was decided otherwise since: a visit that can no longer confirm has no tries, and tells nothing of its code.
DECIDED = {
    ("codes and handles", 19): {"answer": 422},
    # an erasure says how long the times of mails stay
    ("the operator acts", 9): {"told": ["20 December 2026, 10:00 UTC"]},
    ("the operator acts", 11): {"told": ["1 January 2030, 00:00 UTC", "20 December 2026, 11:00 UTC"]},
}
# By day each walk on one database, and a few on the other: the tables of both are upgraded in the tests below.
ON_BOTH = [*WALKS][::5]
PLAYED = [
    pytest.param(kind, walk, marks=[] if kind == "sqlite" or walk in ON_BOTH else pytest.mark.drill)
    for kind in ("sqlite", "postgresql")
    for walk in WALKS
]


@pytest.mark.parametrize(("database", "walk"), PLAYED, indirect=["database"])
def test_what_0_2_0_handed_out_does_what_it_did(walk: str, upgraded: Upgraded, clock: Any, relay: Relay) -> None:
    did = Player(upgraded, clock, relay, THINGS["API tokens"]).play(WALKS[walk])
    before = [told(step, step["did"] | DECIDED.get((walk, n), {})) for n, step in enumerate(WALKS[walk])]
    assert [told(step, now) for step, now in zip(WALKS[walk], did, strict=True)] == before


def told(step: dict[str, Any], did: dict[str, Any]) -> dict[str, Any]:
    """With the step, so that a difference says of what it is one.

    Since 0.4.0 exports name the wording, a CSV at its end, and the mail of a change of address has no code.
    """
    said = did.get("told")
    mails = [one.replace("elsewhere@example.org: confirm, not-me, code", "elsewhere@example.org: confirm, not-me")
             for one in did.get("mails", [])]  # fmt: skip
    if said is not None and step["do"].endswith("format=csv"):
        said = [one.split(",")[:7] for one in said]
    elif said is not None:
        said = [re.sub(r'"(wording_id|id)": (null|"\w+"), ', "", one) for one in said]
    return {"at": step["at"], "do": step["do"], **did, "told": said, "mails": mails}


def test_the_upgraded_schema_is_what_the_models_say(upgraded: Upgraded) -> None:
    with upgraded().app_context(), db.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), db.metadata) == []


def test_an_upgrade_adds_nobody_and_loses_nobody(left_url: str, upgraded: Upgraded) -> None:
    tables = ("addresses", "subscriptions", "evidence", "suppressions", "outbox", "used_once", "audit", "wordings")
    before = {table: number(left_url, f"SELECT count(*) FROM {table}") for table in tables}  # noqa: S608
    before["wordings"] += 1  # of the list that has no text of its own: the shipped one says more since 0.4.0
    upgraded()
    assert {table: number(left_url, f"SELECT count(*) FROM {table}") for table in tables} == before  # noqa: S608


Command = Callable[..., None]


@pytest.fixture
def command(left_url: str, tmp_path: Path, clock: Any, relay: Relay) -> Command:
    """Runs a command of `flask db` on what 0.2.0 left."""
    app = create_app(settings_of(left_url, tmp_path, relay), clock)
    migrate.init_app(app)

    def run(*args: str) -> None:
        app.test_cli_runner().invoke(flask_db, args)
        with app.app_context():
            db.engine.dispose()

    return run


def stored(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, as text: databases compare their own types in their own ways."""
    with connected(url) as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        found = {name: connection.execute(sa.text(f"SELECT * FROM {name}")) for name in tables.tables}  # noqa: S608
        return {name: sorted(tuple(map(str, row)) for row in result) for name, result in found.items()}


def test_flask_db_upgrades_as_flask_migrate_does(
    database: str, left: Left, left_url: str, command: Command, tmp_path: Path, clock: Any, relay: Relay
) -> None:
    before, other = stored(left_url), left.database(database)
    command("upgrade")
    with create_app(settings_of(other, tmp_path, relay), clock).app_context():
        migrate.upgrade()
        db.engine.dispose()
    after = stored(left_url)
    assert after == stored(other)
    kept = before.keys() & after.keys()
    of_lists = number(left_url, "SELECT count(*) FROM counters WHERE list_id > 0")  # what the migration has counted
    assert of_lists and len(after["counters"]) - of_lists == len(before["counters"])
    after["counters"] = after["counters"][of_lists:]
    after["meta"] = [row for row in after["meta"] if "counted_since" not in row]
    assert {name: len(after[name]) for name in kept} == {name: len(before[name]) for name in kept}


@pytest.mark.parametrize("args", [["stamp", "0002"], ["downgrade"], ["upgrade", "--sql"], ["current"], ["check"]])
def test_the_other_commands_of_flask_db_change_nothing(left_url: str, command: Command, args: list[str]) -> None:
    before = stored(left_url)
    command(*args)
    assert stored(left_url) == before


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_migration_runs_while_a_cascade_could_delete(
    left_url: str, command: Command, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = stored(left_url)
    monkeypatch.setattr(migrate, "alone", lambda: db.engine.connect())
    command("upgrade")
    assert "foreign keys are on" in caplog.text
    assert stored(left_url) == before


def test_what_was_counted_goes_on_counting_each_kind_by_itself(left_url: str, upgraded: Upgraded) -> None:
    before = {kind: rows(left_url, f"SELECT key, since, count FROM {table}") for kind, table in COUNTED.items()}  # noqa: S608
    upgraded()
    kept = "SELECT key, since, count FROM counted_keys WHERE kind = '{}'"
    assert all(before.values())
    assert {kind: rows(left_url, kept.format(kind)) for kind in COUNTED} == before


def test_what_waits_gets_todays_wording_and_a_subscription_the_one_that_it_was_opened_with(
    left_url: str, upgraded: Upgraded
) -> None:
    opened = "SELECT s.id, r.wording_id FROM subscriptions s LEFT JOIN registrations r ON r.subscription_id = s.id"
    before = dict(reversed(rows(left_url, f"{opened} ORDER BY r.id")))  # the first of several
    unknown = rows(left_url, "SELECT id, list_id, state FROM registrations WHERE wording_id IS NULL ORDER BY id")
    waiting = [id_ for id_, _, state in unknown if state == "pending"]
    upgraded()
    assert any(before.values()) and len(waiting) > 2 and len(unknown) > len(waiting)
    assert dict(rows(left_url, "SELECT id, wording_id FROM subscriptions")) == before
    todays = "SELECT r.id FROM registrations r JOIN lists l ON l.id = r.list_id AND l.wording_id = r.wording_id"
    assert rows(left_url, f"{todays} WHERE NOT r.vouched ORDER BY r.id") == [(id_,) for id_ in waiting]
    assert rows(left_url, "SELECT id FROM registrations WHERE vouched AND wording_id IS NULL") == []


def test_who_asked_not_to_be_asked_gets_no_confirmations(left_url: str, upgraded: Upgraded) -> None:
    by_scope = "SELECT scope, count(*) FROM suppressions GROUP BY scope"
    before = dict(rows(left_url, by_scope))
    upgraded()
    assert dict(rows(left_url, by_scope)) == {"confirmations": before["ask"], "all": before["all"]}


def test_ip_addresses_of_the_erased_go_with_them(left_url: str, upgraded: Upgraded) -> None:
    erased = "SELECT id FROM subscriptions WHERE state = 'erased'"
    theirs = f"SELECT id FROM registrations WHERE subscription_id IN ({erased})"  # noqa: S608
    known = f"SELECT count(*) FROM evidence WHERE ip IS NOT NULL AND registration_id {{}} ({theirs})"  # noqa: S608
    gone, stays = known.format("IN"), known.format("NOT IN")
    before, others = number(left_url, gone), number(left_url, stays)
    upgraded()
    assert before and (number(left_url, gone), number(left_url, stays)) == (0, others)


def test_what_operators_did_after_attacks_is_still_in_the_audit_under_the_name_of_their_command(
    left_url: str, upgraded: Upgraded
) -> None:
    before = rows(left_url, "SELECT id, act, actor, details FROM audit ORDER BY id")
    upgraded()
    acts = rows(left_url, "SELECT id, act, actor, details, actor_kind, count, about, reason FROM audit ORDER BY id")
    assert before and [tuple(row) for row in acts] == [
        (one.id, f"abuse {one.act}", one.actor, one.details, "command", 21, None, None) for one in before
    ]


def test_what_was_kept_of_a_spelling_goes_on_for_it(left_url: str, upgraded: Upgraded) -> None:
    mailed = dict(rows(left_url, "SELECT key, mails FROM addresses WHERE mails <> ''"))
    upgraded()
    assert mailed and number(left_url, "SELECT count(*) FROM suppressions WHERE mailbox <> key") == 0
    with connected(left_url) as connection:
        at = dict(connection.execute(sa.select(Address.key, Address.last_mail_at)).all())
    latest = {key: max(map(int, mails.split(","))) for key, mails in mailed.items()}
    assert {key: round(time.timestamp() * 1000) for key, time in at.items() if time} == latest


def test_a_second_start_finds_nothing_to_upgrade(upgraded: Upgraded) -> None:
    upgraded()
    answer = upgraded().test_client().get("/subscribe/newsletter", base_url=BASE)
    assert answer.status_code == 200 and THINGS["wordings"]["newsletter"] in answer.text


def test_what_somebody_has_held_in_the_database_by_hand_is_a_hold_and_all_of_it_is_sealed(
    left_url: str, upgraded: Upgraded, clock: Any
) -> None:
    execute(left_url, "UPDATE subscriptions SET held = 'a dispute' WHERE id = 1")
    app = upgraded()
    with app.app_context():
        world = World(app, app.test_client(), clock)
        [held] = json.loads(good(world, "hold", "show", "--json"))
        assert (held["reason"], held["by"], held["key"]) == (
            "a dispute", "command upgrade", world.subscriptions()[0].key.hex())  # fmt: skip
        world.run("seal")
        verdict = json.loads(good(world, "evidence", "verify", "--json"))
        assert (verdict["wrong"], verdict["unsealed"]) == (None, 0) and verdict["events"] == len(world.evidence())
