"""A server of the tests ends with whoever has started it, however that ends.

Its owner holds a lock on a file in the server's folder; `python lifeline.py FOLDER` waits until it is free.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

OWNER = "owner"
PREFIX = "postgres-"
SECONDS = 10  # for a server to end


class Lifeline:
    """Holds a folder as long as this process lives, or until it lets go."""

    def __init__(self, folder: Path) -> None:
        self._lock = (folder / "new").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        (folder / "new").rename(folder / OWNER)  # whoever looks for orphans finds it held
        # in a session of its own: what ends all of this run does not end it
        self._watcher = subprocess.Popen([sys.executable, __file__, folder], start_new_session=True)

    def let_go(self) -> None:
        """The server is ended, its folder removed."""
        with self._lock:
            fcntl.flock(self._lock, fcntl.LOCK_UN)
            self._watcher.wait()


def end_orphans(where: Path) -> None:
    """End what is left there of runs that are dead; what somebody holds is left alone."""
    for owner in where.glob(f"{PREFIX}*/{OWNER}"):
        with suppress(OSError), owner.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _end(owner.parent)


def _end(folder: Path) -> None:
    pid_file = folder / "data" / "postmaster.pid"
    with suppress(OSError, ValueError):
        pid = int(pid_file.read_text().split("\n")[0])
        if str(folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():  # the number may be another's by now
            os.kill(pid, signal.SIGQUIT)
            over_at, pause = time.monotonic() + SECONDS, threading.Event()
            while pid_file.exists() and time.monotonic() < over_at:
                pause.wait(0.05)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _folder = Path(sys.argv[1])
    with suppress(FileNotFoundError), (_folder / OWNER).open() as _lock:
        fcntl.flock(_lock, fcntl.LOCK_EX)
        _end(_folder)
