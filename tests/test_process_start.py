"""However it is started: one scheduler in each process, links that lead here, what was missed is caught up."""

import sys
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from subscriptions.clock import Clock
from subscriptions.domain.policy import Policy
from subscriptions.store.models import Address, Job, Registration
from tests.builders import link_in
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.support.load import sign_up, visitors
from tests.support.relay import Relay
from tests.support.server import PYTHON_APP, Server, flask, until
from tests.support.sql import connected, emptied, number, rows

WSGIREF = (
    "from wsgiref.simple_server import make_server; from app import app; "
    "make_server('127.0.0.1', {port}, app).serve_forever()"
)
FORKED = """
import os, threading, time
from wsgiref.simple_server import make_server
from sqlalchemy import text
from subscriptions.jobs import jobs
from subscriptions.store.engine import transaction

def long(run):
    with transaction() as session:
        session.execute(text("DELETE FROM meta WHERE name = 'nothing'"))
        begun.set()
        time.sleep(1)

begun = threading.Event()
object.__setattr__(jobs.NAMED["block"], "work", long)
from app import app
begun.wait()
if os.fork():
    os.wait()
make_server('127.0.0.1', {port}, app).serve_forever()
"""
COMMANDS = {
    "python app.py": PYTHON_APP,
    "flask run": flask("run", "--port", "{port}"),
    "flask run --debug": flask("run", "--debug", "--port", "{port}"),
    "granian": (sys.executable, "-m", "granian", "--interface", "wsgi", "--port", "{port}", "app:app"),
    "wsgiref": (sys.executable, "-c", WSGIREF),
}
STARTS_AGAIN = {"flask run --debug"}
WARNING = "its emails need these for the legal notice"  # each scheduler says so of both lists, as it starts
OURS = 2  # schedulers: one of the web process, one of that for mails and jobs
SLOTS = {"tidy": 60, "block": 300, "purge": 3600}  # seconds
LEFT = """
SELECT (SELECT count(*) FROM registrations) + (SELECT count(*) FROM evidence)
  + (SELECT count(*) FROM outbox) + (SELECT count(*) FROM addresses)
"""


def schedulers(server: Server) -> int:
    return (server.log + server.errors).count(WARNING) // 2


def every_job_has_run(url: str) -> bool:
    return not number(url, "SELECT count(*) FROM jobs WHERE name <> 'relay' AND ended_at IS NULL")


