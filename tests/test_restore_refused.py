"""What cannot be restored is refused before anything is changed, and a restore that is killed is noticed."""

import gzip
import json
import os
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from flask import Flask

from subscriptions import start
from subscriptions.backup import BadBackup, archive
from subscriptions.backup import restore as restoring
from subscriptions.settings import BadSettings, Server
from subscriptions.store import jobs, journal, migrate, tables
from subscriptions.store.engine import transaction
from tests.backups import everything, manifest, peopled, read, restore, restored, save, verified
from tests.builders import BART, World
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE, each
from tests.support.forked import ran
from tests.support.server import flask
from tests.support.sql import connected
from tests.support.upgrade import LATER, load_dump
from tests.test_commands import good, logging_as_it_was, refused, run

__all__ = ["logging_as_it_was"]
pytestmark = BY_DAY_ON_SQLITE


def url_of(world: World) -> str:
    return world.parts.settings.database_url


def rewritten(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    lines = gzip.decompress(path.read_bytes()).decode().splitlines(keepends=True)
    path.write_bytes(gzip.compress("".join(change(lines)).encode()))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def flipped(path: Path) -> None:
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2] ^= 1
    path.write_bytes(octets)


def row_gone(path: Path) -> None:
    rewritten(path, lambda lines: lines[:5] + lines[6:])


def row_changed(path: Path) -> None:
    rewritten(path, lambda lines: [line.replace(BART, "other@example.org") for line in lines])


def row_added(path: Path) -> None:
    rewritten(path, lambda lines: [*lines, "[]\n"])


def is_text(path: Path) -> None:
    path.write_text("Dear diary,\n")


def is_empty(path: Path) -> None:
    path.write_bytes(b"")


def of_a_later_format(path: Path) -> None:
    rewritten(path, lambda lines: [lines[0].replace('"format":1', '"format":2'), *lines[1:]])


def of_a_later_schema(path: Path) -> None:
    rewritten(path, lambda lines: [lines[0].replace(migrate.HEAD, "9999"), *lines[1:]])


DAMAGE = {
    cut: "damaged", flipped: "damaged", row_gone: "damaged", row_changed: "damaged", row_added: "damaged",
    is_text: "damaged", is_empty: "damaged", of_a_later_format: "newer", of_a_later_schema: "newer",
}  # fmt: skip


@ONE_DATABASE
def test_what_is_damaged_or_of_a_later_version_is_refused_and_nothing_is_changed(world: World) -> None:
    good_one = save(peopled(world)).read_bytes()
    before, wrong = everything(url_of(world)), []
    path = world.parts.settings.data_dir / "other.backup"
    for damage, said in DAMAGE.items():
        path.write_bytes(good_one)
        damage(path)
        for look in ("--check",), ():
            result = restore(world, path, *look)
            if (result.exit_code, result.stdout) != (1, "") or said not in result.stderr:
                wrong.append((damage.__name__, look, result.output))
    assert wrong == [] and everything(url_of(world)) == before


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_what_only_the_other_kind_of_database_takes_is_a_sentence_and_changes_nothing(world: World) -> None:
    path = save(peopled(world))
    before = everything(url_of(world))
    rewritten(path, lambda lines: [line.replace('"newsletter"', f'"{"n" * 99}"') for line in lines])
    rewritten(path, _sealed)
    result = restore(world, path)
    assert result.exit_code == 1 and "refuses a row of the backup" in result.stderr and "n" * 99 not in result.stderr
    assert everything(url_of(world)) == before


@ONE_DATABASE
def test_a_file_that_changes_after_it_was_checked_is_refused_as_well(world: World) -> None:
    path = save(read(world))
    before = everything(url_of(world))
    row_changed(path)
    with pytest.raises(BadBackup, match="damaged"), archive.opened(path, None) as reader:
        restoring.restore(reader, "x", lambda _: None)
    assert everything(url_of(world)) == before


@ONE_DATABASE
def test_what_is_encrypted_opens_with_its_own_key_alone_and_as_it_was_written(world: World, tmp_path: Path) -> None:
    path = save(peopled(world), "sealed", "--key-file", str(tmp_path / "key"))
    (tmp_path / "other").write_text("o" * 64)
    key, octets = ("--key-file", str(tmp_path / "key")), path.read_bytes()
    assert "encrypted: name its key file" in refused(world, "restore", str(path), "--check")
    assert "another key" in refused(world, "restore", str(path), "--check", "--key-file", str(tmp_path / "other"))
    assert "No such file" in refused(world, "restore", str(path), "--check", "--key-file", str(tmp_path / "none"))
    for damage in (cut, flipped):
        path.write_bytes(octets)
        damage(path)
        assert "damaged" in refused(world, "restore", str(path), "--check", *key)
    path.write_bytes(octets)
    assert "whole" in good(world, "restore", str(path), "--check", *key)


@ONE_DATABASE
def test_with_another_pepper_it_is_refused(world: World, make_app: Callable[..., Flask]) -> None:
    path, server = save(read(world)), world.parts.settings.server
    other = Server(data_dir=server.data_dir, journal=server.journal, pepper="another pepper of the tests")
    with pytest.raises(BadSettings, match="pepper"):
        make_app(server=other)
    with world.app.app_context():
        world.parts.pepper_mark = "another"
        assert "another pepper" in refused(world, "restore", str(path), "--yes")


