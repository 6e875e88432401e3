"""A PostgreSQL that says nothing any more: nobody waits for long, nothing is lost, and the server can be stopped."""

import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from subscriptions import deadline
from subscriptions.clock import Clock
from subscriptions.serving.front import THREADS
from subscriptions.settings import Database
from subscriptions.store.engine import Unavailable, reading
from subscriptions.store.models import db
from tests.builders import link_in
from tests.support.line import Line
from tests.support.lines import set_to
from tests.support.load import Load, sign_up, visitors
from tests.support.relay import Relay
from tests.support.server import PATIENCE, Server, until
from tests.support.sql import connected, number, registered, rows

pytestmark = [pytest.mark.postgres, pytest.mark.parametrize("database", ["postgresql"], indirect=True)]
WITHIN = 5.0  # seconds: nobody waits longer for an answer
IMPATIENT = "from subscriptions import deadline; deadline.PATIENCE = 3.0"  # leaves a busy machine some time
HASTY = "from subscriptions.serving import processes; processes.ENDS_WITHIN = 3.0"
FORM = ("POST", "/subscribe/newsletter", "email=bart@example.org", "application/x-www-form-urlencoded")
Answer = tuple[int, dict[str, str], str]


@pytest.fixture
def line(database_url: str) -> Iterator[Line]:
    with Line(database_url) as line:
        yield line


@pytest.fixture
def server(line: Line, relay: Relay, tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path, line.url, command=set_to(IMPATIENT, HASTY), relay=relay) as server:
        yield server


@pytest.fixture
def far(line: Line, make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """The application at the other end of that line."""
    app = make_app(database=Database(line.url))
    with app.app_context():
        yield app
        db.engine.dispose()


def backend() -> int:
    """The process of PostgreSQL that we talk to."""
    with reading() as session:
        return int(session.execute(sa.text("SELECT pg_backend_pid()")).scalar_one())


@pytest.mark.usefixtures("far")
def test_an_act_waits_for_a_silent_server_until_its_deadline_and_never_uses_that_connection_again(line: Line) -> None:
    before = backend()
    assert backend() == before
    with line.frozen(), deadline.within(Clock.ticks() + 0.2), pytest.raises(Unavailable):
        backend()
    assert backend() != before


@pytest.mark.usefixtures("far")
def test_a_server_that_is_gone_without_a_word_is_noticed_in_half_a_minute() -> None:
    with reading() as session:
        driver: Any = session.connection().connection.driver_connection
        with socket.socket(fileno=os.dup(driver.fileno())) as kept:
            idle, every, times = (
                kept.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            )
            assert kept.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert idle + every * times < 30


def timed(ask: Callable[[], Answer]) -> tuple[int, bool]:
    """The status, and whether it was said in time."""
    began = Clock.ticks()
    return ask()[0], Clock.ticks() - began < WITHIN


def test_while_it_is_frozen_each_act_is_503_in_time_and_then_all_goes_on_with_nothing_lost_or_doubled(
    server: Server, line: Line, database_url: str, relay: Relay
) -> None:
    assert server.ask("POST", *sign_up("anne@example.org")[1:])[0] == 202
    confirm = urlsplit(link_in(relay.wait_for(1)[0].message, "confirm")).path
    acts: list[Callable[[], Answer]] = [
        lambda: server.ask("POST", *sign_up("cris@example.org")[1:]),
        lambda: server.ask(*FORM),
        lambda: server.ask("POST", confirm),
        lambda: server.ask("GET", "/readyz"),
    ]
    with connected(database_url) as connection, ThreadPoolExecutor(THREADS) as pool:
        connection.exec_driver_sql("LOCK TABLE addresses, registrations IN ACCESS EXCLUSIVE MODE")
        pool.map(lambda _: acts[2](), range(THREADS))
        until(lambda: number(database_url, "SELECT count(*) FROM pg_locks WHERE NOT granted") >= THREADS)
        connection.commit()  # and so each thread has a connection
    load = Load([server.port], visitors(100_000)).start()
    load.wait_for(300, 202)
    with line.frozen(), ThreadPoolExecutor(80) as pool:
        for _ in range(2):  # the second time on new connections
            waiting = [pool.submit(timed, act) for act in acts for _ in range(20)]
            assert [server.get("/healthz") for _ in range(20)] == [200] * 20
            assert not any(one.done() for one in waiting)
            assert {one.result() for one in waiting} == {(503, True)}, server.log
            assert server.get("/subscribe/newsletter") == 200  # no thread waits on
        load.wait_for(32, 503)
    until(lambda: {act()[0] for act in acts} == {202, 303, 200})
    load.wait_for(load.counts[202] + 300, 202)
    answered = set(load.stop().answered(202))
    assert (set(load.counts), load.retry_after) == ({202, 503}, {"5"})
    assert answered <= registered(database_url)
    assert not rows(database_url, "SELECT key FROM registrations GROUP BY key, list_id HAVING count(*) > 1")
    relay.wait_until(lambda: answered <= {mail.recipients[0] for mail in relay.mails}, PATIENCE)
    until(lambda: not number(database_url, "SELECT count(*) FROM outbox WHERE due_at < now()"))
    assert len({mail.recipients for mail in relay.mails}) == len(relay.mails)


@pytest.mark.parametrize("apart", ["true", pytest.param("false", marks=pytest.mark.drill)])
def test_it_can_be_stopped_while_the_database_is_frozen(apart: str, line: Line, relay: Relay, tmp_path: Path) -> None:
    command = set_to(IMPATIENT, HASTY)
    with Server(tmp_path, line.url, command=command, relay=relay, SERVER__MAIL_PROCESS=apart) as server:
        load = Load([server.port], visitors(100_000)).start()
        load.wait_for(100, 202)
        with line.frozen():
            load.wait_for(16, 503)
            began = Clock.ticks()
            assert server.stop() == 0
            assert Clock.ticks() - began < 15  # of the 40 that systemd gives, in deploy/
        load.stop()