def slots_since(begin: float) -> dict[str, int]:
    now = Clock.real_now().timestamp()
    return {name: int(now // every) - int(begin // every) + 1 for name, every in SLOTS.items()}


@pytest.mark.parametrize(
    ("how", "database"),
    [*((how, "sqlite") for how in COMMANDS), ("python app.py", "postgresql"), ("flask run", "postgresql")],
    indirect=["database"],
)
def test_however_started_it_has_one_scheduler_and_sends(
    how: str, database: str, database_url: str, relay: Relay, tmp_path: Path
) -> None:
    alone = database == "sqlite" or how in STARTS_AGAIN  # not forked: each way as people start it
    with Server(tmp_path, database_url, command=COMMANDS[how], relay=relay, alone=alone) as server:
        assert server.ask("POST", *sign_up("anne@example.org")[1:])[0] == 202
        relay.wait_for(1)
        until(lambda: every_job_has_run(database_url))
        assert schedulers(server) == (OURS if how == "python app.py" else 1)


def test_a_server_that_forks_while_a_job_is_writing_serves_and_sends(relay: Relay, tmp_path: Path) -> None:
    """As gunicorn does with --preload."""
    command = (sys.executable, "-c", FORKED)
    with Server(tmp_path, "sqlite:///forked.db", command=command, relay=relay) as server:
        assert server.ask("POST", *sign_up("anne@example.org")[1:])[0] == 202
        relay.wait_for(1)


@pytest.mark.parametrize("workers", [1, 2])
def test_each_job_runs_once_a_slot_whatever_the_number_of_processes(
    workers: int, database_url: str, relay: Relay, tmp_path: Path
) -> None:
    begin = Clock.real_now().timestamp()
    with Server(tmp_path, database_url, relay=relay, SERVER__WORKERS=str(workers)) as server:
        until(lambda: schedulers(server) == workers + 1 and every_job_has_run(database_url))
    runs = {str(name): int(epoch) for name, epoch in rows(database_url, "SELECT name, epoch FROM jobs")}
    slots = slots_since(begin)
    assert not [name for name in SLOTS if not 1 <= runs[name] <= slots[name]]


@pytest.mark.parametrize("how", ["python app.py", "flask run"])
def test_links_in_mails_lead_to_the_server_that_was_started(how: str, relay: Relay, tmp_path: Path) -> None:
    unset = {"SERVER__PORT": "8000"} if how == "flask run" else {}  # its port is its own, not the configuration's
    with Server(tmp_path, "sqlite:///links.db", command=COMMANDS[how], relay=relay, **unset) as server:
        server.ask("POST", *sign_up("anne@example.org")[1:])
        assert link_in(relay.wait_for(1)[0].message, "confirm").startswith(server.base_url + "/")


def test_the_configuration_that_the_environment_names_is_used(tmp_path: Path) -> None:
    file = tmp_path / "named.toml"
    file.write_text('[[lists]]\nslug = "from-the-file"\n')
    with Server(tmp_path, "sqlite:///named.db", LISTS=None, CONFIG=str(file)) as server:
        assert (server.get("/subscribe/from-the-file"), server.get("/subscribe/newsletter")) == (200, 404)


def test_the_example_configuration_starts_unchanged(tmp_path: Path) -> None:
    example = Path(__file__).parent.parent / "config.example.toml"
    with Server(tmp_path, "sqlite:///example.db", LISTS=None, CONFIG=str(example)) as server:
        assert server.get("/") == 200


@BY_DAY_ON_SQLITE
def test_a_flask_command_starts_no_scheduler(database_url: str, relay: Relay, tmp_path: Path) -> None:
    command = Server(tmp_path, database_url, command=flask("lists", "show"), relay=relay).launch()
    assert (command.wait(), schedulers(command)) == (0, 0)
    assert not number(database_url, "SELECT sum(epoch) FROM jobs")


@pytest.mark.parametrize("workers", [1, 2])
def test_servers_that_start_at_once_on_an_empty_database_make_it_once(
    workers: int, database_url: str, relay: Relay, tmp_path: Path
) -> None:
    url = emptied(database_url)
    servers = [Server(tmp_path, url, relay=relay, SERVER__WORKERS=str(workers)).launch() for _ in range(3)]
    try:
        for server in servers:
            server.wait_ready()
        until(lambda: sum(map(schedulers, servers)) == 3 * (workers + 1) and every_job_has_run(url))
        assert [server.stop() for server in servers] == [0, 0, 0]
    finally:
        for server in servers:
            server.__exit__()
    assert not [server.errors for server in servers if "Traceback" in server.errors]
    assert number(url, "SELECT count(*) FROM lists") == 2


def have_been_off(url: str, days: float) -> None:
    """As if everything so far had happened that many days earlier, and nothing had run since."""
    then, policy = Clock.real_now() - timedelta(days=days), Policy()
    due = {"confirm_by": policy.confirm_by(then), "purge_at": policy.purge_at(then)}
    with connected(url) as connection:
        connection.execute(sa.update(Registration).values(registered_at=then, **due))
        connection.execute(sa.update(Address).values(last_mail_at=then))
        connection.execute(sa.update(Job).values(ended_at=then, slot=0))


@pytest.fixture
def used(database_url: str, relay: Relay, tmp_path: Path) -> str:
    """A database with twenty sign-ups that nobody has confirmed, and no server any more."""
    with Server(tmp_path, database_url, relay=relay) as server:
        assert {server.ask("POST", path, body)[0] for _, path, body in visitors(20)} == {202}
        relay.wait_for(20)
        until(lambda: every_job_has_run(database_url))
        server.stop()
    return database_url


@BY_DAY_ON_SQLITE
def test_what_was_overdue_while_it_was_off_is_gone_after_the_start(used: str, relay: Relay, tmp_path: Path) -> None:
    have_been_off(used, days=61)
    with Server(tmp_path, used, relay=relay):
        until(lambda: not number(used, LEFT))


@BY_DAY_ON_SQLITE
def test_what_became_too_late_while_it_was_off_is_blocked_after_the_start(
    used: str, relay: Relay, tmp_path: Path
) -> None:
    have_been_off(used, days=2)
    with Server(tmp_path, used, relay=relay):
        until(lambda: number(used, "SELECT count(*) FROM registrations WHERE state = 'blocked'") == 20)


@BY_DAY_ON_SQLITE
def test_a_clock_more_than_400_days_ahead_deletes_nothing_and_says_so(used: str, relay: Relay, tmp_path: Path) -> None:
    have_been_off(used, days=402)
    with Server(tmp_path, used, relay=relay) as server:
        until(lambda: number(used, "SELECT count(*) FROM jobs WHERE name = 'purge' AND error IS NOT NULL") == 1)
        assert server.ask("GET", "/readyz")[0] == 503
        assert "--confirm" in server.ask("GET", "/readyz")[2]
    assert number(used, "SELECT count(*) FROM registrations") == 20
