"""The deletion journal: written before the commit, read by a restore, gone after 35 days; a full disk stops nobody."""

import ast
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from subscriptions.actions.replay import ACTS
from subscriptions.store import counters, journal, meta
from subscriptions.store.engine import reading, transaction
from tests.backups import save
from tests.builders import ANNE, BART, Movable, World, through
from tests.desk import at_the_desk
from tests.preferences import key
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE
from tests.support.relay import Relay
from tests.test_commands import logging_as_it_was

__all__ = ["logging_as_it_was"]
pytestmark = BY_DAY_ON_SQLITE
CODE = Path(journal.__file__).resolve().parents[1]


@pytest.fixture
def live(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock) as world:
        yield world


def warnings(world: World, about: str) -> list[str]:
    answer = world.get("/readyz", environ_base={"REMOTE_ADDR": "127.0.0.1"})
    return [one for one in (answer.json or {})["warnings"] if about in one]


def lines(world: World) -> list[dict[str, object]]:
    text = "".join(path.read_text() for path in sorted(world.parts.settings.journal.iterdir()))
    return [json.loads(line) for line in text.splitlines() if line]


def test_it_is_for_its_user_alone_and_lies_outside_the_data_unless_somebody_says_otherwise(world: World) -> None:
    world.subscribe(BART)
    world.post(world.leave_link(BART))
    [path] = world.parts.settings.journal.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700


def test_an_entry_names_the_subscription_by_its_number_and_the_person_by_a_keyed_hash(world: World) -> None:
    world.subscribe(BART)
    world.post(world.leave_link(BART))
    [entry] = lines(world)
    assert entry == {"act": "end", "key": key(world, BART).hex(), "id": 1, "event": "unsubscribe", "channel": "button",
                     "ended": world.clock.now().isoformat(), "at": entry["at"]}  # fmt: skip


def test_a_sign_up_writes_nothing_into_it(world: World) -> None:
    world.subscribe(BART)
    world.sign_up(ANNE)
    assert not world.parts.settings.journal.exists()


def test_what_is_rolled_back_may_be_noted_and_what_is_committed_always_is(world: World) -> None:
    world.subscribe(BART)

    def note_and(fails: bool) -> None:
        with transaction() as session:
            journal.note(session, "erase", key=b"x" * 16)
            if fails:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        note_and(fails=True)
    assert not world.parts.settings.journal.exists()
    note_and(fails=False)
    assert [entry["act"] for entry in lines(world)] == ["erase"]


def test_where_it_cannot_be_written_people_leave_and_the_operator_is_told_until_the_next_backup(
    live: World,
) -> None:
    live.sign_up(BART)
    live.post(live.parts.links.confirm_url(live.registrations()[0].ref))
    live.parts.settings.journal.write_text("no folder")
    assert live.post(live.leave_link(BART)).status_code == 200
    assert [row.state for row in live.subscriptions()] == ["unsubscribed"]
    with reading() as session:
        assert counters.totals(session)["journal_failures"] == 1
    [warning] = warnings(live, "journal")
    assert "File exists" in warning and "make a backup" in warning and "@" not in warning
    live.parts.settings.journal.unlink()
    save(live)
    assert warnings(live, "journal") == []


@ONE_DATABASE
def test_a_line_that_a_full_disk_cut_off_does_not_swallow_the_next(world: World) -> None:
    world.subscribe(BART)
    world.post(world.leave_link(BART))
    [path] = world.parts.settings.journal.iterdir()
    path.write_bytes(path.read_bytes()[:-20])
    world.subscribe(BART)
    world.post(world.leave_link(BART))
    found, unreadable = journal.read([path.parent], world.parts.clock.real_now() - timedelta(hours=1))
    assert [entry.said["id"] for entry in found] == [2] and unreadable == 1


@ONE_DATABASE
def test_a_day_goes_when_35_have_passed_and_what_is_not_ours_stays(world: World) -> None:
    folder, today = world.parts.settings.journal, world.parts.clock.real_now()
    folder.mkdir()
    names = [f"{today - timedelta(days=days):%Y-%m-%d}.jsonl" for days in (0, 34, 35, 36, 400)]
    for name in (*names, "2026-13-45.jsonl", "notes.txt"):
        (folder / name).write_text("")
    world.run("tidy")
    assert {one.name for one in folder.iterdir()} == {*names[:3], "2026-13-45.jsonl", "notes.txt"}


@ONE_DATABASE
def test_nobody_is_told_to_back_up_what_is_tried_out(world: World) -> None:
    world.clock.forward(days=60)
    assert warnings(world, "backup") == []


def test_without_a_backup_of_the_last_week_the_operator_is_told(live: World) -> None:
    assert warnings(live, "backup") == []
    live.clock.forward(days=60)
    assert warnings(live, "backup") == ["there is no backup yet: run yestwice backup every day"]
    with transaction() as session:
        meta.put(session, meta.LAST_BACKUP, "2027-01-14T11:00:00Z today.backup")
    [old] = warnings(live, "backup")
    assert old == "the last backup was made at 2027-01-14T11:00:00Z: run yestwice backup every day"
    live.clock.forward(days=-2)
    assert warnings(live, "backup") == []


def test_the_health_page_says_when_the_last_backup_was_made(world: World) -> None:
    ola = at_the_desk(world)
    assert "Last backup: never." in ola.get("/admin/health").text
    save(world)
    assert "Last backup: never." not in ola.get("/admin/health").text


# Where something of a person ends. A new place has to tell the journal, or it comes back with the next restore.
ENDS = {
    "state of a subscription": ({"actions/leave.py", "actions/erase.py"}, "subscription.state = ", "row.state = "),
    "suppressions": ({"store/suppressions.py"}, "Suppression(**"),
    "lifted suppressions": ({"store/suppressions.py", "store/mode.py"}, "delete(Suppression)"),
    "sign-ups": ({"store/registrations.py", "store/subscriptions.py"}, "delete(Registration)"),
    "imports": ({"store/imports.py", "actions/undo.py"}, "delete(Invitation)", "Stage.UNDONE, row"),
    "restrictions": ({"actions/on_behalf.py", "actions/replay.py"}, "row.restricted = "),
}


def test_whatever_ends_something_of_a_person_is_in_a_place_that_the_journal_hears_of() -> None:
    files = {path.relative_to(CODE).as_posix(): path.read_text("utf-8") for path in CODE.rglob("*.py")}
    for name, (where, *signs) in ENDS.items():
        found = {path for path, text in files.items() if any(sign in text for sign in signs)}
        assert found <= where, f"{name}: {found - where}"
    noting = [ast.parse(text) for text in files.values() if "journal.note(" in text]
    calls = [node for tree in noting for node in ast.walk(tree) if isinstance(node, ast.Call)]
    noted = {node.args[1].value for node in calls
             if ast.unparse(node.func) == "journal.note" and isinstance(node.args[1], ast.Constant)}  # fmt: skip
    assert noted | {"restrict"} == ACTS.keys()
