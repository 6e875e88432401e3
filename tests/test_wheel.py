"""`pip install yestwice`: the wheel has all that the program needs, and keeps its data in the current folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.first_reader import READER, first_export

HOME = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=HOME, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return next(folder.glob("yestwice-*.whl"))


def test_the_wheel_has_every_file_of_the_package_and_what_lies_beside_it(wheel: Path) -> None:
    listed = ["git", "ls-files", "subscriptions", "templates", "translations", "app.py"]
    kept = subprocess.run(listed, cwd=HOME, check=True, capture_output=True, text=True).stdout.split()
    inside = {f"subscriptions/{name.removeprefix('subscriptions/')}" for name in kept}
    assert inside - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_the_wheel_needs_what_is_pinned_in_the_requirements(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        named = next(name for name in opened.namelist() if name.endswith(".dist-info/METADATA"))
        needed = {line.split(": ")[1] for line in opened.read(named).decode().splitlines() if "Requires-Dist" in line}
    pinned = [line.split("#")[0].strip() for line in (HOME / "requirements.txt").read_text().splitlines()]
    assert len(needed) == len([line for line in pinned if line])
    assert all("==" in one for one in needed)


@pytest.mark.drill
def test_installed_it_serves_from_the_current_folder_to_the_first_confirmed_reader(wheel: Path, tmp_path: Path) -> None:
    (place := tmp_path / "installed").mkdir()
    (here := tmp_path / "here").mkdir()
    (here / "config.toml").write_text('[server]\ndata_dir = "kept"\n')
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--target", str(place)]
    subprocess.run([*pip, str(wheel)], check=True)
    below = os.pathsep.join([str(place), *(path for path in sys.path if path.endswith("site-packages"))])
    yestwice = [sys.executable, "-P", str(place / "bin" / "yestwice")]
    assert READER in first_export([*yestwice, "serve"], yestwice, here, PYTHONPATH=below)
    assert sorted(path.name for path in here.iterdir()) == ["config.toml", "kept", "log-of-the-service"]
    assert {"subscriptions.db", "pepper", "secret_key"} <= {path.name for path in (here / "kept").iterdir()}
