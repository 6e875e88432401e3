"""A database that somebody else holds: nobody waits for ever, nothing is half-written, and then all goes on."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from subscriptions import deadline
from subscriptions.clock import Clock
from subscriptions.store import engine
from subscriptions.store.engine import Unavailable, reading, transaction
from subscriptions.store.models import db
from tests.builders import link_in
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.support.lines import set_to
from tests.support.load import sign_up
from tests.support.names import SILENT, NameServer
from tests.support.relay import Relay
from tests.support.server import Server, until
from tests.support.sql import connected, rows

pytestmark = BY_DAY_ON_SQLITE

ANNE, BART = "anne@example.org", "bart@example.org"
IMPATIENT = "from subscriptions import deadline; deadline.PATIENCE = 3.0"
FORM = ("POST", "/subscribe/newsletter", "email=dora@example.org", "application/x-www-form-urlencoded")
STORED = ("registrations", "evidence", "outbox", "subscriptions", "addresses", "counted_keys", "suppressions")


@contextmanager
def locked(url: str) -> Iterator[None]:
    """As another process holds it that writes and does not come to an end."""
    with connected(url) as connection:
        if url.startswith("sqlite"):
            connection.exec_driver_sql("DELETE FROM meta WHERE name = 'nothing'")  # it has one writer
        else:
            connection.exec_driver_sql("LOCK TABLE addresses, registrations, subscriptions IN ACCESS EXCLUSIVE MODE")
        yield


def stored(url: str) -> dict[str, list[object]]:
    return {table: [*rows(url, f"SELECT * FROM {table} ORDER BY 1")] for table in STORED}  # noqa: S608


def links(server: Server, relay: Relay) -> list[str]:
    """One that confirms, and one that disowns, of two people."""
    for address in (ANNE, BART):
        assert server.ask("POST", *sign_up(address)[1:])[0] == 202
    mails = {mail.recipients[0]: mail.message for mail in relay.wait_for(2)}
    return [urlsplit(link_in(mails[who], kind)).path for who, kind in ((ANNE, "confirm"), (BART, "not-me"))]


def acts(server: Server, paths: list[str]) -> list[Callable[[], tuple[int, dict[str, str], str]]]:
    """A sign-up by JSON and one by form, a confirmation, and somebody who was never meant."""
    return [
        lambda: server.ask("POST", *sign_up("cris@example.org")[1:]),
        lambda: server.ask(*FORM),
        *[lambda path=path: server.ask("POST", path) for path in paths],
    ]


def at_once(pool: ThreadPoolExecutor, asked: list[Callable[[], tuple[int, dict[str, str], str]]]) -> list[Future]:
    return [pool.submit(one) for one in asked]


def test_with_the_database_locked_each_act_is_503_and_whole_and_probes_wait_for_nobody(
    database_url: str, relay: Relay, tmp_path: Path
) -> None:
    with (
        Server(tmp_path, database_url, command=set_to(IMPATIENT), relay=relay) as server,
        ThreadPoolExecutor(64) as pool,
    ):
        paths = links(server, relay)
        until(lambda: not rows(database_url, "SELECT 1 FROM outbox"))
        before = stored(database_url)
        with locked(database_url):
            # more of them than there are threads: what is refused is not behind those who wait
            waiting = at_once(pool, [one for one in acts(server, paths) for _ in range(10)])
            assert [server.get("/healthz") for _ in range(20)] == [200] * 20
            assert not all(one.done() for one in waiting)
            answers = [one.result() for one in waiting]
        assert {(status, headers["retry-after"]) for status, headers, _ in answers} == {(503, "5")}
        assert stored(database_url) == before
        assert [one()[0] for one in acts(server, paths)] == [202, 303, 200, 200]


def test_a_name_server_that_says_nothing_holds_up_nobody_else(relay: Relay, tmp_path: Path) -> None:
    patient = "from subscriptions import lookup; lookup.WITHIN = 4.0"
    with NameServer({"slow.com": SILENT}) as names, ThreadPoolExecutor(1) as pool:
        told = {"ABUSE__NAMESERVERS": f'["{names.address}"]'}
        with Server(tmp_path, "sqlite:///names.db", command=set_to(patient), relay=relay, **told) as server:
            slow = pool.submit(server.ask, "POST", *sign_up("anne@slow.com")[1:])
            until(lambda: bool(names.asked))
            assert server.ask("POST", *sign_up(ANNE)[1:])[0] == 202
            assert (server.get("/healthz"), server.ask(*FORM)[0], slow.done()) == (200, 303, False)
            assert slow.result()[0] == 202


def waits(connection: sa.Connection) -> int:
    """Milliseconds that it would wait for a lock."""
    if connection.dialect.name == "sqlite":
        return int(connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one())
    said = str(connection.exec_driver_sql("SHOW lock_timeout").scalar_one())
    return int(said[:-2]) if said.endswith("ms") else 1000 * int(said[:-1])


def test_every_wait_for_a_lock_ends_with_the_act(app: Flask) -> None:
    for begin in (transaction, reading):
        with begin() as session:
            assert waits(session.connection()) == engine.WAITS_MS
        with deadline.within(Clock.ticks() + 1), begin() as session:
            assert 0 < waits(session.connection()) <= 1000
        with begin() as session:  # and the connection keeps none of it
            assert waits(session.connection()) == engine.WAITS_MS


def test_a_wait_for_a_connection_ends_with_the_act(app: Flask) -> None:
    pool = db.engine.pool
    taken = [pool.connect() for _ in range(pool.size() + 4)]  # type: ignore[attr-defined]
    assert pool.timeout() == 5.0  # type: ignore[attr-defined]
    with deadline.within(Clock.ticks()), pytest.raises(Unavailable), reading() as session:
        assert pool.timeout() == 0  # type: ignore[attr-defined]
        session.connection()
    for connection in taken:
        connection.close()
