"""A database that is read and takes nothing more is not ready; who is told why; files for one user alone (B17)."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app import create_app
from subscriptions import start
from subscriptions.settings import Settings
from subscriptions.store.engine import outside_transaction, reading
from subscriptions.store.models import Meta, db
from tests.builders import BART, NEWS, World, bearer
from tests.conftest import make_settings
from tests.support.cases import ONE_DATABASE
from tests.support.disk import LimitedDisk
from tests.test_commands import good, logging_as_it_was
from tests.test_health import OUTSIDE, problems, readyz, run_all

__all__ = ["logging_as_it_was"]


@contextmanager
def full(world: World, folder: Path) -> Iterator[None]:
    """No room for what is written: on SQLite the kernel's word, on PostgreSQL as in a server that only reads."""
    if db.engine.dialect.name == "sqlite":
        disk = LimitedDisk(folder)
        disk.pids = [os.getpid()]
        disk.fill()
        try:
            yield
        finally:
            disk.empty()
        return
    name = db.engine.url.database
    order_of_the_server(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        yield
    finally:
        order_of_the_server(f"ALTER DATABASE {name} RESET default_transaction_read_only")


def order_of_the_server(order: str) -> None:
    """For connections that are made from now on."""
    with outside_transaction() as connection:
        connection.exec_driver_sql("SET default_transaction_read_only = off")
        connection.exec_driver_sql(order)
    db.engine.dispose()


def looks(world: World) -> None:
    """As ten seconds later."""
    world.parts.watch._tried_at = None
    world.parts.watch.try_write()


def test_a_full_disk_turns_it_red_until_there_is_room(world: World, tmp_path: Path) -> None:
    run_all(world)
    with full(world, tmp_path):
        looks(world)
        assert [one for one in problems(world) if "cannot be written to" in one]
        assert readyz(world, **OUTSIDE).get_json() == {"status": "not ready"}
    looks(world)
    assert problems(world) == []


def test_it_tries_every_ten_seconds_at_most_and_readyz_never(world: World) -> None:
    def written() -> str | None:
        with reading() as session:
            return session.scalar(sa.select(Meta.value).where(Meta.name == "written"))

    run_all(world)
    first = written()
    world.parts.watch.try_write()
    readyz(world)
    assert first and written() == first
    looks(world)
    assert written() != first


@pytest.mark.parametrize(
    ("host", "sees"),
    [("127.0.0.1:8000", True), ("localhost", True), ("[::1]:8000", True), ("mail.example.org", True),
     ("rebound.example.net", False), ("127.0.0.1.example.net", False), ("[", False)],
)  # fmt: skip
def test_details_are_for_who_asks_by_a_name_of_ours(
    make_app: Callable[..., Flask], settings: Settings, host: str, sees: bool
) -> None:
    server = replace(settings.server, trusted_hosts=("mail.example.org",))
    app = make_app(server=server)
    with app.app_context():
        for headers in ({}, bearer("read")):
            answer = app.test_client().get("/readyz", headers={"Host": host, **headers})
            assert ("jobs" in answer.get_json()) is sees and answer.status_code == 200


@ONE_DATABASE
def test_database_and_exports_are_for_their_user_alone(world: World, tmp_path: Path) -> None:
    world.subscribe(BART)
    for file in tmp_path.glob("subscriptions.db*"):
        file.chmod(0o644)
    db.engine.dispose()
    world.registrations()
    assert {file.stat().st_mode & 0o777 for file in tmp_path.glob("subscriptions.db*")} == {0o600}
    mine, theirs = tmp_path / "mine.csv", tmp_path / "theirs.csv"
    theirs.touch(0o640)
    for file in (mine, theirs):
        good(world, "export", NEWS, "-o", str(file))
    assert [file.stat().st_mode & 0o777 for file in (mine, theirs)] == [0o600, 0o640]


def test_a_new_database_is_for_its_user_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        app = create_app(make_settings(f"sqlite:///{tmp_path}/new.db", tmp_path))
        start.prepare(app)
        with app.app_context():
            db.engine.dispose()
    finally:
        os.umask(before)
    assert {file.stat().st_mode & 0o777 for file in tmp_path.glob("new.db*")} == {0o600}
