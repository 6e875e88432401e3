"""`flask bench` measures the real thing: every sign-up answered, every mail in, and nothing else in the way."""

import re
import subprocess

import pytest

from tests.builders import World
from tests.support.server import HOME, flask
from tests.support.sql import emptied


def bench(*options: str) -> "subprocess.CompletedProcess[str]":
    command = flask("bench", "signup", *options)
    return subprocess.run(command, cwd=HOME, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.drill)], indirect=True)
def test_the_benchmark_answers_every_sign_up_and_delivers_every_mail(database_url: str) -> None:
    done = bench("--database", emptied(database_url), "--requests", "200", "--concurrency", "8")
    assert done.returncode == 0, done.stderr
    told = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in done.stdout.splitlines())
    assert told["answers"] == "200 × 202"
    assert told["mails delivered"].startswith("200 of 200, ")
    assert all(float(one) > 0 for one in told["p50, p95, p99"].removesuffix(" ms").split(", "))
    assert re.fullmatch(r"\d+ a second: an empty endpoint \d+ µs, the rows \d+ µs, the mail \d+ µs", told["floor"])
    assert float(told["of the floor"]) > 0


def test_a_database_in_use_is_left_alone(world: World) -> None:
    world.sign_up()
    done = bench("--database", world.parts.settings.database.url, "--requests", "10")
    assert (done.returncode, done.stdout) == (1, "")
    assert "wants an empty one" in done.stderr
    assert len(world.registrations()) == 1


def test_a_database_that_does_not_answer_is_said_in_a_sentence() -> None:
    done = bench("--database", "postgresql+psycopg://nobody@127.0.0.1:1/none", "--requests", "10")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip() == "Error: The database does not answer: OperationalError."
