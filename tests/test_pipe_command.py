"""`yestwice mail receive` as a mail server runs it: a process for each message, which loads little and loses none."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from subscriptions.store import arrivals
from subscriptions.store.engine import reading
from tests.builders import BART, World
from tests.support.cases import ONE_DATABASE
from tests.test_commands_outside import environment
from tests.test_pipe import HELLO, LEAVE, kept, world

__all__ = ["world"]
HOME = Path(__file__).resolve().parents[1]


def piped(settings: dict[str, str], *args: str, stdin: bytes = HELLO) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "subscriptions", "mail", "receive", *args]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=HOME, env=settings, timeout=60, check=False)


def of(world: World, **more: str) -> dict[str, str]:
    return environment(world) | {"SUBSCRIPTIONS_INBOUND__ADDRESS": LEAVE} | more


@ONE_DATABASE
def test_a_mail_server_is_told_0_once_the_letter_is_kept_and_nothing_of_it_is_logged(world: World) -> None:
    done = piped(of(world), "--from", BART, "--to", LEAVE)
    assert (done.returncode, done.stdout) == (0, b"") and BART.encode() not in done.stderr
    assert len(kept()) == 1


def test_what_each_message_starts_loads_no_rooms_that_it_does_not_need() -> None:
    said = "import sys; from subscriptions import pipe; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", said], capture_output=True, text=True, cwd=HOME, timeout=60, check=True
    )
    dear = ("web", "cli", "jobs", "mail", "parts", "start", "lookup")
    loaded = {*done.stdout.split()} & {
        *(f"subscriptions.{room}" for room in dear),
        "alembic",
        "apscheduler",
        "dkim",
        "dns",
    }
    assert not loaded and "subscriptions.inbound.door" in done.stdout


@ONE_DATABASE
def test_a_wish_by_pipe_ends_the_subscription_and_stands_in_the_deletion_journal(world: World) -> None:
    world.subscribe(BART)
    token, journal = world.leave_link(BART).rpartition("/")[2], world.parts.settings.journal
    wish = HELLO.replace(b"Hello", f"unsubscribe {token}".encode())
    assert piped(of(world, SUBSCRIPTIONS_SERVER__JOURNAL=str(journal)), stdin=wish).returncode == 0
    assert not world.subscriptions()[0].is_open
    told = "".join(file.read_text() for file in journal.iterdir())
    assert '"act": "end"' in told and world.subscriptions()[0].key.hex() in told


AWAY = {
    "no such database": ({"SUBSCRIPTIONS_DATABASE__URL": "postgresql+psycopg://nobody@127.0.0.1:9/none"}, ()),
    "a database that no service has made ready": (
        {"SUBSCRIPTIONS_DATABASE__URL": "sqlite:///empty.db"},
        pytest.mark.drill,
    ),
    "another pepper": ({"SUBSCRIPTIONS_SERVER__PEPPER": "that of another installation"}, pytest.mark.drill),
    "a configuration that is not right": ({"SUBSCRIPTIONS_SERVER__PORT": "0"}, pytest.mark.drill),
    "no address": ({"SUBSCRIPTIONS_INBOUND__ADDRESS": ""}, pytest.mark.drill),
}


@ONE_DATABASE
@pytest.mark.parametrize(
    "what", [next(iter(AWAY)), *(pytest.param(one, marks=pytest.mark.drill) for one in [*AWAY][1:])]
)
def test_whatever_is_in_the_way_the_mail_server_is_told_to_try_again(world: World, what: str) -> None:
    done = piped(of(world, **AWAY[what][0]))
    assert done.returncode == 75 and done.stderr and BART.encode() not in done.stderr
    assert kept() == []


@pytest.mark.drill
@ONE_DATABASE
def test_a_wrong_option_in_the_mail_servers_configuration_bounces_no_letter(world: World) -> None:
    assert piped(of(world), "--form", BART).returncode == 75


@pytest.mark.drill
@ONE_DATABASE
def test_a_process_that_is_killed_at_any_moment_loses_no_letter_and_keeps_none_twice(world: World) -> None:
    chance, command = random.Random(7), [sys.executable, "-m", "subscriptions", "mail", "receive"]  # noqa: S311
    pipes: dict[str, int] = {"stdin": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    for _ in range(20):
        with subprocess.Popen(command, cwd=HOME, env=of(world), **pipes) as run:
            assert run.stdin
            run.stdin.write(HELLO)
            run.stdin.close()
            try:
                run.wait(chance.uniform(0.3, 2.5))
            except subprocess.TimeoutExpired:
                run.kill()
    assert piped(of(world)).returncode == 0
    with reading() as session:
        assert len(arrivals.letters(session)) == 1
