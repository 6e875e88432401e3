"""The README's ways to start, typed where there is nothing yet: drills, since they install everything.

That of the container is in test_container.py.
"""

import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.first_reader import READER, first_export, plain

pytestmark = [pytest.mark.drill, pytest.mark.timeout(900)]
HOME = Path(__file__).resolve().parents[1]


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """What a clone has: no environment, no configuration, no data."""
    listed = subprocess.run(["git", "ls-files"], cwd=HOME, check=True, capture_output=True, text=True).stdout
    for name in listed.splitlines():
        (tmp_path / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(HOME / name, tmp_path / "clone" / name)
    return tmp_path / "clone"


def printed(way: str) -> list[str]:
    """The lines of the README under that way."""
    text = (HOME / "README.md").read_text("utf-8").partition(f"**{way}**")[2]
    return re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)[0].splitlines()


def test_make_run_on_a_fresh_clone_leads_to_the_first_confirmed_reader(fresh: Path) -> None:
    assert printed("From this folder") == ["make run"]
    stopped = -signal.SIGTERM  # which make passes on, and dies of
    told = first_export(["make", "run"], [".venv/bin/yestwice"], fresh, ends=stopped, patience=600.0)
    assert READER in told


def test_a_wheel_in_a_new_environment_leads_to_the_first_confirmed_reader(fresh: Path, tmp_path: Path) -> None:
    *install, serve = printed("From a wheel")
    subprocess.run(["sh", "-euc", "\n".join(install)], cwd=fresh, env=plain(), check=True, capture_output=True)
    program, command = serve.split()
    (here := tmp_path / "elsewhere").mkdir()
    yestwice = [str(fresh / program)]
    assert READER in first_export([*yestwice, command], yestwice, here)
    assert {path.name for path in here.iterdir()} == {"log-of-the-service", "var"}
    assert (fresh / "yestwice-env/share/yestwice/config.example.toml").exists()
