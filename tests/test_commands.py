"""Every command of interface.md: its result on stdout alone, its status, what it stores."""

import csv
import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from subscriptions.jobs import lease
from subscriptions.jobs.jobs import NAMED
from subscriptions.settings import Mail
from subscriptions.store import tokens
from subscriptions.store.engine import reading
from tests.builders import ANNE, BART, NEWS, OFFERS, Movable, World
from tests.support.cases import ONE_DATABASE, each
from tests.support.relay import Relay

COMMANDS = """
lists show|lists archive|lists restore|lists take-over|tokens create|tokens show|tokens revoke|export
import file|import show|import undo|import resume
unsubscribe|erase|explain|suppressions show|suppressions add|suppressions lift|jobs run|jobs show|mail test
mail preview|mail lint|migrate|bench signup|bench export|bench mail|proof|abuse show|abuse cancel
backup|restore|abuse refresh|audit show|lists create|lists edit|lists wording|policy show|policy fetch|evidence verify
evidence head|record show|hold add|hold show|hold lift|retention show|requests show|doctor
"""
EACH = [command.split() for command in COMMANDS.replace("\n", "|").split("|") if command]


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Commands send the log of their process to stderr."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def run(world: World, *args: str) -> Result:
    return world.app.test_cli_runner().invoke(args=list(args))


def good(world: World, *args: str) -> str:
    result = run(world, *args)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def refused(world: World, *args: str) -> str:
    """The one sentence of a command that could not do what it was told."""
    result = run(world, *args)
    assert (result.exit_code, result.stdout) == (1, "")
    assert len(result.stderr.strip().splitlines()) == 1
    return result.stderr


def columns(text: str) -> list[list[str]]:
    return [re.split(r" {2,}", line) for line in text.splitlines()]


@ONE_DATABASE
@each("command", EACH)
def test_every_command_says_what_it_is_for(world: World, command: list[str]) -> None:
    text = good(world, *command, "--help")
    assert text.startswith("Usage:")
    assert re.search(r"\n\n  [A-Z]\S* .{15,}", text), "no sentence on what it does"


BAD_USAGE = """
lists|tokens create|tokens create x --scope all|export|export newsletter --format xml|unsubscribe anne@example.org
unsubscribe nobody --channel email|unsubscribe anne@example.org --channel pigeon|erase|erase nobody|explain a@b@c
suppressions add anne@example.org --scope all|suppressions lift anne@example.org|jobs run sleep|jobs run|mail test
mail test nobody|proof anne@example.org --list newsletter|unsubscribe anne@example.org --channel email --received soon
unsubscribe anne@example.org --channel email --received 2999-01-01T00:00:00Z|nonsense
"""


@ONE_DATABASE
@each("line", [one for one in BAD_USAGE.replace("\n", "|").split("|") if one])
def test_bad_usage_is_status_2_and_nothing_on_stdout(world: World, line: str) -> None:
    result = run(world, *line.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


REFUSALS = """
export nowhere|unsubscribe anne@example.org --channel email --list nowhere|erase anne@example.org --yes
suppressions lift anne@example.org --reason x|tokens revoke nobody
"""


@each("line", [one for one in REFUSALS.replace("\n", "|").split("|") if one])
def test_what_cannot_be_done_is_status_1_and_one_sentence_on_stderr(world: World, line: str) -> None:
    assert refused(world, *line.split()).endswith(".\n")


def test_lists_show_tells_every_list_and_its_counts(world: World) -> None:
    world.sign_up(ANNE)
    world.subscribe(BART, OFFERS)
    assert columns(good(world, "lists", "show")) == [
        ["list", "name", "pending", "blocked", "confirmed", "unsubscribed", "bounced"],
        ["newsletter", "Newsletter", "1", "0", "0", "0", "0"],
        ["offers", "Offers", "0", "0", "1", "0", "0"],
        ["hidden", "Hidden", "0", "0", "0", "0", "0"],
    ]


def test_a_token_stands_alone_on_the_last_line_and_works(world: World) -> None:
    result = run(world, "tokens", "create", "the campaign tool", "--scope", "export")
    (token,) = result.stdout.splitlines()
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, token)
    header = {"Authorization": f"Bearer {token}"}
    assert world.get(f"/api/v1/lists/{NEWS}/export", headers=header).status_code == 200
    assert world.get("/api/v1/lists", headers=header).status_code == 403
    with reading() as session:
        assert token not in str([(one.hash, one.name) for one in tokens.all_of(session)])


