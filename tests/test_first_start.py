"""`make run` where there is nothing yet: a drill, since it installs everything."""

import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.first_reader import READER, confirms, plain, serving
from tests.support.ports import LOOPBACK, free_port

HOME = Path(__file__).resolve().parents[1]


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """What a clone has: no environment, no configuration, no data."""
    listed = subprocess.run(["git", "ls-files"], cwd=HOME, check=True, capture_output=True, text=True).stdout
    for name in listed.splitlines():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(HOME / name, tmp_path / name)
    return tmp_path


@pytest.mark.drill
@pytest.mark.timeout(600)
def test_make_run_on_a_fresh_clone_leads_to_the_first_confirmed_reader(fresh: Path) -> None:
    port = free_port()
    env = plain(SUBSCRIPTIONS_SERVER__PORT=str(port))
    stopped = -signal.SIGTERM  # which make passes on, and dies of
    with serving(["make", "run"], fresh, f"http://{LOOPBACK}:{port}", env, patience=500.0, ends=stopped):
        assert "You are subscribed" in confirms(f"http://{LOOPBACK}:{port}")
    export = [".venv/bin/yestwice", "export", "newsletter", "--format", "csv"]
    assert READER in subprocess.run(export, cwd=fresh, env=env, check=True, capture_output=True, text=True).stdout
