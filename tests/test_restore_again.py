"""After a restore nobody who has said no since the backup is mailed: each way to say it is walked."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from subscriptions import start
from subscriptions.actions.replay import ACTS
from subscriptions.store import journal
from tests.backups import restored, save, taken_at, verified
from tests.builders import ANNE, BART, CRIS, World
from tests.said_no import PEOPLE, Way, open_of
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE
from tests.test_commands import good, logging_as_it_was
from tests.test_imports_invite import invite

__all__ = ["logging_as_it_was"]
pytestmark = BY_DAY_ON_SQLITE
DORA = "dora@example.org"


def test_whatever_people_ended_since_the_backup_is_ended_again_and_names_nobody(world: World) -> None:
    for who, way in PEOPLE.items():
        way.before(world, who)
    world.subscribe(BART)
    path = save(world)
    for who, way in PEOPLE.items():
        way.done(world, who)
    written = "".join(one.read_text() for one in world.parts.settings.journal.iterdir())
    assert "@" not in written and "ecret" not in written and "Voluntary" not in written
    for _ in range(2):  # doing it twice changes nothing
        said = restored(world, path)
        assert all(words in said for words, _ in ACTS.values()), said
        start.prepare(world.app)
        world.parts.sender.begin_anew()  # `erase` has ended that of its process
        world.clock.forward(days=2)
        wrong = [who for who, way in PEOPLE.items() if not _holds(world, who, way)]
        assert wrong == [] and [row.address for row in open_of(world, BART)] == [BART]
        assert verified(world)


def _holds(world: World, who: str, way: Way) -> bool:
    try:
        way.holds(world, who)
    except AssertionError:
        return False
    return True


def test_whoever_was_invited_or_erased_since_the_backup_is_not_invited_by_the_import_that_comes_back(
    world: World, tmp_path: Path
) -> None:
    invite(world, tmp_path, [ANNE, BART, CRIS, DORA], per_day=1)
    path = save(world)
    world.clock.forward(hours=25)
    world.run("imports")
    good(world, "erase", CRIS, "--yes")
    assert world.deliver() and [one["To"] for one in world.mails()][-1] == BART
    said = restored(world, path)
    assert "people erased 1" in said and "invitations that went out 1" in said
    start.prepare(world.app)
    world.parts.sender.begin_anew()
    before = len(world.mails())
    for _ in range(4):
        world.clock.forward(hours=25)
        world.run("imports")
        world.deliver()
    assert [one["To"] for one in world.mails()][before:] == [DORA]


def test_who_left_and_came_back_before_the_backup_stays(world: World) -> None:
    world.subscribe(CRIS)
    world.post(world.leave_link(CRIS))
    world.subscribe(CRIS)
    path = save(world)
    entries, _ = journal.read([world.parts.settings.journal], taken_at(path).replace(year=2026, month=1, day=1))
    assert [entry.act for entry in entries] == ["end"]
    assert "deletion journal: nothing" in restored(world, path)
    assert [row.address for row in open_of(world, CRIS)] == [CRIS]


@ONE_DATABASE
@pytest.mark.parametrize(("seconds", "is_known"), [(-60, True), (-180, False)])
def test_what_was_noted_just_before_the_backup_and_committed_after_it_is_done(
    world: World, seconds: int, is_known: bool
) -> None:
    """An act says so before its commit; and clocks of several hosts differ."""
    world.subscribe(BART)
    path = save(world)
    world.post(world.leave_link(BART))
    [day] = world.parts.settings.journal.iterdir()
    entry = json.loads(day.read_text()) | {"at": (taken_at(path) + timedelta(seconds=seconds)).isoformat()}
    day.write_text(json.dumps(entry))
    restored(world, path)
    assert bool(open_of(world, BART)) is not is_known


@ONE_DATABASE
def test_a_check_says_what_would_be_done_again_and_changes_nothing(world: World) -> None:
    world.subscribe(BART)
    path = save(world)
    world.post(world.leave_link(BART))
    world.subscribe(CRIS)
    said = good(world, "restore", str(path), "--check")
    assert "The backup is whole" in said and "subscriptions ended 1" in said
    assert {row.address for row in world.subscriptions()} == {BART, CRIS}


@ONE_DATABASE
def test_the_journals_of_several_hosts_are_read_together(world: World) -> None:
    world.subscribe(BART)
    world.subscribe(CRIS)
    path, here = save(world), world.parts.settings.journal
    other = here.with_name("journal of another host")
    world.post(world.leave_link(BART))
    here.rename(other)
    world.post(world.leave_link(CRIS))
    restored(world, path, "--journal", str(here), "--journal", str(other))
    assert not open_of(world, BART) and not open_of(world, CRIS)


@ONE_DATABASE
def test_an_entry_that_makes_no_sense_is_told_and_stops_nothing(world: World) -> None:
    world.subscribe(BART)
    path, folder = save(world), world.parts.settings.journal
    world.post(world.leave_link(BART))
    [day] = folder.iterdir()
    worse = ('{"at": "2099-01-01T00:00:00+00:00", "act": "end", "key": "zz", "id": 1}', '{"at": 5}', "[]",
             '{"at": "2099-01-01T00:00:00", "act": "dance"}', day.read_text(), '{"at": "2026-')  # fmt: skip
    day.write_text("\n".join(worse))
    (folder / "2026-13-45.jsonl").write_text("not ours")
    said = restored(world, path)
    assert "subscriptions ended 1" in said and "entries that could not be read 4" in said
    assert not open_of(world, BART)


def test_a_list_that_the_backup_does_not_have_ends_nothing_of_another(world: World) -> None:
    path = save(world)
    good(world, "suppressions", "add", CRIS, "--reason", "x", "--scope", "confirmations")
    [day] = world.parts.settings.journal.iterdir()
    day.write_text(day.read_text().replace('"act": "suppress"', '"act": "suppress", "list_id": 77'))
    assert "deletion journal: nothing" in restored(world, path)
