"""The price of a batch on PostgreSQL: two turns on the line; and what an error on one of them means."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from psycopg.errors import DeadlockDetected, PipelineAborted

from subscriptions import deadline
from subscriptions.actions.gate import Need, Pass
from subscriptions.actions.subscribe import NOWHERE, SignUp, subscribe
from subscriptions.clock import Clock
from subscriptions.settings import Database
from subscriptions.store import addresses, arrays, guards, signups
from subscriptions.store.engine import WAITS_MS, Contention, Unavailable, outside_transaction, reading, transaction
from subscriptions.store.models import UsedOnce, db
from subscriptions.store.trips import in_trips, trip
from tests.builders import BART, Movable, World
from tests.support.line import Line
from tests.test_group_commit_stored import ask

on_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
DUPLICATE = "INSERT INTO used_once (hash, until) VALUES ('once', now()), ('once', now())"


@pytest.fixture
def line(database_url: str) -> Iterator[Line]:
    with Line(database_url) as line:
        yield line


@pytest.fixture
def far(line: Line, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    """The application at the other end of that line, with a connection open."""
    app = make_app(database=Database(line.url))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        world.subscribe(BART)
        yield world
        db.engine.dispose()


def asks(world: World, *names: str) -> list[SignUp]:
    return [ask(world, f"{name}@example.org", name.encode() * 16) for name in names]


def take(world: World, sign_ups: list[SignUp]) -> None:
    subscribe(sign_ups, world.clock.now(), world.parts.policy)


@on_postgresql
def test_a_batch_takes_two_turns_on_the_line(far: World, line: Line) -> None:
    before = line.turns
    take(far, asks(far, *"abcdefghijklmnop"))
    assert line.turns - before == 2
    assert len(far.registrations()) == 1 + 16


@on_postgresql
def test_a_batch_of_everything_that_can_be_in_one_takes_two_turns(far: World, line: Line) -> None:
    proof = Pass(Need.NOW, ((b"a proof of work.", far.clock.now() + timedelta(hours=1)),))
    network = replace(NOWHERE, network=b"n" * 16)
    new, proved, limited, never = asks(far, "a", "b", "c", "d")
    told = ask(far, BART, b"t" * 16)
    rows = [new, told, proved._replace(brings=proof, origin=network), limited._replace(brings=Pass(Need.NOW))]
    before = line.turns
    with deadline.within(Clock.ticks() + 3):  # the lock may be waited for less long than usual
        take(far, [*rows, never._replace(mailable=False)])
    assert line.turns - before == 2
    assert sorted(str(one.address) for one in far.registrations()) == ["a@example.org", "b@example.org", BART]
    with reading() as session:
        known = session.execute(sa.text("SELECT count(*) FROM addresses")).scalar_one()
        assert (known, session.scalar(sa.select(sa.func.count()).select_from(UsedOnce))) == (3, 1)
    assert "already subscribed" in str(far.mails(BART)[-1]["Subject"]).lower()


@on_postgresql
def test_an_answer_lost_before_the_commit_is_asked_for_again(far: World, line: Line) -> None:
    line.lose_answer(1)
    take(far, asks(far, "a"))
    assert len(far.registrations()) == 1 + 1


@on_postgresql
def test_an_answer_lost_with_the_commit_is_unavailable_and_never_repeated(far: World, line: Line) -> None:
    line.lose_answer(2)
    before = line.turns
    with pytest.raises(Unavailable, match="unknown outcome"):
        take(far, asks(far, "a"))
    assert line.turns - before == 1
    take(far, asks(far, "b"))  # by a new connection


@contextmanager
def held(key: bytes) -> Iterator[None]:
    """Somebody else acts on this address."""
    with db.engine.connect() as other, other.begin():
        other.execute(sa.text("SELECT 1 FROM addresses WHERE key = :key FOR UPDATE"), {"key": key})
        yield


@on_postgresql
def test_a_lock_is_waited_for_until_the_deadline_and_no_longer(far: World) -> None:
    one = ask(far, BART, b"a" * 16)
    with held(one.key), deadline.within(Clock.ticks() + 0.2), pytest.raises(Unavailable, match="55P03"):
        take(far, [one])
    take(far, [one])


@on_postgresql
def test_the_first_error_of_a_trip_is_the_one_that_is_told_and_the_connection_serves_on(far: World) -> None:
    pid = "SELECT pg_backend_pid()"
    with in_trips() as connection, trip(connection, last=True) as out:
        before = out.ask(pid)
    failed = pytest.raises(sa.exc.IntegrityError)
    with failed as error, in_trips() as connection, trip(connection, last=True) as out:
        out.ask("INSERT INTO used_once (hash, until) VALUES ('kept', now())")
        for _ in range(3):
            out.ask(DUPLICATE)
    assert getattr(error.value.orig, "sqlstate", "") == "23505"
    with in_trips() as connection, trip(connection, last=True) as out:
        after, kept = out.ask(pid), out.ask("SELECT 1 FROM used_once WHERE hash = 'kept'")
    assert (after(), kept()) == (before(), [])


@on_postgresql
def test_an_error_that_comes_while_the_trip_is_not_over_is_told_as_well(far: World) -> None:
    """What is sent is answered as soon as it went wrong: the next statement may meet that answer."""
    with pytest.raises(sa.exc.IntegrityError), in_trips() as connection, trip(connection, last=True) as out:
        out.ask(DUPLICATE)
        for _ in range(10_000):
            out.ask("SELECT 1")


@on_postgresql
def test_what_the_driver_says_on_its_way_out_of_an_error_hides_it_from_nobody(far: World) -> None:
    """The driver leaves its pipeline in a `finally`, and what is thrown there takes the place of what came first."""
    with pytest.raises(Contention, match="40P01"), in_trips() as connection, trip(connection):
        try:
            raise DeadlockDetected
        finally:
            raise PipelineAborted


def test_what_fails_beside_the_statements_is_told_and_nothing_is_written(world: World) -> None:
    until = world.clock.now() + timedelta(hours=1)
    with pytest.raises(ZeroDivisionError), in_trips() as connection, trip(connection, last=True) as out:
        guards.use(out, {b"h" * 16: until})
        1 / 0  # noqa: B018
    with in_trips() as connection, trip(connection, last=True) as out:
        fresh = guards.use(out, {b"h" * 16: until})
    assert fresh() == {b"h" * 16}


@on_postgresql
def test_a_batch_reads_no_table_as_a_whole_however_little_is_known_of_it(far: World) -> None:
    now = far.clock.now()
    with outside_transaction() as connection:  # half a thousand that wait, and nobody has counted them
        connection.execute(sa.text("DELETE FROM pg_statistic WHERE starelid = 'registrations'::regclass"))
    take(far, [ask(far, f"v{n}@example.org", n.to_bytes(16)) for n in range(500)])
    among = arrays.octets([b"k" * 16, b"l" * 16])
    with in_trips() as connection, trip(connection) as out:
        plan = out.ask("EXPLAIN " + signups.PG_SEE, (among, now, among, among, now, among, among, now))
        forget = out.ask("EXPLAIN " + addresses.POSTGRES_FORGET, (among,))
    for told in (plan(), forget()):
        text = "\n".join(row for (row,) in told)
        assert "Seq Scan" not in text
        assert "ix_registrations_confirm_by" not in text and "ix_registrations_key" in text


TEXTS = ["", " ", "a", "NULL", None, "{}", '"', "\\", '\\"', "a,b", "{a}", "'", "\n\t\r", "ä€😀", "%s", "\\x41", "\x7f"]


@on_postgresql
def test_arrays_arrive_as_they_were_whatever_stands_in_them(far: World) -> None:
    octets, numbers, times = [b"", b"\0\xff\\", b'"'], [0, -1, 2**40], [far.clock.now(), Clock.real_now()]
    asked = (arrays.texts(TEXTS), arrays.octets(octets), arrays.numbers(numbers), arrays.times(times), "{}")
    with in_trips() as connection, trip(connection) as out:
        rows = out.ask("SELECT %s::text[], %s::bytea[], %s::bigint[], %s::timestamptz[], %s::text[]", asked)
    assert rows() == [(TEXTS, octets, numbers, times, [])]


WAITS = "SELECT setting::int FROM pg_settings WHERE name = 'lock_timeout'"


@on_postgresql
def test_every_transaction_waits_for_locks_no_longer_than_its_deadline(far: World) -> None:
    with deadline.within(Clock.ticks() + 1):
        with in_trips() as connection, trip(connection) as out:
            rows = out.ask(WAITS)
        with transaction() as session:
            waits = session.execute(sa.text(WAITS)).scalar_one()
    assert 0 < rows()[0][0] <= 1000 and 0 < waits <= 1000
    with in_trips() as connection, trip(connection) as out:
        rows = out.ask(WAITS)
    assert rows() == [(WAITS_MS,)]
