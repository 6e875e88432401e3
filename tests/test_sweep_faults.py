"""What fails in the sweep itself or in the database beside it: nothing leaves twice, and nothing waits for a lease."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from subscriptions.jobs.jobs import NAMED, Run
from subscriptions.mail import hold
from subscriptions.mail.batch import Batch, Taken
from subscriptions.start import Background
from subscriptions.store import compiled_mails, jobs, outbox
from subscriptions.store.engine import Contention, Unavailable, reading, transaction
from subscriptions.store.trips import Trip, in_trips, trip
from tests.builders import ANNE, Movable, World, owed, through
from tests.support.relay import Relay
from tests.test_outbox_senders import meanwhile, sign_up
from tests.test_relay_faults import pause

PEOPLE = [f"reader{number}@example.org" for number in range(25)]


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock, connections=10) as world:
        yield world


def away(*_: object) -> None:
    raise Unavailable("the database is away")


def in_the_way_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next transaction of the hold is rolled back at its end, since another one was in the way."""
    faults = [Contention("busy")]

    @contextmanager
    def contended() -> Iterator[Session]:
        with transaction() as session:
            yield session
            if faults:
                raise faults.pop()

    monkeypatch.setattr(hold, "transaction", contended)


def pause_until() -> datetime | None:
    with reading() as session:
        job = jobs.find(session, "deliver")
        return job.pause_until if job else None


def test_a_pause_that_is_written_twice_is_the_first_all_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    in_the_way_once(monkeypatch)
    world.parts.sender.hold.pause("not you")
    assert pause_until() == world.clock.now() + timedelta(seconds=5)


def test_the_end_of_a_pause_is_written_although_another_was_in_the_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.parts.sender.hold.pause("not you")
    in_the_way_once(monkeypatch)
    world.parts.sender.hold.resume()
    assert pause() == (False, None)


def test_a_mail_that_was_taken_is_settled_although_the_end_of_the_pause_cannot_be_written(
    world: World, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay.behave("connect", "554 5.7.1 not you")
    world.sign_up(ANNE)
    world.deliver()
    relay.accept()
    world.clock.forward(seconds=6)
    with monkeypatch.context() as faults:
        faults.setattr(jobs, "pause", away)
        assert (world.deliver(), owed(), pause()[0]) == (1, [], True)
    world.clock.forward(minutes=2)
    assert (world.deliver(), len(relay.mails), pause()) == (0, 1, (False, None))


def no_more_threads(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The system starts none of that name."""
    start = threading.Thread.start

    def refused(thread: threading.Thread) -> None:
        if thread.name == name:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refused)


def test_where_no_further_line_can_start_the_first_sends_all(
    world: World, relay: Relay, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    no_more_threads(monkeypatch, "line")
    sign_up(world, PEOPLE)
    assert world.deliver() == len(PEOPLE)
    assert relay.connections == 1
    assert [record.getMessage() for record in caplog.records].count("a line cannot start") == 1
    assert "settler" not in {thread.name for thread in threading.enumerate()}


def test_where_nothing_can_be_settled_nothing_is_sent_and_all_is_given_back(
    world: World, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_more_threads(monkeypatch, "settler")
    sign_up(world, PEOPLE[:3])
    with pytest.raises(RuntimeError):
        world.deliver()
    assert [(mail.taken_by, mail.due_at) for mail in owed()] == [(None, world.clock.now())] * 3
    assert relay.mails == []


def test_a_sweep_that_fails_gives_back_what_it_did_not_try(world: World) -> None:
    def fail() -> None:
        raise ArithmeticError

    sign_up(world, PEOPLE[:5])
    meanwhile(world, fail)
    with pytest.raises(ArithmeticError):
        world.deliver()
    now = world.clock.now()
    tried, *others = sorted(owed(), key=lambda mail: mail.taken_by is None)
    assert (tried.taken_by, tried.due_at) == (world.parts.sender.hold.me, now + outbox.LEASE)
    assert [(mail.taken_by, mail.due_at, mail.tries, mail.note) for mail in others] == [(None, now, 0, None)] * 4


def test_what_was_taken_and_cannot_be_read_is_given_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Batch.read

    def first_alone(batch: Batch, ids: list[int]) -> list[Taken]:
        if min(ids) > 1:
            away()
        return read(batch, ids)

    sign_up(world, PEOPLE)
    monkeypatch.setattr(Batch, "read", first_alone)
    with pytest.raises(Unavailable):
        world.deliver()
    assert {mail.taken_by for mail in owed()} == {None}


def test_two_senders_keep_new_letters_in_the_same_order(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = list[str]()
    ask = Trip.ask

    def noted(out: Trip, statement: str, values: tuple[str, ...] = ()) -> object:
        kept.extend(values[:1])
        return ask(out, statement, values)

    monkeypatch.setattr(Trip, "ask", noted)
    with in_trips() as connection, trip(connection, last=True) as out:
        compiled_mails.keep(out, dict.fromkeys("dbeac", b"x"), datetime.now(UTC))
    assert kept == list("abcde")


@pytest.mark.parametrize("error", [Unavailable("away"), Contention("busy")])
def test_each_job_waits_for_the_database(world: World, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    def wait(_: Run) -> int:
        raise error

    for name in NAMED:
        Background(world.app)._run(replace(NAMED[name], work=wait))
    assert [record.getMessage() for record in caplog.records] == ["a job is waiting for the database"] * len(NAMED)