@ONE_DATABASE
def test_a_database_in_use_is_replaced_only_if_somebody_says_so(world: World) -> None:
    path = save(peopled(world))
    before = everything(url_of(world))
    result = run(world, "restore", str(path))
    assert result.exit_code == 2 and "--yes" in result.stderr and everything(url_of(world)) == before
    with transaction() as session:
        jobs.note(session, "deliver", world.clock.now(), 0)
    assert "still running" in refused(world, "restore", str(path), "--yes")
    world.clock.forward(seconds=15)
    assert "Restored" in restored(world, path)


def test_a_restore_that_is_killed_while_it_writes_has_changed_nothing(world: World) -> None:
    path = save(read(world))
    world.subscribe("later@example.org")
    before = everything(url_of(world))

    def killed(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), archive.opened(path, None) as reader:
        restoring.restore(reader, "x", killed)
    assert everything(url_of(world)) == before


def test_one_that_is_killed_before_the_journal_serves_nobody_until_it_is_run_again(world: World) -> None:
    path = save(read(world))
    world.post(world.leave_link(BART))
    with archive.opened(path, None) as reader:
        restoring.restore(reader, "x", lambda _: None)
    with pytest.raises(BadSettings, match="A restore of this database was interrupted"):
        start.prepare(world.app)
    assert "interrupted" in refused(world, "export", "newsletter")
    restored(world, path)
    start.prepare(world.app)
    assert not [row for row in world.subscriptions() if row.is_open and row.list_id == 1] and verified(world)


OLD = [pytest.param(folder, id=folder.name, marks=[] if folder == LATER[-1] else pytest.mark.drill)
       for folder in LATER]  # fmt: skip


@pytest.mark.parametrize("folder", OLD)
def test_a_backup_of_an_older_schema_is_restored_and_brought_up_to_date(world: World, folder: Path) -> None:
    """As a version with that schema would have made it: none before 0.7.0 could."""
    left = world.parts.settings.data_dir / "subscriptions.db.left"
    load_dump("sqlite", f"sqlite:///{left}", folder)
    path = left.with_name("old.backup")
    with connected(f"sqlite:///{left}") as connection, path.open("wb") as file:
        found = tables.tables(connection)
        counts = {name: tables.counted(connection, table) for name, table in found.items()}
        schema = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
        made = archive.Manifest("old", schema, "2026-11-23T14:00:00Z", world.parts.pepper_mark, counts)
        archive.write(file, made, lambda name: tables.rows(connection, found[name]), lambda _: None)
    restored(world, path)
    world.clock.forward(hours=2)
    start.prepare(world.app)
    assert migrate.current() == migrate.HEAD
    assert [(row.address, row.state) for row in world.subscriptions()] == [
        (BART, "confirmed"), (BART, "confirmed"), ("cris@example.org", "unsubscribed"), (None, "erased")
    ]  # fmt: skip
    assert verified(world)


@ONE_DATABASE
def test_an_old_backup_or_a_journal_that_is_not_there_is_said_aloud(world: World) -> None:
    path = save(peopled(world))
    taken = manifest(path).taken_at
    old = (world.parts.clock.real_now() - journal.KEPT - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    rewritten(path, lambda lines: [line.replace(taken, old) for line in lines])
    rewritten(path, _sealed)
    [day] = world.parts.settings.journal.iterdir()
    day.rename(day.with_suffix(".away"))
    said = run(world, "restore", str(path), "--check")
    assert said.exit_code == 0 and "goes back 35 days" in said.stderr and "no deletion journal" in said.stderr


def _sealed(lines: list[str]) -> list[str]:
    whole = "".join(lines[:-1]).encode()
    return [*lines[:-1], json.dumps(sha256(whole).hexdigest()) + "\n"]


@ONE_DATABASE
@pytest.mark.drill
def test_a_new_machine_keeps_no_pepper_of_its_own_beside_a_backup_of_another(world: World, tmp_path: Path) -> None:
    path, folder = save(world), tmp_path / "new"
    around = {name: text for name, text in os.environ.items() if not name.startswith("SUBSCRIPTIONS_")}
    around["SUBSCRIPTIONS_SERVER__DATA_DIR"] = str(folder)
    result = ran(flask("restore", str(path), "--yes"), around, tmp_path)
    assert result.returncode == 1 and "another pepper" in result.stderr
    assert not (folder / "pepper").exists() and not (folder / "secret_key").exists()


@ONE_DATABASE
@each("first", ['{"format": 1, "tables": []}\n', "[" * 100_000 + "\n", "7\n", '{"format": 1, "tables": {"x": 1}}\n'])
def test_a_first_line_that_nobody_of_ours_has_written_is_a_damaged_backup(world: World, first: str) -> None:
    path = save(world)
    rewritten(path, lambda lines: [first, *lines[1:]])
    assert "damaged" in refused(world, "restore", str(path), "--yes")
