"""kill -9, a database that goes away and a full disk: what was answered is there, nothing is half-written."""

from collections import defaultdict
from pathlib import Path

import pytest

from subscriptions.mail.settle import OPEN_AT_MOST
from tests.support.disk import disk, kinds
from tests.support.load import Load, visitors
from tests.support.postgres import PostgresServer, StopMode
from tests.support.relay import Relay
from tests.support.server import PATIENCE, Server, until
from tests.support.sql import execute, number, registered, rows

CONNECTIONS = 2
HALF_WRITTEN = """
SELECT count(*) FROM registrations r WHERE
  NOT EXISTS (SELECT 1 FROM evidence e WHERE e.registration_id = r.id AND e.fact = 'registered')
  OR NOT EXISTS (SELECT 1 FROM addresses a WHERE a.key = r.key AND a.mails <> '')
  OR (SELECT count(*) FROM outbox o WHERE o.registration_id = r.id)
     + (SELECT count(*) FROM evidence e WHERE e.registration_id = r.id AND e.fact = 'mailed') <> 1
"""
AT_NIGHT = pytest.mark.drill


def mailed(relay: Relay) -> set[str]:
    return {mail.recipients[0] for mail in relay.mails}


def mailed_twice(relay: Relay) -> dict[str, list[str]]:
    """The Message-IDs of the mails of each address that got more than one."""
    found = defaultdict(list)
    for mail in relay.mails:
        found[mail.recipients[0]].append(str(mail.message["Message-ID"]))
    return {address: ids for address, ids in found.items() if len(ids) > 1}


def pass_the_leases(url: str) -> None:
    """As if a minute had gone by: what a dead process had taken may be taken again."""
    then = "due_at - interval '60 seconds'" if url.startswith("postgres") else "datetime(due_at, '-60 seconds')"
    execute(url, f"UPDATE outbox SET due_at = {then} WHERE taken_by IS NOT NULL")  # noqa: S608


@pytest.mark.parametrize(
    ("database", "workers"),
    [
        ("postgresql", "1"),
        pytest.param("sqlite", "2", marks=AT_NIGHT),
        pytest.param("sqlite", "1", marks=AT_NIGHT),
        pytest.param("postgresql", "2", marks=AT_NIGHT),
    ],
    indirect=["database"],
)
def test_after_kill_9_amid_2000_sign_ups_each_that_was_answered_has_its_evidence_and_gets_its_mail(
    workers: str, database_url: str, relay: Relay, tmp_path: Path
) -> None:
    with Server(tmp_path, database_url, relay=relay, SERVER__WORKERS=workers) as server:
        load = Load([server.port], visitors(2000)).start()
        load.wait_for(700, 202)
        server.kill()
        answered = set(load.finish().answered(202))
        assert 700 <= len(answered) < 2000
        assert answered <= registered(database_url)
        assert number(database_url, HALF_WRITTEN) == 0

        before = mailed(relay)
        pass_the_leases(database_url)
        server.start()
        relay.wait_until(lambda: answered <= mailed(relay), PATIENCE)
        until(lambda: number(database_url, "SELECT count(*) FROM outbox") == 0)
    twice = mailed_twice(relay)
    assert [ids for ids in twice.values() if len(ids) > 2 or len(set(ids)) > 1] == []
    assert twice.keys() <= before
    assert len(twice) <= int(workers) * (OPEN_AT_MOST + CONNECTIONS)


def nothing_was_lost(load: Load, url: str, relay: Relay) -> None:
    """Of what was answered 202 in an outage that is over; all else was answered 503."""
    assert (set(load.counts), load.retry_after) == ({202, 503}, {"5"})
    answered = set(load.answered(202))
    assert answered <= registered(url)
    pass_the_leases(url)
    relay.wait_until(lambda: answered <= mailed(relay), PATIENCE)
    until(lambda: number(url, "SELECT count(*) FROM outbox") == 0)
    assert number(url, HALF_WRITTEN) == 0


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("mode", "workers"),
    [
        ("immediate", "2"),
        pytest.param("fast", "1", marks=AT_NIGHT),
        pytest.param("fast", "2", marks=AT_NIGHT),
        pytest.param("immediate", "1", marks=AT_NIGHT),
    ],
)
def test_postgresql_stopped_under_load_is_503_meanwhile_and_served_again_without_a_restart(
    workers: str, mode: StopMode, relay: Relay, tmp_path: Path
) -> None:
    with PostgresServer() as postgres:
        url = postgres.create_database("stopped")
        with Server(tmp_path, url, relay=relay, SERVER__WORKERS=workers) as server:
            load = Load([server.port], visitors(100_000)).start()
            load.wait_for(300, 202)
            postgres.stop(mode)
            load.wait_for(100, 503)
            assert (server.get("/healthz"), server.get("/readyz")) == (200, 503)
            postgres.start()
            load.wait_for(load.counts[202] + 300, 202)
            nothing_was_lost(load.stop(), url, relay)
            until(lambda: server.get("/readyz") == 200)
            assert server.stop() == 0
        assert "Traceback" not in server.errors


@pytest.mark.parametrize("kind", kinds())
def test_a_full_disk_is_503_and_loses_nothing_that_was_answered(kind: str, relay: Relay, tmp_path: Path) -> None:
    with disk(kind, tmp_path / "disk") as place:
        url = f"sqlite:///{place.folder}/subscriptions.db"
        with Server(tmp_path, url, relay=relay, SERVER__DATA_DIR=str(place.folder)) as server:
            place.pids = (server.pid, *server.children)
            load = Load([server.port], visitors(100_000)).start()
            load.wait_for(300, 202)
            place.fill()
            load.wait_for(100, 503)
            assert server.get("/subscribe/newsletter") == 200
            place.empty()
            load.wait_for(load.counts[202] + 100, 202)
            nothing_was_lost(load.stop(), url, relay)
            assert server.stop() == 0
        assert rows(url, "PRAGMA integrity_check")[0][0] == "ok"
