"""config.example.toml: every setting with its default and what it means; unchanged, it starts."""

import os
import re
import subprocess
import sys
import tomllib
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from urllib.request import urlopen

import pytest

from subscriptions.settings import ListSettings, Settings
from subscriptions.settings.file import SECTIONS, load
from tests.support.ports import LOOPBACK, free_port
from tests.support.server import until

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "config.example.toml"
TABLES = {**SECTIONS, "lists": ListSettings}


def written() -> dict[str, dict[str, object]]:
    data = tomllib.loads(EXAMPLE.read_text("utf-8"))
    (only,) = data["lists"]
    return data | {"lists": only}


def test_unchanged_it_says_what_holds_without_it() -> None:
    assert load({"SUBSCRIPTIONS_CONFIG": str(EXAMPLE)}, ROOT) == Settings(root=ROOT)


def test_every_section_stands_in_the_example_and_no_other() -> None:
    assert list(written()) == list(TABLES)


@pytest.mark.parametrize("section", TABLES)
def test_every_setting_stands_in_the_example_and_no_other(section: str) -> None:
    assert list(written()[section]) == [one.name for one in fields(TABLES[section])]


@pytest.mark.parametrize("section", TABLES)
def test_no_setting_goes_unexplained(section: str) -> None:
    text = re.split(rf"^\[+{section}\]+$", EXAMPLE.read_text("utf-8"), flags=re.M)[1].partition("\n[")[0]
    explained = re.findall(r"^#.+\n(?:#.+\n)*(?:\w+ = .+\n)+", text, re.M)
    assert sum(len(re.findall(r"^\w+ = ", one, re.M)) for one in explained) == len(fields(TABLES[section]))


@pytest.mark.parametrize("section", TABLES)
def test_every_setting_is_read_by_the_program(section: str) -> None:
    program = "\n".join(one.read_text("utf-8") for one in (ROOT / "subscriptions").rglob("*.py"))
    for one in fields(TABLES[section]):
        assert re.search(rf"\.{one.name}\b|\"{one.name}\"", program), one.name


@pytest.mark.slow
def test_unchanged_it_starts_and_serves(tmp_path: Path) -> None:
    """As `cp config.example.toml config.toml && python app.py`; data and port are the test's own."""
    port = free_port()
    own = {"CONFIG": str(EXAMPLE), "SERVER__DATA_DIR": str(tmp_path), "SERVER__PORT": str(port)}
    environ = os.environ | {f"SUBSCRIPTIONS_{name}": value for name, value in own.items()}
    with subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL) as run:
        until(lambda: answers(port) or run.poll() is not None)
        run.terminate()
    assert run.returncode == 0


def answers(port: int) -> bool:
    with suppress(OSError), urlopen(f"http://{LOOPBACK}:{port}/subscribe/newsletter") as page:
        return bool(page.status == 200)
    return False
