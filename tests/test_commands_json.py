"""Commands that print rows print them as JSON too: an array of objects, with names and times that programs know."""

import ast
import json
import re
import zlib
from pathlib import Path

import click

from subscriptions.actions import requests
from subscriptions.actions.requests import Asked
from subscriptions.cli import commands
from subscriptions.cli.menu import leaves
from subscriptions.domain.evidence import Channel
from subscriptions.domain.requests import RequestKind
from subscriptions.store import list_changes, policies
from subscriptions.store.audit import Act
from subscriptions.store.engine import transaction
from subscriptions.store.models import ActorKind
from tests.builders import ANNE, BART, World
from tests.conftest import ManualClock
from tests.imports import bring, lines, proved
from tests.test_commands import logging_as_it_was, run

__all__ = ["logging_as_it_was"]
CLI = Path(__file__).resolve().parents[1] / "subscriptions" / "cli"
PRINTS_ROWS = {"print_rows", "_print_table"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def printing_rows() -> set[str]:
    """The functions of commands that print rows."""
    found = set()
    for path in CLI.glob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.decorator_list:
                named = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
                found |= {f"subscriptions.cli.{path.stem}.{node.name}"} if named & PRINTS_ROWS else set()
    return found


def leaf_commands() -> dict[str, click.Command]:
    every = (leaves(command, name) for name, command in commands().items() if name != "bench")
    return {name: command for some in every for name, command in some}


def test_every_command_that_prints_rows_takes_json_and_its_help_says_so() -> None:
    told = {}
    for name, command in leaf_commands().items():
        whole = getattr(command.callback, "__wrapped__", command.callback)
        while hasattr(whole, "__wrapped__"):
            whole = whole.__wrapped__
        told[f"{whole.__module__}.{whole.__name__}"] = (name, command)
    rows = printing_rows()
    assert len(rows) >= 7 and rows <= told.keys()
    lacking = [told[one][0] for one in rows if not any("--json" in option.opts for option in told[one][1].params)]
    assert lacking == []


def test_a_table_is_printed_by_what_prints_json_as_well() -> None:
    trees = {path.name: ast.parse(path.read_text("utf-8")) for path in CLI.glob("*.py")}
    calls = [name for name, tree in trees.items() for node in ast.walk(tree)
             if isinstance(node, ast.Call) and ast.unparse(node.func) == "table"]  # fmt: skip
    assert sorted(calls) == ["__init__.py", "audit.py"]


def test_json_is_an_array_of_objects_with_names_in_snake_case_and_times_in_utc(
    world: World, clock: ManualClock, tmp_path: Path
) -> None:
    world.subscribe(ANNE)
    world.sign_up(BART)
    clock.forward(seconds=1)
    run(world, "abuse", "cancel", "--since", "2h", "--yes")
    run(world, "tokens", "create", "tool", "--scope", "read")
    run(world, "accounts", "invite", "ola@example.org", "--role", "viewer")
    run(world, "suppressions", "add", ANNE, "--scope", "confirmations", "--reason", "asked")
    with transaction() as session:
        row = world.parts.catalogue.configured[0]
        policies.keep(session, row, "en", "https://example.org/privacy", "Ours.", zlib.compress(b"Ours."), clock.now())
        list_changes.note_version(session)
    act = Act(clock.now(), ActorKind.COMMAND, "root", "requests enter")
    requests.enter(Asked(RequestKind.ACCESS, Channel.LETTER, "What do you know?", identity="called"), act.at, act)
    run(world, "hold", "add", ANNE, "--reason", "a dispute", "--review", "2027-03-01")
    bring(world, tmp_path, lines([proved("cris@example.org")]))
    shows = [name for name in leaf_commands() if name.endswith(" show")]
    assert len(shows) >= 7
    for name in shows:
        result = run(world, *name.split(), "--json")
        assert (result.exit_code, result.stderr) == (0, ""), name
        rows = json.loads(result.stdout)
        assert isinstance(rows, list) and rows, name
        for row in rows:
            assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", key) for key in row), name
            times = [value for key, value in row.items() if key == "at" or key.endswith("_at")]
            assert all(value is None or TIME.fullmatch(value) for value in times), name


def test_of_the_same_rows_the_table_has_words_and_json_has_null(world: World) -> None:
    run(world, "tokens", "create", "tool", "--scope", "read")
    assert re.search(r"tool +read +2026-11-23T12:00:00Z +never +-", run(world, "tokens", "show").stdout)
    [row] = json.loads(run(world, "tokens", "show", "--json").stdout)
    assert row == {"name": "tool", "scope": "read", "made_at": "2026-11-23T12:00:00Z", "used_at": None,
                   "revoked_at": None}  # fmt: skip
