"""What processes use, read from /proc; where there is none, nothing is measured and the report says so."""

import os
import re
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import sqlalchemy as sa

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
LOOKS_EVERY = 0.5  # seconds, at the memory


def _stat(pid: int) -> list[str]:
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def family(pid: int) -> list[int]:
    """A process and its children's children."""
    parents: dict[int, list[int]] = {}
    for one in PROC.iterdir() if PROC.is_dir() else ():
        if one.name.isdigit():
            try:
                parents.setdefault(int(_stat(int(one.name))[1]), []).append(int(one.name))
            except OSError:
                continue
    found, queue = [], [pid]
    while queue:
        found.append(queue.pop())
        queue += parents.get(found[-1], [])
    return found


def seconds(pids: Iterable[int]) -> float:
    """Processor time of processes, and of their children that have ended."""
    total = 0
    for pid in pids:
        try:
            total += sum(int(value) for value in _stat(pid)[11:15])
        except OSError:
            continue
    return total / TICKS


def _mebibytes(pids: Iterable[int], file: str, name: str) -> float:
    total = 0
    for pid in pids:
        try:
            found = re.search(rf"^{name}:\s+(\d+) kB", (PROC / str(pid) / file).read_text(), re.M)
        except OSError:
            continue
        total += int(found[1]) if found else 0
    return total / 1024


def _whole() -> list[float]:
    """Seconds that the processors of this machine have had, and those that they worked or were taken by its host."""
    if not PROC.is_dir():
        return [0.0, 0.0]
    each = [int(value) / TICKS for value in (PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]]
    return [sum(each), sum(each) - each[3] - each[4]]  # less idle, less waiting for a disk


def postmaster(engine: sa.Engine) -> int | None:
    """The process of PostgreSQL, when it runs here and may be looked at."""
    if engine.dialect.name != "postgresql":
        return None
    with engine.connect() as connection:
        backend = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
    try:
        return int(_stat(backend)[1]) if "postgres" in (PROC / str(backend) / "comm").read_text() else None
    except OSError:
        return None


class Watch:
    """Processor seconds of processes and their children between `with` and its end; the memory of the first at most."""

    def __init__(self, server: int, **others: int | None) -> None:
        self._pids: dict[str, int | None] = {"server": server, "bench": os.getpid(), "database": None, **others}
        self._server, self.rss, self.pss = server, 0.0, 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._whole = _whole()
        self._before = self._seconds()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._after = self._seconds()
        self._whole = [late - early for early, late in zip(self._whole, _whole(), strict=True)]
        self._over.set()
        self._thread.join()

    def used(self, name: str) -> float | None:
        before, after = self._before[name], self._after[name]
        return None if before is None or after is None else after - before

    @property
    def others(self) -> float | None:
        """Per cent of the machine that somebody else used meanwhile: how much the other figures can be trusted."""
        there, busy = self._whole
        ours = (self.used("bench") or 0.0) + (self.used("database") or 0.0)
        return 100 * max(0.0, busy - ours) / there if there else None

    def _seconds(self) -> dict[str, float | None]:
        there = PROC.is_dir()
        return {name: seconds(family(pid)) if pid and there else None for name, pid in self._pids.items()}

    def _look(self) -> None:
        """`pss` shares what processes share; `rss` counts it for each, and knows also the moments between two looks."""
        ended = False
        while not ended:
            ended = self._over.wait(LOOKS_EVERY)
            pids = family(self._server)
            self.pss = max(self.pss, _mebibytes(pids, "smaps_rollup", "Pss"))
            self.rss = max(self.rss, _mebibytes(pids, "status", "VmHWM"))
