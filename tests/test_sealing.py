"""The sealer among others: no row is missed or sealed twice, whoever writes, seals, deletes or dies meanwhile."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from types import ModuleType

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from subscriptions.actions import seal
from subscriptions.jobs.jobs import NAMED, Run
from subscriptions.store import sealing, seals
from subscriptions.store.engine import Contention, Unavailable
from subscriptions.store.models import Leaf, db
from tests.builders import ANNE, BART, World
from tests.support.cases import each
from tests.support.sql import execute
from tests.test_commands import logging_as_it_was
from tests.test_seals import leaves, rows
from tests.test_seals_told import fits, lived, verified

__all__ = ["lived", "logging_as_it_was"]
INSERT = """INSERT INTO evidence (registration_id, fact, at, channel, details)
SELECT id, 'asked again', registered_at, 'form', '{}' FROM registrations WHERE id = 1"""


@contextmanager
def writing(number: int = 1) -> Iterator[sa.Connection]:
    """Somebody who has an id already, and whose row nobody can see yet."""
    with db.engine.connect() as connection:
        for _ in range(number):
            connection.exec_driver_sql(INSERT)
        yield connection
        connection.commit()


def sealed_ids() -> list[int]:
    return [one.evidence_id for one in leaves()]


def settled() -> int:
    return int(rows(seals.Row, seals.Row.block)[-1].settled)


def test_a_row_with_a_lower_id_that_is_seen_later_is_sealed_as_well(world: World, database: str) -> None:
    if database == "sqlite":  # it has one writer: who comes later has the higher id
        return
    world.sign_up(ANNE)
    world.run("seal")
    with writing():
        execute(str(db.engine.url.render_as_string(hide_password=False)), INSERT)
        assert world.run("seal") == 1
        assert (sealed_ids(), settled()) == ([1, 3], 1)
        assert verified(world)["wrong"] is None
    assert world.run("seal") == 1 and sealed_ids() == [1, 3, 2]
    assert settled() == 3 and verified(world)["wrong"] is None


def test_where_somebody_always_writes_what_was_sealed_is_not_looked_at_for_ever(world: World, database: str) -> None:
    if database == "sqlite":
        return
    world.sign_up(ANNE)
    with writing(2):
        execute(db.engine.url.render_as_string(hide_password=False), INSERT)
        world.run("seal")
        assert settled() == 0
    with writing():
        assert world.run("seal") == 2
        assert settled() == 4  # the newest id of the time before, whose writers have ended


def test_a_writer_who_gives_up_holds_up_nobody(world: World, database: str) -> None:
    if database == "sqlite":
        return
    world.sign_up(ANNE)
    with db.engine.connect() as connection:
        connection.exec_driver_sql(INSERT)
        world.run("seal")
        connection.rollback()
    execute(db.engine.url.render_as_string(hide_password=False), INSERT)
    assert world.run("seal") == 1 and settled() == 3
    fits(world)


def test_two_sealers_at_once_seal_each_row_once(lived: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "BATCH", 3)
    for n in range(12):
        lived.sign_up(f"person{n}@example.org")
    failed: list[Exception] = []

    def work() -> None:
        with lived.app.app_context():
            for _ in range(10):
                try:
                    seal.block(lived.clock.now(), lived.parts.seal_key)
                except (Unavailable, Contention):  # the other was quicker, twice
                    continue
                except Exception as error:
                    failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    lived.run("seal")
    assert not failed and sorted(sealed_ids()) == [one.id for one in lived.evidence()]
    fits(lived)


POINTS: list[tuple[ModuleType, str]] = [
    (sealing, "keep_out"), (sealing, "still_there"), (sealing, "add"), (seals, "add"), (sealing, "note_bound"),
]  # fmt: skip


@each("point", POINTS)
@each("when", ["before", "after"])
def test_a_sealer_that_is_killed_at_any_statement_leaves_nothing_half(
    lived: World, point: tuple[ModuleType, str], when: str
) -> None:
    module, name = point
    lived.sign_up(f"{name}-{module.__name__[-5:]}-{when}@example.org")
    before = len(leaves())
    pid = os.fork()
    if pid == 0:
        _die(lived, module, name, when)
    assert os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    assert len(leaves()) == before
    fits(lived)
    assert lived.run("seal") == 1
    fits(lived)


def _die(world: World, module: ModuleType, name: str, when: str) -> None:
    """In the child."""
    db.engine.dispose(close=False)
    known = getattr(module, name)

    def last(*args: object, **more: object) -> None:
        if when == "after":
            known(*args, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(module, name, last)
    try:
        seal.block(world.clock.now(), world.parts.seal_key)
    finally:
        os._exit(3)


def test_who_is_deleted_between_the_reading_and_the_writing_is_not_sealed(
    lived: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived.sign_up("dora@example.org")
    link = lived.not_me_link("dora@example.org")
    prepared, times = seal._prepared, []

    def meanwhile(session: Session) -> object:
        made = prepared(session)
        times.append(made)
        if len(times) == 1:
            lived.post(link)
        return made

    monkeypatch.setattr(seal, "_prepared", meanwhile)
    assert lived.run("seal") == 1  # the deletion alone
    fits(lived)


def test_an_old_database_is_caught_up_with_in_batches(lived: World, monkeypatch: pytest.MonkeyPatch) -> None:
    lived.subscribe("dora@example.org")
    with db.engine.begin() as connection:
        for table in ("leaves", "seals", "removals"):
            connection.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608
    monkeypatch.setattr(seal, "BATCH", 4)
    assert lived.run("seal") == len(lived.evidence()) == lived.count(Leaf)
    assert [one.last - one.first for one in rows(seals.Row, seals.Row.block)][:-1] == [3, 3]
    fits(lived)


def test_a_clock_that_goes_back_or_ahead_seals_on(lived: World) -> None:
    for move in (timedelta(days=-400), timedelta(days=3000)):
        lived.clock.forward(seconds=move.total_seconds())
        lived.post(lived.leave_link(BART))
        lived.sign_up(f"person{move.days}@example.org")
        assert lived.run("seal")
        fits(lived)


def test_a_run_by_the_clock_leaves_what_is_too_much_for_the_next_and_one_by_hand_leaves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal, "BATCH", 1)
    monkeypatch.setattr(seal, "BY_THE_CLOCK", 2)
    for number in range(5):
        world.sign_up(f"reader{number}@example.org")
    by_the_clock = Run(world.parts, world.clock.now())
    assert [NAMED["seal"].work(run) for run in (by_the_clock, replace(by_the_clock, asked=True))] == [2, 3]
    assert NAMED["seal"].work(by_the_clock) == 0 and verified(world)["wrong"] is None
