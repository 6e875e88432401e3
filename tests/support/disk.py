"""A disk that runs full and gets room again, beneath a server that runs."""

import os
import resource
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

SIZE = "16m"


class Disk(Protocol):
    """`folder` is where a server has its data; its processes may be named later."""

    folder: Path
    pids: Sequence[int]

    def fill(self) -> None: ...
    def empty(self) -> None: ...


class LimitedDisk:
    """The kernel refuses every write of these processes to a file beyond its first octets: needs no rights."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pids: Sequence[int] = ()

    def fill(self) -> None:
        self._limit(4096)

    def empty(self) -> None:
        self._limit(resource.RLIM_INFINITY)

    def _limit(self, octets: int) -> None:
        assert self.pids
        for pid in self.pids:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (octets, resource.RLIM_INFINITY))


class SmallDisk:
    """A file system of 16 MB, filled up by one large file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pids: Sequence[int] = ()

    def fill(self) -> None:
        with (self.folder / "ballast").open("wb", buffering=0) as ballast:
            try:
                while ballast.write(bytes(4096)):
                    pass
            except OSError:
                return

    def empty(self) -> None:
        (self.folder / "ballast").unlink()


def kinds() -> list[str]:
    """Those that this machine lets us have."""
    return ["limited", "small"] if os.geteuid() == 0 else ["limited"]


@contextmanager
def disk(kind: str, folder: Path) -> Iterator[Disk]:
    """Yields one; a small one is mounted at the folder, which only root may do."""
    folder.mkdir()
    if kind == "limited":
        yield LimitedDisk(folder)
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], check=True)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
