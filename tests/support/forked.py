"""Processes that are forked from one that has imported the program, in place of a start of their own."""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from functools import cache
from json import dumps
from pathlib import Path
from typing import Protocol

HOME = Path(__file__).resolve().parents[2]


class Process(Protocol):
    """What a test asks of a process, whoever its parent is."""

    pid: int

    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...


class Forked:
    """A child of the nursery, which tells how it has ended."""

    def __init__(self, line: socket.socket) -> None:
        self._line, self._lines = line, line.makefile("r")
        self.pid = int(self._lines.readline())
        self.returncode: int | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._listen, name=f"end of {self.pid}", daemon=True).start()

    def _listen(self) -> None:
        with self._line, self._lines:
            self.returncode = int(self._lines.readline() or -signal.SIGKILL)
        self._ended.set()

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, sig: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, sig)


def fork(command: Sequence[str], environment: dict[str, str], output: Path, errors: Path) -> Forked:
    """What Popen would start with a command of our Python, in the folder of the program and with nothing to read."""
    assert command[0] == sys.executable, "the nursery runs nothing else"
    wanted = {"argv": list(command[1:]), "env": environment, "stdout": str(output), "stderr": str(errors)}
    line = socket.socket(socket.AF_UNIX)
    line.connect(_nursery())
    line.sendall(dumps(wanted).encode() + b"\n")
    return Forked(line)


def ran(
    command: Sequence[str], environment: dict[str, str], folder: Path, stderr: str | None = None
) -> "subprocess.CompletedProcess[str]":
    """What became of a command that has ended by itself; `stderr`: the terminal where that goes."""
    streams = folder / "ran-out", folder / "ran-err"
    for stream in streams:
        stream.write_bytes(b"")
    status = fork(command, environment, streams[0], Path(stderr) if stderr else streams[1]).wait(60)
    return subprocess.CompletedProcess(command, status, *(stream.read_text() for stream in streams))


@cache
def _nursery() -> str:
    """The socket of one for the whole test run, started at the first use."""
    folder = tempfile.mkdtemp(prefix="nursery-")
    path = f"{folder}/socket"
    command = [sys.executable, "-m", "tests.support.nursery", path]
    process = subprocess.Popen(command, cwd=HOME, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    if process.stdout.readline() != b"ready\n":
        raise RuntimeError("the nursery does not start")
    atexit.register(_end, process, folder)
    return path


def _end(process: "subprocess.Popen[bytes]", folder: str) -> None:
    process.communicate()
    shutil.rmtree(folder, ignore_errors=True)
