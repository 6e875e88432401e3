"""The PostgreSQL and the browser of the tests do what the tests rely on."""

import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser

from tests.support import postgres_programs
from tests.support.lifeline import Lifeline, end_orphans
from tests.support.postgres import PostgresServer, StopMode, session_postgres
from tests.support.server import until


def value(url: str, question: str) -> object:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        row = connection.execute(question.encode()).fetchone()
    return row and row[0]


@pytest.mark.postgres
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_postgres_keeps_its_port_and_its_data_over_a_stop(mode: StopMode) -> None:
    with PostgresServer() as server:
        url = server.create_database("first")
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
            server.stop(mode)
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError):
            value(url, "SELECT 1")
        server.start()
        assert value(url, "SELECT answer FROM kept") == 42


@pytest.mark.postgres
def test_a_database_is_copied_from_a_template_and_dropped_under_its_users() -> None:
    with PostgresServer() as server, psycopg.connect(server.url("postgres").replace("+psycopg", "")) as admin:
        server.create_database("model")
        url = server.create_database("copied", template="model")
        with psycopg.connect(url.replace("+psycopg", "")):
            server.drop_database("copied")
            server.drop_database("copied")
        names = admin.execute("SELECT datname FROM pg_database").fetchall()
        assert [name for (name,) in names if "template" not in name] == ["postgres", "model"]


@pytest.mark.postgres
@pytest.mark.parametrize(("durable", "fsync"), [(True, "on"), (False, "off")])
def test_only_a_durable_server_waits_for_the_disk(durable: bool, fsync: str) -> None:
    with PostgresServer(durable=durable) as server:
        assert value(server.url("postgres"), "SHOW fsync") == fsync
        assert not (durable and server.folder.is_relative_to(postgres_programs.MEMORY))


@pytest.mark.postgres
def test_a_server_from_outside_is_used_when_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with PostgresServer() as server:
        monkeypatch.setenv("TEST_POSTGRES_URL", server.url("postgres"))
        with session_postgres() as databases:
            assert databases.create_database("ours") == server.url("ours")


@pytest.mark.postgres
def test_programs_below_a_closed_folder_are_run_from_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_programs, "_open_to_all", lambda _: False)
    with session_postgres() as databases:
        assert value(databases.url("postgres"), "SELECT 1") == 1


OWNER = """
from tests.support.postgres import PostgresServer
server = PostgresServer()
server.start()
print(server.folder, flush=True)
input()
"""


@pytest.mark.postgres
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_ends_with_whoever_has_started_it(how: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        folder = Path(owner.stdout.readline().decode().strip())
        pid = int((folder / "data" / "postmaster.pid").read_text().split("\n")[0])
        owner.send_signal(how)
    until(lambda: not folder.exists())
    until(lambda: not is_running(pid))


def is_running(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()  # one that nobody has buried is none
    except FileNotFoundError:
        return False


def test_orphans_are_removed_and_what_somebody_holds_is_not(tmp_path: Path) -> None:
    left, held, foreign = (tmp_path / name for name in ("postgres-left", "postgres-held", "postgres-foreign"))
    for folder in (left, held, foreign):
        (folder / "data").mkdir(parents=True)
    (left / "owner").touch()
    lifeline = Lifeline(held)
    end_orphans(tmp_path)
    assert sorted(tmp_path.iterdir()) == [foreign, held]
    lifeline.let_go()
    assert list(tmp_path.iterdir()) == [foreign]


@pytest.mark.browser
def test_the_browser_shows_a_page(browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto("data:text/html,<title>Hello</title>")
        assert page.title() == "Hello"
