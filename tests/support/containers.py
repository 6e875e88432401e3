"""A container engine for the drills: Docker where its daemon answers, else Podman, which needs none.

`python -m tests.support.containers --install` brings Podman from Debian, and what the pages about senders use. Where no
registry of images can be reached, the base image is made here: a minimal Debian of the same release, with its Python.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
DOCKERFILE = HOME / "deploy" / "Dockerfile"
BASE = re.findall(r"^ARG BASE=(\S+)", DOCKERFILE.read_text("utf-8"), re.M)[0]
DEBIAN = BASE.rpartition("-")[2]
IN_BASE = "python3,python3-pip,python3-venv,ca-certificates"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")  # a workplace may have some of its own
ENOUGH = 1024
DEBIANS = ["podman", "runc", "iptables", "debootstrap"]
OF_SENDERS = ["curl", "jq"]


class Engine:
    """The program, and what this machine makes necessary."""

    def __init__(self, folder: Path) -> None:
        self.is_docker = _answers("docker", "info")
        if not self.is_docker and not shutil.which("podman"):
            raise RuntimeError(
                "no container engine here: python -m tests.support.containers --install, or start Docker"
            )
        self._program = ["docker"] if self.is_docker else ["podman", *_runtime()]
        self._environment = os.environ | {"CONTAINERS_CONF": str(_written(folder / "containers.conf"))}

    def __call__(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        command = [*self._program, *arguments]
        done = subprocess.run(command, env=self._environment, cwd=HOME, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        return done

    def build(self, name: str, dockerfile: Path = DOCKERFILE, context: Path = HOME) -> str:
        """An image of that name; Docker's own format, since the other knows no HEALTHCHECK."""
        format_ = [] if self.is_docker else ["--format", "docker"]
        self("build", *format_, "--network", "host", "--file", str(dockerfile), "--tag", name, str(context))
        return name

    def run(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Without a health check of Podman's own, which wants systemd: the drill asks for health itself."""
        no_timer = [] if self.is_docker else ["--health-interval", "disable"]
        return self("run", *no_timer, "--network", "host", *arguments, check=check)

    def have_base(self) -> None:
        """The base image of the Dockerfile: here already, pulled, or made."""
        name = BASE if self.is_docker else f"docker.io/library/{BASE}"
        if self("image", "inspect", name, check=False).returncode and self("pull", name, check=False).returncode:
            with tempfile.TemporaryDirectory() as folder:
                archive = _debian(Path(folder))
                self("import", str(archive), name)


def _debian(folder: Path) -> Path:
    """An archive of a Debian whose Python is found where the official image has it."""
    root, archive = folder / "root", folder / "root.tar"
    subprocess.run(["debootstrap", "--variant=minbase", f"--include={IN_BASE}", DEBIAN, str(root)], check=True)
    for name in ("python", "python3"):
        (root / "usr/local/bin" / name).symlink_to("/usr/bin/python3")
    if CERTIFICATES.exists():
        shutil.copy(CERTIFICATES, root / "etc/ssl/certs")
    subprocess.run(["tar", "-C", str(root), "-cf", str(archive), "."], check=True)
    return archive


def _written(path: Path) -> Path:
    """Podman asks for more files and processes than a machine may allow."""
    path.write_text(f"[containers]\ndefault_ulimits = ['nofile={ENOUGH}:{ENOUGH}', 'nproc={ENOUGH}:{ENOUGH}']\n")
    return path


def _runtime() -> list[str]:
    return ["--runtime", "runc"] if shutil.which("runc") else []  # crun refuses cgroups of both versions


def _answers(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def main() -> int:
    missing = [name for name in OF_SENDERS if not shutil.which(name)]
    if not _answers("docker", "info") and not shutil.which("podman"):
        missing += DEBIANS
    if missing:
        subprocess.run(["apt-get", "update", "--quiet"], check=True)
        subprocess.run(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *missing], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
