"""The PostgreSQL and the browser of the tests do what the tests rely on."""

import psycopg
import pytest
from playwright.sync_api import Browser

from tests.support import postgres_programs
from tests.support.postgres import PostgresServer, StopMode, session_postgres


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


@pytest.mark.browser
def test_the_browser_shows_a_page(browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto("data:text/html,<title>Hello</title>")
        assert page.title() == "Hello"
