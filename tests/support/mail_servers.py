"""Real mail servers for tests, Dovecot and Postfix: their packages unpacked into a folder of ours, never installed.

Nothing of the system changes, and no server of it is in the way. Debian and its relatives alone have these packages.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

CACHE = (
    Path("/var/cache") if os.geteuid() == 0 else Path.home() / ".cache"
)  # servers run as others, who see no home of root
HOME = Path(os.environ.get("TEST_MAIL_SERVERS") or CACHE / "yestwice-tests" / "mail-servers")
PACKAGES = {
    "dovecot": "dovecot-core dovecot-imapd libexttextcat-2.0-0 liblua5.4-0 libstemmer0d libunwind8 libwrap0 libtirpc3 "
    "libsodium23 libcap2 libapparmor1",
    "postfix": "postfix libnsl2 libdb5.3 libicu72 libtirpc3 libsasl2-2",
}
PROGRAM = {"dovecot": "usr/sbin/dovecot", "postfix": "usr/lib/postfix/sbin/master"}


def root(server: str) -> Path:
    """Where the packages of a server are unpacked; they are fetched the first time."""
    folder = HOME / server
    if not (folder / PROGRAM[server]).exists():
        _fetch(server, folder)
    return folder


def _fetch(server: str, folder: Path) -> None:
    aside = folder.with_name(f".{server}.{os.getpid()}")
    aside.mkdir(parents=True)
    try:
        names = PACKAGES[server].split()
        _run("apt-get", "--quiet", "download", *(name for name in names if _exists(name)), cwd=aside)
        for package in aside.glob("*.deb"):
            _run("dpkg", "-x", str(package), str(aside), cwd=aside)
            package.unlink()
        if not folder.exists():
            aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _exists(package: str) -> bool:
    """Some library or other has another name in another release: then the system has the one it needs."""
    return subprocess.run(["apt-cache", "show", package], capture_output=True, check=False).returncode == 0


def _run(*command: str, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:3])} failed (apt-get update may help):\n{done.stderr}")


def environment(server: str) -> dict[str, str]:
    """Ours, with the libraries of the server's packages."""
    at = root(server)
    folders = [
        *at.glob("usr/lib/*-linux-gnu"),
        *at.glob("lib/*-linux-gnu"),
        at / "usr/lib/dovecot",
        at / "usr/lib/postfix",
    ]
    return os.environ | {
        "LD_LIBRARY_PATH": ":".join(str(folder) for folder in folders if folder.is_dir()),
        "LC_ALL": "C",
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--install", action="store_true", help="fetch them if they are not there")
    if parser.parse_args().install:
        for server in PACKAGES:
            root(server)
    missing = [name for name in PACKAGES if not (HOME / name / PROGRAM[name]).exists()]
    print(f"No {', '.join(missing)} here." if missing else HOME, file=sys.stderr if missing else sys.stdout)
    return bool(missing)


if __name__ == "__main__":
    sys.exit(main())
