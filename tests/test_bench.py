"""The benchmarks measure the real thing: every sign-up answered, every mail in, and nothing else in the way."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.load import drive
from bench.sink import Sink
from bench.visitors import Visitors
from tests.builders import World
from tests.support.server import HOME, flask
from tests.support.sql import emptied, number

MODULE = (sys.executable, "-m", "bench")


def bench(
    *options: str, command: tuple[str, ...] = MODULE, home: Path = HOME, **environ: str
) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | environ
    return subprocess.run(
        [*command, *options], cwd=home, env=environment, capture_output=True, text=True, timeout=100, check=False
    )


def measured(*options: str, **environ: str) -> Any:
    done = bench(*options, "--json", **environ)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def tables(url: str) -> int:
    of_sqlite = "SELECT count(*) FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    of_postgres = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    return number(url, of_sqlite if url.startswith("sqlite") else of_postgres)


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.drill)], indirect=True)
def test_every_sign_up_is_answered_and_every_mail_delivered_by_form_and_by_json(database_url: str) -> None:
    url = emptied(database_url)
    told = measured("signup", "--database", url, "--requests", "60", "--concurrency", "8", "--form")
    [figures] = [one["this"] for one in told["rounds"]]
    assert (figures["taken"], figures["refused"], figures["mails"]) == (60, 0, 60)
    assert all(figures[name] > 0 for name in ("p50", "p95", "p99", "answered", "delivered", "of_floor", "rss", "pss"))
    assert (figures["database"] is None) is url.startswith("sqlite")
    assert tables(url) == 0, "it leaves the database as it found it"


@pytest.mark.drill
@pytest.mark.parametrize("database", ["postgresql"])
def test_every_row_is_exported_while_others_sign_up(database_url: str) -> None:
    url = emptied(database_url)
    told = measured("export", "--database", url, "--rows", "1500", "--beside", "20", "--seconds", "1")
    figures = told["median"]["this"]
    assert (figures["exported"], figures["taken"], figures["refused"]) == (1500, 40, 0)
    assert all(figures[name] > 0 for name in ("rows", "p99", "alone_p99", "times_p99"))


@pytest.mark.drill
def test_every_owed_mail_is_sent_and_each_part_of_the_sender_timed() -> None:
    told = measured("mail", "--mails", "60", "--relay-delay", "20", "--connections", "3")
    figures = told["median"]["this"]
    assert (figures["mails"], 1 <= figures["busy_most"] <= 3) == (60, True)
    # a part that the sender no longer has by this name: give bench/inside.py its new one
    assert [name for name, value in figures.items() if name.startswith("part_") and not value] == []


@pytest.mark.drill
def test_another_version_runs_in_turn_with_this_one(tmp_path: Path) -> None:
    options = ("--against", "HEAD", "--rounds", "2", "--requests", "20", "--rate", "200")
    told = measured("signup", *options, XDG_CACHE_HOME=str(tmp_path))
    [_, other, _] = told["median"]
    assert len(told["rounds"]) == 2
    for one in told["rounds"]:
        assert one["this"]["mails"] == one[other]["mails"] == 20
        assert one["ratio"]["p99"] == pytest.approx(one["this"]["p99"] / one[other]["p99"])
    [folder] = (tmp_path / "yestwice-bench").iterdir()
    assert (folder / "app.py").exists() and folder.name.startswith(other)


def test_a_version_that_is_none_is_refused_in_a_sentence() -> None:
    done = bench("signup", "--against", "no-such-commit")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip() == "Error: --against names no commit of this repository."


def test_a_database_in_use_is_left_alone(world: World) -> None:
    world.sign_up()
    done = bench("bench", "signup", "--database", world.parts.settings.database.url, command=flask())
    assert (done.returncode, done.stdout) == (1, "")
    assert "wants an empty one" in done.stderr
    assert len(world.registrations()) == 1


def test_a_database_that_does_not_answer_is_said_in_a_sentence() -> None:
    done = bench("mail", "--database", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip() == "Error: The database does not answer: OperationalError."


def test_a_mail_that_takes_its_time_holds_up_all_that_is_pipelined_behind_it() -> None:
    with Sink(delay=0.05) as sink, socket.create_connection(("127.0.0.1", sink.port), timeout=20) as line:
        file = line.makefile("rb")
        line.sendall(b"MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n")
        assert [file.readline() for _ in range(4)][1:] == [b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"]
        line.sendall(b"Subject: 1\r\n\r\none\r\n.\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n")
        replies = [file.readline() for _ in range(4)]
        assert replies == [b"250 taken\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"]
        line.sendall(b"two\r\n.\r\nQUIT\r\n")
        assert [file.readline() for _ in range(3)] == [b"250 taken\r\n", b"221 bye\r\n", b""]
        assert (sink.count, sink.lines_busy()[0], sink.sample()) == (2, 1, b"Subject: 1\r\n\r\none")


def test_the_load_asks_again_on_a_new_connection_where_the_server_ends_one() -> None:
    answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"
    with socket.create_server(("127.0.0.1", 0)) as server:
        served = subprocess.Popen([sys.executable, "-c", ONE_ANSWER_EACH, repr(answer)], stdin=server.fileno())
        found = drive(server.getsockname()[1], Visitors(4), concurrency=1)
        served.terminate()
        served.wait()
    assert found.statuses[202] == 4 - found.statuses.get(0, 0)
    assert found.taken == len(found.latencies) >= 2  # a request that meets the end is lost; the next is not


ONE_ANSWER_EACH = """
import ast, socket, sys
server = socket.socket(fileno=0)
while True:
    connection, _ = server.accept()
    connection.recv(65536) and connection.sendall(ast.literal_eval(sys.argv[1]))
    connection.close()
"""


def test_the_product_runs_where_there_are_no_benchmarks(tmp_path: Path) -> None:
    shutil.copy(HOME / "app.py", tmp_path)
    shutil.copytree(HOME / "subscriptions", tmp_path / "subscriptions")
    theirs = tmp_path / "packages" / "bench"  # there are others of that name
    theirs.mkdir(parents=True)
    (theirs / "__init__.py").write_text("raise SystemExit('not ours')")
    assert "--database" in bench("bench", "signup", "--help", command=flask()).stdout
    without = bench("--help", command=flask(), home=tmp_path, PYTHONPATH=str(theirs.parent))
    assert (without.returncode, "  tokens " in without.stdout, "  bench " in without.stdout) == (0, True, False)
