"""What processes use, read from /proc; where there is none, nothing is measured and the report says so."""

import os
from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def _stat(pid: int) -> list[str]:
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def family(pid: int) -> list[int]:
    """A process and its children's children."""
    parents: dict[int, list[int]] = {}
    for one in PROC.iterdir():
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


def peak_rss(pids: Iterable[int]) -> float:
    """MiB, the sum of each one's peak."""
    total = 0
    for pid in pids:
        for line in (PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                total += int(line.split()[1])
    return total / 1024


def parent(pid: int) -> int:
    return int(_stat(pid)[1])
