"""SIGTERM: requests in flight get their answer, leases go back, and the status is 0."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.load import Load, visitors
from tests.support.postgres import PostgresServer
from tests.support.relay import HANG, Relay
from tests.support.server import HOME, PATIENCE, Server, is_alive, until
from tests.support.sql import number, registered

WORKERS = pytest.mark.parametrize("workers", ["1", "2"])
HELD = """
SELECT (SELECT count(*) FROM outbox WHERE taken_by IS NOT NULL)
  + (SELECT count(*) FROM jobs WHERE holder IS NOT NULL OR lease_until IS NOT NULL)
"""


@WORKERS
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


@WORKERS
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


@pytest.mark.parametrize("round_", range(5))
def test_a_signal_is_heard_while_threads_are_being_started(round_: int, relay: Relay, tmp_path: Path) -> None:
    with Server(tmp_path, "sqlite:///signal.db", relay=relay) as server:
        load = Load([server.port], visitors(4000), at_once=32).start()
        load.wait_for(10 + 20 * round_, 202)
        assert server.stop() == 0
        load.finish()


@pytest.mark.parametrize("number_", [signal.SIGTERM, signal.SIGINT])
@WORKERS
def test_an_idle_server_ends_at_both_signals(number_: signal.Signals, workers: str, tmp_path: Path) -> None:
    with Server(tmp_path, "sqlite:///idle.db", SERVER__WORKERS=workers) as server:
        children = server.children
        server.process.send_signal(number_)
        assert server.wait() == 0
    assert "Traceback" not in server.errors
    assert not any(map(is_alive, children))


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


def test_workers_end_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    with Server(tmp_path, "sqlite:///orphans.db", SERVER__WORKERS="2") as server:
        workers = server.children
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
        until(lambda: not any(map(is_alive, workers)))
        server.start()


def test_a_worker_that_was_killed_is_replaced(tmp_path: Path) -> None:
    with Server(tmp_path, "sqlite:///replaced.db", SERVER__WORKERS="2") as server:
        first, second = server.children
        os.kill(first, signal.SIGKILL)
        until(lambda: len(server.children) == 2 and first not in server.children)
        assert second in server.children
        assert server.stop() == 0


FORKED = """
import os, signal
from subscriptions import serve
heard = []
signal.signal(signal.SIGTERM, lambda *_: heard.append(1))  # as granian's parent does, in whom it ends nothing
serve._mind_forks()
child = os.fork()
if not child:
    os.kill(os.getpid(), signal.SIGTERM)
    os._exit(0)
ended = os.waitpid(child, 0)[1]
os.kill(os.getpid(), signal.SIGTERM)
print(os.WIFSIGNALED(ended) and os.WTERMSIG(ended), len(heard))
"""


def test_a_signal_ends_a_worker_that_has_only_been_forked_and_its_parent_still_hears_its_own() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], cwd=HOME, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(int(signal.SIGTERM)), "1"]


def test_workers_that_are_still_starting_end_too(tmp_path: Path) -> None:
    with Server(tmp_path, "sqlite:///early.db", SERVER__WORKERS="2").launch() as server:
        until(lambda: len(server.children) == 2)
        workers = server.children
        assert server.stop() == 0
        assert not any(map(is_alive, workers))
        assert "Traceback" not in server.errors
