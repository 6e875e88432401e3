"""The machine and the service itself: each fault found and mended (A-09, C-01, O-04, O-08, O-10, Q-13, X-09)."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from email.errors import MessageError
from email.generator import BytesGenerator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from subscriptions.doctor import machine, service
from subscriptions.jobs import lease
from subscriptions.jobs.jobs import JOBS
from subscriptions.parts import current_parts
from subscriptions.settings import ListSettings, Mail, Settings
from subscriptions.store import meta, room, sqlite
from subscriptions.store.engine import transaction
from subscriptions.store.models import db
from tests.builders import ANNE, World
from tests.conftest import ManualClock
from tests.doctored import looked, named, wrong
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE

NEW_SECRET = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"


class OtherClock(ManualClock):
    """As far from the real time as a test says."""

    apart = timedelta(0)

    @classmethod
    def real_now(cls) -> datetime:  # type: ignore[override]
        return ManualClock.real_now() + cls.apart


@pytest.fixture
def clock() -> Iterator[OtherClock]:
    yield OtherClock()
    OtherClock.apart = timedelta(0)


@pytest.mark.parametrize("seconds", [-60, 60])
def test_a_clock_that_is_not_that_of_the_database_server_is_found(app: Flask, database: str, seconds: int) -> None:
    OtherClock.apart = timedelta(seconds=seconds)
    found = wrong(app, "clock")
    assert [(one.name, one.values["num"]) for one in found] == [("clock-apart", 60)] * (database == "postgresql")
    OtherClock.apart = timedelta(seconds=2)
    assert named(wrong(app, "clock")) == []


WEAK = ["a" * 40, "abc" * 6, "passwordpassword", "0123456789012345"]
STRONG = ["correct horse battery staple", "4f1c" + "9d3be07a5826" * 2, "Zk3-qPf_xW81mBtR7vYd"]


@ONE_DATABASE
@pytest.mark.parametrize("secret", [*WEAK, *STRONG])
def test_a_secret_that_can_be_guessed_is_found_and_never_shown(
    make_app: Callable[..., Flask], settings: Settings, secret: str
) -> None:
    app = make_app(server=replace(settings.server, secret_keys=(*settings.server.secret_keys, secret)))
    found = wrong(app, "secrets")
    assert [(one.name, one.copy) for one in found] == [("secret-weak", NEW_SECRET)] * (secret in WEAK)
    assert secret not in str(looked(app, "secrets"))
    [pepper] = [one for result in looked(app, "secrets") for one in result.findings or () if one.name == "pepper"]
    assert current_parts(app).pepper_mark[:8] in pepper.says and settings.server.pepper not in pepper.says


@ONE_DATABASE
def test_a_folder_or_a_configuration_that_is_open_to_others_is_found(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'[server]\npepper = "{current_parts(app).settings.server.pepper}"\n')
    monkeypatch.setenv("SUBSCRIPTIONS_CONFIG", str(file))
    file.chmod(0o604), tmp_path.chmod(0o777)
    assert [(one.name, one.copy) for one in wrong(app, "secrets")] == [
        ("folder-open", f"chmod go-w {tmp_path}"), ("config-open", f"chmod o-rwx {file}")]  # fmt: skip
    file.chmod(0o640), tmp_path.chmod(0o755)
    assert named(wrong(app, "secrets")) == []
    file.chmod(0o644), file.write_text("[server]\nport = 8000\n")  # nothing secret in it
    assert named(wrong(app, "secrets")) == []


@ONE_DATABASE
@pytest.mark.parametrize(("where", "name", "least", "copy"),
                         [(room, "LEAST", 2**60, "disk-full"), (machine, "FEW", 2.0, "disk-files")])  # fmt: skip
def test_a_disk_that_is_nearly_full_is_found(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, least: float, copy: str
) -> None:
    assert named(wrong(app, "disk")) == []
    monkeypatch.setattr(where, name, least)  # no test fills the disk of its machine
    [one] = wrong(app, "disk")
    assert one.name == copy and str(tmp_path) in one.says and one.copy.startswith("df -")


@ONE_DATABASE
def test_an_sqlite_with_the_bug_is_a_hint(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "wal_is_safe", lambda version: version != sqlite3.sqlite_version_info)
    monkeypatch.setattr(sqlite, "sqlite_module", lambda: sqlite3)  # that of the machine
    [one] = wrong(app, "database")
    assert (one.name, one.level, one.copy) == ("database-old", "hint", "pip install -r requirements.txt")
    assert sqlite3.sqlite_version in one.says


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_postgresql_that_may_lose_what_it_confirmed_is_found(app: Flask) -> None:
    def set_to(value: str) -> None:
        with transaction() as session:
            name = session.scalar(sa.text("SELECT current_database()"))
            session.execute(sa.text(f'ALTER DATABASE "{name}" SET synchronous_commit = {value}'))
        db.engine.dispose()

    set_to("off")
    assert named(wrong(app, "database")) == ["database-loses"]
    set_to("on")
    assert named(wrong(app, "database")) == []


class Checking(BytesGenerator):
    """As newer releases of Python have it."""

    def _write_headers(self, msg: Any) -> None:
        raise MessageError("a header holds a line")


class Unchecking(BytesGenerator):
    def _write_headers(self, msg: Any) -> None:
        """As older ones do."""


@ONE_DATABASE
def test_a_python_that_lets_headers_be_forged_is_a_hint(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    for generator, found in ((Checking, []), (Unchecking, [("python-old", "hint")])):
        monkeypatch.setattr(machine, "BytesGenerator", generator)
        assert [(one.name, one.level) for one in wrong(app, "python")] == found


# The service itself

LIVE = Mail(transport="smtp", host="127.0.0.1", port=9)
WHOLE = {"controller": "Example Society", "postal_address": "Example Street 1", "privacy_contact": "p@example.org",
         "policy_url": "https://example.org/privacy", "timezone": "Europe/Berlin",
         "wording": "Yes, send me Newsletter by Example Society."}  # fmt: skip


@ONE_DATABASE
def test_what_the_start_warns_of_is_a_hint(make_app: Callable[..., Flask]) -> None:
    mail = replace(LIVE, sender="no-reply@example.org")
    app = make_app(mail=mail, lists=(ListSettings(**WHOLE),))  # type: ignore[arg-type]
    [one] = wrong(app, "settings")
    assert (one.name, one.level) == ("setting", "hint") and "tells people not to reply" in one.says
    mended = make_app(mail=replace(LIVE, sender="post@example.org"), lists=(ListSettings(**WHOLE),))  # type: ignore[arg-type]
    assert named(wrong(mended, "settings")) == []


@ONE_DATABASE
def test_a_text_that_no_email_may_have_is_found_with_its_list(make_app: Callable[..., Flask]) -> None:
    long = replace(ListSettings(), name="The most wonderful of all the newsletters that there are in the world")
    found = wrong(make_app(lists=(long,)), "texts")
    assert named(found) == ["text"]
    assert "the subject has" in found[0].says and found[0].copy == "yestwice mail lint --list newsletter"
    assert named(wrong(make_app(lists=(replace(long, name="News"),)), "texts")) == []


@pytest.fixture
def behind(make_app: Callable[..., Flask], settings: Settings, clock: ManualClock) -> Iterator[Callable[[int], World]]:
    """The same service with that many trusted proxies."""
    with ExitStack() as stack:

        def made(proxies: int) -> World:
            app = make_app(server=replace(settings.server, trusted_proxies=proxies))
            stack.enter_context(app.app_context())
            return World(app, app.test_client(), clock)

        yield made


FORWARDED = {"X-Forwarded-For": "203.0.113.9"}


def test_a_forgotten_proxy_is_found_by_the_newest_sign_up(behind: Callable[[int], World]) -> None:
    world = behind(0)
    world.sign_up(ANNE)
    assert named(wrong(world.app, "proxy")) == []
    world.sign_up("b@example.org", headers=FORWARDED)
    [one] = wrong(world.app, "proxy")
    assert (one.name, one.copy) == ("proxy-forgotten", "trusted_proxies = 1")
    assert named(wrong(behind(1).app, "proxy")) == []
    world.sign_up("c@example.org")
    assert named(wrong(world.app, "proxy")) == []


def test_proxies_that_nobody_comes_through_are_found_once_enough_have_come(behind: Callable[[int], World]) -> None:
    world = behind(1)
    for number in range(service.ENOUGH):
        assert named(wrong(world.app, "proxy")) == []
        world.sign_up(f"c{number}@example.org")
    [one] = wrong(world.app, "proxy")
    assert (one.name, one.copy) == ("proxy-fewer", "trusted_proxies = 0")
    world.sign_up("d@example.org", headers=FORWARDED)
    assert named(wrong(world.app, "proxy")) == []


def run_all(world: World) -> None:
    for job in JOBS:
        lease.run(job, world.parts, asked=True)


def test_jobs_that_do_not_run_are_found_also_by_a_process_that_has_just_begun(world: World) -> None:
    [one] = wrong(world.app, "jobs")
    assert one.name == "job" and "purge is late: it has never succeeded" in one.says
    run_all(world)
    assert named(wrong(world.app, "jobs")) == []


@BY_DAY_ON_SQLITE
def test_what_should_have_been_deleted_and_was_not_is_counted(world: World) -> None:
    world.sign_up(ANNE)
    world.deliver()
    run_all(world)
    world.clock.forward(days=29)
    run_all(world)
    world.clock.forward(days=1, hours=1)
    assert named(wrong(world.app, "deletions")) == []  # the job has a while to do so
    world.clock.forward(hours=5)
    [one] = wrong(world.app, "deletions")
    assert one.name == "overdue" and one.values["num"] >= 1 and one.copy == "yestwice jobs run purge"
    assert ANNE not in str(one)
    run_all(world)
    assert named(wrong(world.app, "deletions")) == []


def test_a_backup_that_was_never_made_or_is_old_is_found(app: Flask, clock: ManualClock) -> None:
    [never] = wrong(app, "backup")
    assert (never.name, never.copy) == ("backup-never", "yestwice backup yestwice.backup")
    with transaction() as session:
        meta.put(session, meta.LAST_BACKUP, "2026-11-22T02:00:00Z yestwice-2026-11-22.backup")
    assert named(wrong(app, "backup")) == []
    [note] = looked(app, "backup")[0].findings or ()
    assert note.says == "Last backup: 2026-11-22T02:00:00Z."
    clock.forward(days=8)
    [old] = wrong(app, "backup")
    assert old.name == "backup-old" and "2026-11-22T02:00:00Z" in old.says
