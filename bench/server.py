"""The server of a version, started by its own app.py with its settings in the environment alone."""

import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from bench.place import Place

PATIENCE = 60.0  # seconds, for a start and for an end


@dataclass(frozen=True, slots=True)
class Server:
    """One that answers."""

    port: int
    pid: int

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
            text: str = answer.read().decode()
            return text


@contextmanager
def served(place: Place, sink_port: int) -> Iterator[Server]:
    """The real server of that place, while it is needed."""
    port = free_port()
    command, folder = [place.version.python, "app.py"], place.version.folder
    environ = place.version.environ(settings(place, sink_port, port))
    with process(command, environ, folder, place.folder, port) as pid:
        server = Server(port, pid)
        _wait_healthy(server)
        yield server


def settings(place: Place, sink_port: int, port: int = 8000) -> dict[str, str]:
    """Limits on, mail on, no proof of work asked; behind one proxy that names each visitor."""
    empty = place.folder / "config.toml"
    empty.touch()
    found = {
        "CONFIG": str(empty),  # never the operator's own
        "DATABASE__URL": place.url,
        "SERVER__PORT": str(port), "SERVER__BASE_URL": f"http://127.0.0.1:{port}",
        "SERVER__DATA_DIR": str(place.folder),
        "SERVER__WORKERS": str(place.common.workers), "SERVER__TRUSTED_PROXIES": "1",
        "MAIL__TRANSPORT": "smtp", "MAIL__HOST": "127.0.0.1", "MAIL__PORT": str(sink_port),
        "ABUSE__PROOF_OF_WORK": "off",
        "ABUSE__FILL_SECONDS": "0",  # the load fills forms faster than people do
        "ABUSE__HINTS": "false",  # the visitors' domains are made up: no name server need hear of them
    }  # fmt: skip
    if place.common.connections:
        found["MAIL__CONNECTIONS"] = str(place.common.connections)
    return found


@contextmanager
def process(command: list[str], environ: dict[str, str], home: Path, folder: Path, port: int) -> Iterator[int]:
    """A server process, from when it listens; what it says goes into a file, which never fills up as a pipe does."""
    log = folder / f"errors-{port}"
    with log.open("wb") as errors:
        started = subprocess.Popen(  # noqa: S603 – our own program
            command, env=environ, cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors
        )
    try:
        _wait_listening(started, port, log)
        yield started.pid
    finally:
        started.terminate()
        try:
            started.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def _wait_listening(started: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    for _ in range(round(PATIENCE / 0.05)):
        if started.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise click.ClickException(f"The server does not start:\n{log.read_text().strip()}")


def _wait_healthy(server: Server) -> None:
    for _ in range(round(PATIENCE / 0.1)):
        try:
            server.get("/healthz")
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise click.ClickException("The server does not answer.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
