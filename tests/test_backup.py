"""A backup is all of one moment, made while the service goes on, and goes into either kind of database."""

import gzip
import json
import resource
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from flask import Flask

from subscriptions import start
from subscriptions.backup import BadBackup, archive, cipher
from subscriptions.backup.make import make
from subscriptions.settings import Database
from subscriptions.store import sqlite, tables
from subscriptions.store.engine import reading
from subscriptions.store.models import Audit, db
from tests.backups import (
    LEFT_OUT,
    elsewhere,
    everything,
    manifest,
    next_number,
    of_people,
    peopled,
    read,
    restored,
    save,
    verified,
)
from tests.builders import BART, CRIS, World
from tests.support.cases import ONE_DATABASE
from tests.support.sql import execute, rows
from tests.test_commands import logging_as_it_was, refused, run

__all__ = ["logging_as_it_was"]
KEY = b"k" * 64


BY_DAY = ("sqlite", "postgresql"), ("postgresql", "sqlite")
HOUSES = [
    pytest.param(one, other, marks=[] if (one, other) in BY_DAY else pytest.mark.drill)
    for one in ("sqlite", "postgresql") for other in ("sqlite", "postgresql")
]  # fmt: skip


@pytest.mark.parametrize(("database", "other"), HOUSES, indirect=["database"])
def test_every_row_comes_into_an_empty_database_of_either_kind_and_all_evidence_fits(
    world: World, other: str, make_app: Callable[..., Flask], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = elsewhere(other, tmp_path, request)
    path, last = save(peopled(world), "house", "--key-file", str(tmp_path / "key")), next_number
    before = of_people(world.parts.settings.database_url)
    numbers = {name: last(world.parts.settings.database_url, name) for name in ("evidence", "registrations")}
    with make_app(database=Database(url)).app_context() as context:
        there = World(context.app, context.app.test_client(), world.clock)
        said = restored(there, path, "--key-file", str(tmp_path / "key"))
        assert "Done again from the deletion journal: nothing." in said
        assert of_people(url) == before
        assert all(last(url, name) >= number + tables.SKIPPED for name, number in numbers.items())
        assert verified(there)
        start.prepare(there.app)
        there.sign_up("later@example.org")
        assert there.post(there.confirm_link("later@example.org")).status_code == 200
        db.engine.dispose()


def test_a_backup_is_of_one_moment_though_people_sign_up_while_it_is_made(world: World, tmp_path: Path) -> None:
    peopled(world)
    before = {name: len(rows) for name, rows in everything(world.parts.settings.database_url).items()}

    def begin(_: int) -> Callable[[int], None]:
        return lambda _: world.sign_up(f"{next(numbers)}@example.org") and None

    numbers = iter(range(1000))
    made = make(tmp_path / "now", None, "", tmp_path, begin)
    assert {name: table.rows for name, table in made.tables.items()} == before
    assert len(world.registrations()) > 10
    with archive.opened(tmp_path / "now", None) as reader:
        reader.check(lambda _: None)


@ONE_DATABASE
def test_with_a_rollback_journal_nobody_waits_for_a_backup(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "wal_is_safe", lambda _: False)
    db.engine.dispose()
    test_a_backup_is_of_one_moment_though_people_sign_up_while_it_is_made(world, tmp_path)
    assert sorted(one.name for one in tmp_path.iterdir() if "backup" in one.name or "tmp" in one.name) == []


@ONE_DATABASE
def test_what_lets_somebody_in_or_lives_for_a_day_is_left_out_and_each_has_its_reason(world: World) -> None:
    path = save(peopled(world))
    assert {*db.metadata.tables, "alembic_version"} - {*manifest(path).tables} == LEFT_OUT
    assert all(len(why.split()) > 3 for why in tables.LEFT_OUT.values())


@ONE_DATABASE
def test_without_a_key_file_the_operator_is_told_and_anybody_can_read_it(world: World) -> None:
    path = save(read(world))
    assert "not encrypted" in run(world, "backup", str(path)).stderr
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    assert json.loads(lines[0])["tables"]["lists"][1] == 3 and any(BART in line for line in lines)


@ONE_DATABASE
def test_a_key_file_is_made_once_and_for_its_user_alone(world: World, tmp_path: Path) -> None:
    key = tmp_path / "key"
    path = save(read(world), "first", "--key-file", str(key))
    assert key.stat().st_mode & 0o777 == 0o600 == path.stat().st_mode & 0o777
    assert not any(one.encode() in path.read_bytes() for one in (BART, "newsletter"))
    key.unlink()
    assert "Put the key file back" in refused(world, "backup", str(path), "--key-file", str(key))
    assert not key.exists()
    key.write_text("short")
    assert "no key of at least 32" in refused(world, "backup", str(path), "--key-file", str(key))


@ONE_DATABASE
def test_the_secrets_are_not_in_it_and_the_command_names_them(world: World) -> None:
    result = run(world, "backup", str(save(read(world))))
    text = gzip.decompress(save(world).read_bytes()).decode()
    assert "pepper in [server], secret_keys in [server]" in result.stderr and "journal" in result.stderr
    server = world.parts.settings.server
    assert server.pepper not in text and server.secret_keys[0] not in text


@contextmanager
def files_of_at_most(octets: int) -> Iterator[None]:
    """As on a full disk, for files of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # whose files are those of another process
def test_a_disk_that_fills_leaves_the_last_backup_and_no_half_of_another(world: World, tmp_path: Path) -> None:
    path = save(read(world))
    before = path.read_bytes()
    for key in (None, KEY):
        with files_of_at_most(1000), pytest.raises(OSError, match="large"):
            make(path, key, "", tmp_path, lambda _: lambda _: None)
    assert path.read_bytes() == before and [one.name for one in path.parent.iterdir()] == [path.name]


@ONE_DATABASE
def test_where_it_cannot_be_written_a_sentence_says_so(world: World, tmp_path: Path) -> None:
    assert "No such file or directory" in refused(world, "backup", str(tmp_path / "nowhere" / "file"))


@ONE_DATABASE
def test_of_two_at_once_into_the_same_file_the_second_is_refused(world: World, tmp_path: Path) -> None:
    def begin(_: int) -> Callable[[int], None]:
        assert "Another backup is being written" in refused(world, "backup", str(tmp_path / "same"))
        return lambda _: None

    make(tmp_path / "same", None, "", tmp_path, begin)


@ONE_DATABASE
def test_the_audit_knows_that_data_has_left(world: World) -> None:
    save(world)
    with reading() as session:
        row = session.query(Audit).filter(Audit.act == "backup").one()
        assert row.details == {"file": "today.backup", "encrypted": False}


@ONE_DATABASE
def test_no_email_of_then_leaves_twice_unless_the_service_has_only_moved(world: World) -> None:
    peopled(world)
    world.sign_up("erik@example.org")
    path = save(world)
    world.deliver()
    assert world.post(world.confirm_link("erik@example.org")).status_code == 200
    assert "confirmations" in restored(world, path)
    assert [row.address for row in world.subscriptions()] == [
        BART,
        BART,
        CRIS,
    ]  # what came since is lost, and it says so
    start.prepare(world.app)
    assert world.mails() == []
    restored(world, path, "--moving")
    start.prepare(world.app)
    assert [mail["To"] for mail in world.mails()] == ["erik@example.org"]


def test_no_chunk_is_cut_off_left_out_moved_or_taken_from_another_file(tmp_path: Path) -> None:
    chunk, head = cipher.CHUNK + cipher.TAG, len(cipher.MAGIC) + cipher.SALT
    for text in (b"", b"a", b"x" * cipher.CHUNK, b"y" * (3 * cipher.CHUNK + 5)):
        assert decrypted(tmp_path, encrypted(tmp_path, text), len(text) + 1) == text
    two, other = (encrypted(tmp_path, letter * 2 * cipher.CHUNK) for letter in (b"a", b"b"))
    assert two != encrypted(tmp_path, b"a" * 2 * cipher.CHUNK)
    first, last = two[head : head + chunk], two[head + chunk :]
    for worse in (two[:head] + first, two[:head] + last, two[:head] + last + first, two + last, two[:head],
                  two[:head] + first + other[head + chunk :], two[:-1]):  # fmt: skip
        with pytest.raises(BadBackup, match="another key file, or it is damaged"):
            decrypted(tmp_path, worse, 2 * cipher.CHUNK + 1)


def encrypted(folder: Path, text: bytes) -> bytes:
    with (folder / "sealed").open("wb") as file, closing(cipher.Encrypting(file, KEY)) as sealed:
        sealed.write(text)
    return (folder / "sealed").read_bytes()


def decrypted(folder: Path, octets: bytes, size: int) -> bytes:
    (folder / "sealed").write_bytes(octets)
    with (folder / "sealed").open("rb") as file:
        assert file.read(len(cipher.MAGIC)) == cipher.MAGIC
        return cipher.Decrypting(file, KEY).read(size)


@ONE_DATABASE
def test_a_backup_of_a_database_of_another_schema_is_refused_and_migrates_nothing(world: World) -> None:
    execute(world.parts.settings.database_url, "UPDATE alembic_version SET version_num = '0021'")
    assert "not up to date" in refused(world, "backup", "file")
    assert rows(world.parts.settings.database_url, "SELECT * FROM alembic_version") == [("0021",)]


@ONE_DATABASE
def test_a_backup_is_written_over_an_earlier_one_and_over_nothing_else(world: World, tmp_path: Path) -> None:
    key, link = tmp_path / "key", tmp_path / ".other.part"
    assert run(world, "backup", str(key), "--key-file", str(key)).exit_code == 1
    held = key.read_bytes()
    assert "is no backup" in refused(world, "backup", str(key))
    assert "is no backup" in refused(world, "backup", "/dev/null")
    link.symlink_to(key)
    refused(world, "backup", str(tmp_path / "other"))
    assert key.read_bytes() == held and Path("/dev/null").is_char_device()
    assert save(world) == save(world)