def test_a_revoked_token_works_no_more_and_its_name_is_not_given_again(world: World) -> None:
    token = run(world, "tokens", "create", "tool", "--scope", "read").stdout.strip()
    good(world, "tokens", "revoke", "tool")
    assert world.get("/api/v1/lists", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert "tool" in refused(world, "tokens", "create", "tool", "--scope", "read")
    assert "tool" in refused(world, "tokens", "revoke", "tool")


def test_tokens_show_tells_names_and_never_a_token(world: World) -> None:
    token = run(world, "tokens", "create", "tool", "--scope", "read").stdout.strip()
    text = good(world, "tokens", "show")
    assert columns(text)[1] == ["tool", "read", "2026-11-23T12:00:00Z", "never", "-"]
    assert token not in text


def test_an_export_is_the_stream_of_the_api_byte_for_byte(world: World) -> None:
    world.subscribe(BART, name="Bärt „B“")
    token = run(world, "tokens", "create", "tool", "--scope", "export").stdout.strip()
    for kind in ("csv", "jsonl"):
        path = f"/api/v1/lists/{NEWS}/export?format={kind}"
        served = world.get(path, headers={"Authorization": f"Bearer {token}"}).data
        assert run(world, "export", NEWS, "--format", kind).stdout_bytes == served


def test_an_export_is_csv_by_default_and_its_links_work(world: World) -> None:
    world.subscribe(BART)
    (row,) = csv.DictReader(io.StringIO(good(world, "export", NEWS)))
    assert row["email"] == BART
    assert world.post(row["unsubscribe_url"]).status_code == 200
    assert [one.state for one in world.subscriptions()] == ["unsubscribed"]


def test_an_export_into_a_file_leaves_stdout_empty(world: World, tmp_path: Path) -> None:
    world.subscribe(BART, name="Bärt")
    file = tmp_path / "list.jsonl"
    assert good(world, "export", NEWS, "--format", "jsonl", "-o", str(file)) == ""
    (line,) = file.read_text("utf-8").splitlines()
    assert json.loads(line)["name"] == "Bärt"


def test_an_export_that_cannot_be_written_says_so(world: World, tmp_path: Path) -> None:
    assert "could not be written" in refused(world, "export", NEWS, "-o", str(tmp_path / "no folder" / "list.csv"))


def test_erase_tells_what_stays_and_until_when(world: World) -> None:
    world.subscribe(ANNE)
    text = good(world, "erase", ANNE, "--yes")
    assert "Erased" in text and "1 January 2030" in text
    assert [one.address for one in world.subscriptions()] == [None]


def test_erase_with_the_relay_down_says_that_it_waits(make_app: Callable[..., Flask], clock: Movable) -> None:
    relay = Relay()
    app = make_app(mail=Mail("smtp", relay.host, relay.port))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        world.sign_up(ANNE)
        result = run(world, "erase", ANNE, "--yes")
        assert (result.exit_code, "within an hour" in result.stdout) == (0, True), result.output
        assert "the mail queue is paused" in result.stderr
        assert len(world.registrations()) == 1


@pytest.mark.parametrize(("job", "days"), [("block", 1), ("purge", 30)])
def test_jobs_run_prints_its_count_alone(world: World, job: str, days: int) -> None:
    world.sign_up(ANNE)
    world.sign_up(BART)
    world.clock.forward(days=days)
    assert good(world, "jobs", "run", job) == "2\n"
    assert good(world, "jobs", "run", job) == "0\n"


def test_jobs_run_deliver_sends_what_is_owed(world: World) -> None:
    world.sign_up(ANNE)
    assert good(world, "jobs", "run", "deliver") == "1\n"


def test_after_400_days_the_purge_waits_for_confirm(world: World) -> None:
    world.sign_up(ANNE)
    lease.run(replace(NAMED["purge"], work=lambda run: 0), world.parts)
    world.clock.forward(days=401)
    assert "--confirm" in refused(world, "jobs", "run", "purge")
    assert good(world, "jobs", "run", "purge", "--confirm", "--yes") == "1\n"


def test_jobs_show_tells_last_and_next(world: World) -> None:
    world.clock.forward(minutes=10)
    good(world, "jobs", "run", "purge")
    head, *rows = columns(good(world, "jobs", "show"))
    (purge,) = [dict(zip(head, row, strict=True)) for row in rows if row[0] == "purge"]
    assert (purge["last successful run"], purge["next"]) == ("2026-11-23T12:10:00Z", "2026-11-23T13:07:00Z")
    assert {row[0] for row in rows} == {
        "block", "purge", "deliver", "tidy", "seal", "numbers", "policies", "imports", "requests", "watch", "inbound",
    }  # fmt: skip


def test_migrate_says_the_version(world: World) -> None:
    assert re.fullmatch(r"The schema was up to date \(\d{4}\)\.\n", good(world, "migrate"))
