"""The versions of the program that are measured: this one, and any commit, built in a folder of its own."""

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click

HOME = Path(__file__).resolve().parents[1]
LOCK = "requirements.lock"


@dataclass(frozen=True, slots=True)
class Version:
    """A folder with an app.py, and the interpreter that has what it needs."""

    name: str
    folder: Path
    python: str

    def environ(self, settings: dict[str, str]) -> dict[str, str]:
        """For a process of this version: nothing of ours or of the operator's configuration, these settings alone."""
        ours = ("SUBSCRIPTIONS_", "FLASK_", "PYTHON")
        environ = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return environ | {f"SUBSCRIPTIONS_{name}": value for name, value in settings.items()}


def this() -> Version:
    return Version("this", HOME, sys.executable)


def other(commit: str) -> Version:
    """That commit, as it was; kept in the user's cache for the next time."""
    whole = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}").decode().strip()
    folder = _cache() / whole
    if not folder.exists():
        _unpack(_git("archive", "--format=tar", whole), folder)
    return Version(whole[:7], folder, _python(folder))


def _git(*arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", HOME, *arguments], capture_output=True, check=False)  # noqa: S603, S607
    except FileNotFoundError:
        raise click.ClickException("--against needs git.") from None
    if done.returncode:
        raise click.ClickException("--against names no commit of this repository.")
    return done.stdout


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(home) / "yestwice-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _unpack(tar: bytes, folder: Path) -> None:
    half = Path(tempfile.mkdtemp(dir=folder.parent))
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        archive.extractall(half, filter="data")
    half.rename(folder)


def _python(folder: Path) -> str:
    """Our own interpreter where that version needs the same packages; else one with its packages."""
    lock = (folder / LOCK).read_bytes()
    if lock == (HOME / LOCK).read_bytes():
        return sys.executable
    venv = folder.parent / f"packages-{hashlib.sha256(lock).hexdigest()[:16]}"
    whole, python = venv / "whole", str(venv / "bin" / "python")
    if not whole.exists():
        click.echo(f"Installing the packages of {folder.name[:7]} …", err=True)
        shutil.rmtree(venv, ignore_errors=True)
        _run(sys.executable, "-m", "venv", str(venv))
        _run(python, "-m", "pip", "--quiet", "install", "--require-hashes", "-r", str(folder / LOCK))
        whole.touch()
    return python


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 – our own program
    if done.returncode:
        raise click.ClickException(f"The packages of the other version cannot be installed:\n{done.stderr.strip()}")
