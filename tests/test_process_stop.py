"""SIGTERM: requests in flight get their answer, leases go back, and the status is 0."""

import signal
from pathlib import Path

import pytest

from tests.support.cases import BY_DAY_ON_SQLITE
from tests.support.load import Load, visitors
from tests.support.postgres import PostgresServer
from tests.support.relay import HANG, Relay
from tests.support.server import PATIENCE, Server, is_alive, until
from tests.support.sql import number, registered

WORKERS = pytest.mark.parametrize("workers", [pytest.param("1", marks=pytest.mark.drill), "2"])
# where the rows are does not change with the number of processes: each number by day on one of the two
LOADED = pytest.mark.parametrize(
    ("database", "workers"),
    [
        ("sqlite", "2"),
        ("postgresql", "1"),
        pytest.param("sqlite", "1", marks=pytest.mark.drill),
        pytest.param("postgresql", "2", marks=pytest.mark.drill),
    ],
    indirect=["database"],
)
HELD = """
SELECT (SELECT count(*) FROM outbox WHERE taken_by IS NOT NULL)
  + (SELECT count(*) FROM jobs WHERE lease_until IS NOT NULL)
"""


@LOADED
def test_a_stop_under_load_answers_what_it_took_and_ends_well(
    workers: str, database_url: str, relay: Relay, tmp_path: Path
) -> None:
    with Server(tmp_path, database_url, relay=relay, SERVER__WORKERS=workers) as server:
        load = Load([server.port], visitors(4000)).start()
        load.wait_for(300, 202)
        assert server.stop() == 0
        load.finish()
    assert registered(database_url) == set(load.answered(202))
    assert set(load.counts) == {202, 0}
    assert not any(word in server.errors for word in ("panic", "Traceback", "Exception"))


@LOADED
def test_a_stop_under_load_gives_every_lease_back(
    workers: str, database_url: str, relay: Relay, tmp_path: Path
) -> None:
    with Server(tmp_path, database_url, relay=relay, SERVER__WORKERS=workers) as server:
        load = Load([server.port], visitors(4000)).start()
        relay.wait_for(50)
        server.stop()
        load.finish()
    assert not number(database_url, HELD)
    assert len(relay.mails) == len({mail.recipients for mail in relay.mails})


@BY_DAY_ON_SQLITE
def test_mails_not_sent_before_a_stop_are_sent_right_after_the_next_start(
    database_url: str, relay: Relay, tmp_path: Path
) -> None:
    with Server(tmp_path, database_url, relay=relay) as server:
        load = Load([server.port], visitors(4000)).start()
        load.wait_for(300, 202)
        server.stop()
        answered = {(address,) for address in load.finish().answered(202)}
        server.start()
        relay.wait_until(lambda: {mail.recipients for mail in relay.mails} >= answered, PATIENCE)
    assert len(relay.mails) == len(answered)


@pytest.mark.parametrize("round_", [2, *(pytest.param(round_, marks=pytest.mark.drill) for round_ in (0, 1, 3, 4))])
def test_a_signal_is_heard_while_threads_are_being_started(round_: int, relay: Relay, tmp_path: Path) -> None:
    with Server(tmp_path, "sqlite:///signal.db", relay=relay) as server:
        load = Load([server.port], visitors(4000), at_once=32).start()
        load.wait_for(10 + 20 * round_, 202)
        assert server.stop() == 0
        load.finish()


@pytest.mark.parametrize(("number_", "workers"), [(signal.SIGTERM, "1"), (signal.SIGTERM, "2"), (signal.SIGINT, "2")])
def test_an_idle_server_ends_at_both_signals(number_: signal.Signals, workers: str, tmp_path: Path) -> None:
    with Server(tmp_path, "sqlite:///idle.db", SERVER__WORKERS=workers) as server:
        children = server.children
        server.process.send_signal(number_)
        assert server.wait() == 0
    assert "Traceback" not in server.errors
    assert not any(map(is_alive, children))


@BY_DAY_ON_SQLITE
def test_a_relay_that_hangs_holds_up_neither_the_end_nor_a_lease(
    database_url: str, relay: Relay, tmp_path: Path
) -> None:
    relay.behave("rcpt", HANG)
    with Server(tmp_path, database_url, relay=relay, MAIL__TIMEOUT_SECONDS="300") as server:
        Load([server.port], visitors(30)).run()
        relay.wait_until(lambda: relay.played("rcpt") > 0)
        assert server.stop() == 0
    assert not number(database_url, HELD)


@WORKERS
def test_it_ends_also_while_the_database_is_away(workers: str, relay: Relay, tmp_path: Path) -> None:
    with (
        PostgresServer() as postgres,
        Server(tmp_path, postgres.create_database("away"), relay=relay, SERVER__WORKERS=workers) as server,
    ):
        Load([server.port], visitors(20)).run()
        postgres.stop("immediate")
        assert server.stop() == 0
        assert "Traceback" not in server.errors


def test_workers_that_are_still_starting_end_too(tmp_path: Path) -> None:
    with Server(tmp_path, "sqlite:///early.db", SERVER__WORKERS="2").launch() as server:
        until(lambda: len(server.children) == 3)
        workers = server.children
        assert server.stop() == 0
        assert not any(map(is_alive, workers))
        assert "Traceback" not in server.errors
