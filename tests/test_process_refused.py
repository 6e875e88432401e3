"""What keeps a server from starting: one sentence on stderr and status 1, however it is started."""

import socket
from pathlib import Path

import pytest

from tests.support.cases import BY_DAY_ON_SQLITE
from tests.support.ports import LOOPBACK, free_port
from tests.support.server import Server
from tests.support.sql import emptied, execute, number
from tests.test_process_start import COMMANDS

pytestmark = BY_DAY_ON_SQLITE

HOW = pytest.mark.parametrize("how", ["python app.py", "flask run", "granian", "wsgiref"])
# how a program is started and where its rows are do not meet: each way once on one of the two
EITHER = pytest.mark.parametrize(
    ("how", "database"),
    [("python app.py", "sqlite"), ("python app.py", "postgresql"), ("flask run", "postgresql"), ("granian", "sqlite"),
     ("wsgiref", "postgresql")],
    indirect=["database"],
)  # fmt: skip
WORKERS = pytest.mark.parametrize("workers", ["1", "2"])


def refused(server: Server) -> str:
    """The sentence with which it refuses to start."""
    with server.launch():
        assert server.wait() == 1
    assert "Traceback" not in server.errors
    lines = server.errors.splitlines()
    assert len(lines) == 1, server.errors
    return lines[0]


@HOW
def test_a_bad_configuration_is_refused(how: str, tmp_path: Path) -> None:
    server = Server(tmp_path, "sqlite:///never.db", command=COMMANDS[how], SERVER__WORKRES="2")
    assert "workres" in refused(server).lower()
    assert not (tmp_path / "never.db").exists()


@EITHER
def test_another_pepper_is_refused(how: str, database_url: str, tmp_path: Path) -> None:
    with Server(tmp_path, database_url) as first:
        first.stop()
    server = Server(tmp_path, database_url, command=COMMANDS[how], SERVER__PEPPER="another pepper than that one")
    sentence = refused(server)
    assert "pepper" in sentence
    assert "another pepper" not in sentence


@EITHER
def test_a_newer_schema_is_refused_and_left_alone(how: str, database_url: str, tmp_path: Path) -> None:
    execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    assert "newer version" in refused(Server(tmp_path, database_url, command=COMMANDS[how]))
    assert number(database_url, "SELECT version_num FROM alembic_version") == 9999


@HOW
def test_a_database_that_does_not_answer_is_refused(how: str, tmp_path: Path) -> None:
    url = f"postgresql+psycopg://somebody:secret-word@{LOOPBACK}:{free_port()}/nothing"
    sentence = refused(Server(tmp_path, url, command=COMMANDS[how]))
    assert "url in [database]" in sentence
    assert "secret-word" not in sentence


@pytest.mark.parametrize("content", [b"this is no database, but a text that somebody has put there " * 99, b"SQLite"])
def test_a_file_that_is_no_database_is_refused_and_left_alone(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "text.db"
    file.write_bytes(content)
    assert "url in [database]" in refused(Server(tmp_path, f"sqlite:///{file}"))
    assert file.read_bytes() == content


def test_a_data_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    server = Server(tmp_path, "sqlite:///any.db", SERVER__DATA_DIR=str(tmp_path / "file" / "var"))
    assert "data_dir in [server]" in refused(server)


@WORKERS
def test_a_port_that_somebody_has_is_refused(workers: str, tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        server = Server(tmp_path, "sqlite:///port.db", SERVER__WORKERS=workers, SERVER__PORT=str(port))
        assert f"port {port}" in refused(server)


def test_two_servers_do_not_share_a_port(tmp_path: Path) -> None:
    with Server(tmp_path, "sqlite:///first.db") as first:
        assert "already in use" in refused(Server(tmp_path, "sqlite:///second.db", SERVER__PORT=str(first.port)))


def test_a_port_is_free_again_at_once_after_a_stop(tmp_path: Path) -> None:
    with Server(tmp_path, "sqlite:///again.db") as server:
        for _ in range(3):
            server.stop()
            assert server.start().get("/healthz") == 200


def test_an_empty_database_is_no_reason_to_refuse(database_url: str, tmp_path: Path) -> None:
    with Server(tmp_path, emptied(database_url)) as server:
        assert server.get("/subscribe/newsletter") == 200
