"""What cannot be undone shows whom and what it concerns, and asks; everything else never does."""

from collections.abc import Iterator

import click
import click.testing
import pytest
from click.testing import Result

from subscriptions.cli.menu import leaves
from tests.builders import ANNE, BART, CRIS, OFFERS, World
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE, each
from tests.test_audit import key, rows
from tests.test_commands import logging_as_it_was, run
from tests.test_contracts import everything

pytestmark = BY_DAY_ON_SQLITE

__all__ = ["logging_as_it_was"]
# Each, what it shows at once, and what it has to look up first.
ASKING = {
    f"erase {ANNE}": (ANNE, ["Newsletter: confirmed since 23 December 2026", "Offers: signed up on"]),
    f"suppressions add {ANNE} --scope all --reason x": (ANNE, ["Newsletter: confirmed since", "Offers: signed up"]),
    "abuse cancel --since 35d": ("2 sign-ups of 2 addresses", []),
    "jobs run purge --confirm": ("1 sign-up whose month is over, 0 ended subscriptions", []),
}


@pytest.fixture
def peopled(world: World) -> World:
    """Anne is subscribed and waits for another list; the month of Cris is over."""
    world.sign_up(CRIS)
    world.clock.forward(days=30)
    world.subscribe(ANNE)
    world.sign_up(ANNE, OFFERS)
    world.deliver()
    world.clock.forward(seconds=1)
    run(world, "jobs", "show")  # the first command notes how the database is used
    return world


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is typed comes from one."""
    monkeypatch.setattr(click.testing._NamedTextIOWrapper, "isatty", lambda self: True)
    yield


def asked(world: World, command: str, answer: str) -> Result:
    return world.app.test_cli_runner().invoke(args=command.split(), input=answer)


@each("command", ASKING)
def test_where_nobody_can_be_asked_nothing_is_changed_or_looked_up(peopled: World, command: str) -> None:
    before = everything()
    result = run(peopled, *command.split())
    assert (result.exit_code, result.stdout) == (2, "") and "Add --yes to go ahead." in result.stderr
    assert ASKING[command][0] in result.stderr
    assert everything() == before


@each("command", ASKING)
@each("answer", ["n\n", "\n", ""])
def test_no_or_no_answer_changes_nothing(peopled: World, terminal: None, command: str, answer: str) -> None:
    before = everything()
    result = asked(peopled, command, answer)
    at_once, looked_up = ASKING[command]
    assert (result.exit_code, result.stdout) == (1, "") and "Continue? [y/N]" in result.stderr
    assert [text for text in (at_once, *looked_up) if text not in result.stderr] == []
    after = everything()
    assert len(after.pop("audit")) - len(before.pop("audit")) == bool(looked_up)
    assert after == before


@pytest.mark.parametrize("command", ASKING)
def test_yes_goes_on_whether_typed_or_given(peopled: World, terminal: None, command: str) -> None:
    result = asked(peopled, command, "y\n")
    assert result.exit_code == 0 and "Continue?" in result.stderr
    again = asked(peopled, f"{command} --yes", "")
    assert "Continue?" not in again.stderr
    assert len(peopled.registrations()) < 3


def test_who_looks_and_does_not_go_on_has_looked(peopled: World, terminal: None) -> None:
    asked(peopled, f"erase {ANNE}", "n\n")
    assert [(row.act, row.about, row.details) for row in rows()] == [("erase", key(peopled, ANNE), {"asked": True})]


def test_nobody_is_asked_about_somebody_unknown(peopled: World, terminal: None) -> None:
    result = asked(peopled, f"erase {BART}", "y\n")
    assert result.exit_code == 1 and result.stderr.endswith("Error: Nothing is stored about this address.\n")
    assert "Continue?" not in result.stderr


@ONE_DATABASE
def test_no_other_command_of_today_asks(world: World) -> None:
    every = dict(row for name, command in world.app.cli.commands.items() for row in leaves(command, name))
    may_ask = {name for name, command in every.items() if {"yes"} & {one.name for one in command.params}}
    assert may_ask == {"erase", "suppressions add", "abuse cancel", "jobs run", "go-live", "import undo", "restore"}


def test_the_milder_acts_of_the_same_commands_ask_nobody(peopled: World) -> None:
    for command in (f"suppressions add {BART} --scope confirmations --reason x", "jobs run purge", "jobs run block",
                    "jobs run block --confirm"):  # fmt: skip
        assert run(peopled, *command.split()).exit_code == 0
