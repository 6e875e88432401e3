"""`yestwice`: the same commands as `flask` has, in words of our own, from any folder."""

import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.cli import ScriptInfo

from subscriptions.__main__ import main, program
from subscriptions.cli.menu import EXAMPLES, SECTIONS, leaves
from subscriptions.store.engine import reading
from subscriptions.store.models import Audit
from tests.builders import ANNE, World
from tests.support.cases import ONE_DATABASE, each
from tests.test_commands import logging_as_it_was
from tests.test_commands_outside import environment

__all__ = ["logging_as_it_was"]
HOME = Path(__file__).resolve().parents[1]
EVERY = dict(row for name, command in program().commands.items() for row in leaves(command, name))
OURS = {name: command for name, command in EVERY.items() if not name.startswith("bench")}


def yestwice(*args: str, app: Flask | None = None) -> Result:
    def create() -> Flask:
        assert app is not None, "the configuration is asked for"
        return app

    return CliRunner().invoke(program(), args, prog_name="yestwice", obj=ScriptInfo(create_app=create))


def test_the_help_is_ours_names_every_command_and_cuts_nothing() -> None:
    text = yestwice("--help").stdout
    assert text.startswith("Usage: yestwice [OPTIONS] COMMAND") and "nobody is mailed who has not said yes" in text
    assert "..." not in text.partition("Options:")[2] and "Flask" not in text
    said = " ".join(text.split())
    for name, command in EVERY.items():
        assert re.search(rf"^  {name} ", text, re.M), name
        assert command.get_short_help_str(1000) in said
    assert [*re.findall(r"^(\S.*):$", text, re.M)] == ["Options", *SECTIONS]


def test_every_command_stands_in_one_section() -> None:
    listed = " ".join(SECTIONS.values()).split()
    assert sorted(listed) == sorted(program().commands)


def test_the_groups_of_commands_cut_nothing_either() -> None:
    said = " ".join(yestwice("suppressions", "--help").stdout.split())
    assert "the addresses are not stored)." in said


@each("name", OURS)
def test_every_command_has_an_example_that_is_right(name: str) -> None:
    words = shlex.split(EXAMPLES[name])
    assert " ".join(words).startswith(name.removesuffix(" file")) and EXAMPLES.keys() <= OURS.keys()
    given = words[len(name.removesuffix(" file").split()) :]  # `import FILE` needs no second word
    assert f"yestwice {EXAMPLES[name]}" in yestwice(*name.split(), "--help").stdout
    known = {option for one in EVERY[name].params for option in one.opts}
    assert {word for word in given if word.startswith("-")} <= known


@ONE_DATABASE
def test_a_command_runs_as_by_flask(world: World) -> None:
    by_flask = world.app.test_cli_runner().invoke(args=["lists", "show"]).stdout
    assert yestwice("lists", "show", app=world.app).stdout == by_flask
    assert yestwice("abuse", "cancel", "--since", "2h", "--yes", app=world.app).exit_code == 0
    world.sign_up(ANNE)
    yestwice("explain", ANNE, app=world.app)
    with reading() as session:
        assert [row.act for row in session.query(Audit)] == ["explain"]


@pytest.fixture
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What make puts into .venv/bin, in a copy of the project that is made of links."""
    project = tmp_path_factory.mktemp("a project")
    (project / ".venv" / "bin").mkdir(parents=True)
    for name in ("subscriptions", "app.py", "templates", "translations", "deploy"):
        (project / name).symlink_to(HOME / name)
    (project / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (project / ".venv" / "pyvenv.cfg").write_text(f"home = {Path(sys.base_prefix) / 'bin'}\n")
    shutil.copy(HOME / "deploy" / "yestwice", project / ".venv" / "bin")
    return project / ".venv" / "bin" / "yestwice"


def test_a_configuration_that_is_not_right_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBSCRIPTIONS_SERVER__PORT", "many")
    for command in ("lists show", "abuse cancel --since 2h", "migrate"):
        monkeypatch.setattr(sys, "argv", ["yestwice", *command.split()])
        with pytest.raises(SystemExit, match=r"^port in \[server\] .* must be a whole number, not 'many'\.$"):
            main()
    monkeypatch.setattr(sys, "argv", ["yestwice", "abuse", "cancel", "--help"])
    with pytest.raises(SystemExit, match="0"):
        main()


@ONE_DATABASE
def test_the_script_runs_anywhere_also_by_a_link_imports_nothing_from_there_and_asks_at_a_terminal(
    world: World, script: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "json.py").write_text("raise SystemExit('not from here')")
    (link := elsewhere / "yt").symlink_to(script)
    paths = os.pathsep.join(path for path in sys.path if path.endswith("site-packages"))
    world.sign_up(ANNE)
    ours, theirs = pty.openpty()
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    env = environment(world, PYTHONPATH=paths)
    with subprocess.Popen([str(link), "erase", ANNE], cwd=elsewhere, env=env, **streams) as one:  # type: ignore[call-overload]
        os.close(theirs)
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(ours, 4096)
        os.write(ours, b"n\n")
        assert one.wait(60) == 1
    os.close(ours)
    assert ANNE in shown.decode() and "Newsletter: signed up on" in shown.decode()
    assert len(world.registrations()) == 1
