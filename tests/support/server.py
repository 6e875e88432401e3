"""The real server as a process of its own: started, asked, stopped, killed."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.support.forked import Process, fork
from tests.support.ports import LOOPBACK, free_port
from tests.support.relay import Relay

HOME = Path(__file__).resolve().parents[2]
PYTHON_APP = (sys.executable, "app.py")
PATIENCE = 30.0


def flask(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "flask", *arguments)


def until(condition: Callable[[], bool], timeout: float = PATIENCE, every: float = 0.02) -> None:
    """Returns once the condition holds; raises TimeoutError."""
    pause = threading.Event()
    for _ in range(round(timeout / every)):
        if condition():
            return
        pause.wait(every)
    raise TimeoutError("the condition did not come true")


class Server:
    """A server in its own folder, on the database of that URL; settings of the environment by SECTION__KEY.

    It is forked from a process that has imported the program; `alone`, it is started as people start it.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        *,
        command: tuple[str, ...] = PYTHON_APP,
        relay: Relay | None = None,
        alone: bool = False,
        **environment: str | None,
    ) -> None:
        self.port = free_port()
        self.command = tuple(part.format(port=self.port) for part in command)
        self._alone = alone
        wanted = _environment(folder, url, self.port, relay) | environment
        self._environment = _outside() | {f"SUBSCRIPTIONS_{name}": value for name, value in wanted.items() if value}
        self._process: Process | None = None
        self._output, self._errors = folder / f"out-{self.port}", folder / f"err-{self.port}"

    @property
    def base_url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def process(self) -> Process:
        assert self._process is not None, "start it first"
        return self._process

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def log(self) -> str:
        return self._output.read_text()

    @property
    def errors(self) -> str:
        return self._errors.read_text()

    @property
    def children(self) -> list[int]:
        """The worker processes."""
        with contextlib.suppress(FileNotFoundError):
            text = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
            return [int(one) for one in text.split()]
        return []

    # Its life

    def launch(self) -> Self:
        """Start it without waiting."""
        start = _start if self._alone else fork
        self._process = start(self.command, self._environment, self._output, self._errors)
        return self

    def start(self) -> Self:
        return self.launch().wait_ready()

    def wait_ready(self) -> Self:
        until(self._answers)
        return self

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"it ended with {self.process.returncode}: {self.errors}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.get("/healthz") == 200
        return False

    def stop(self) -> int:
        """Ask it to end (SIGTERM), and wait; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End it without a warning, its workers too."""
        doomed = [*self.children, self.pid]
        for pid in doomed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        return self.process.wait(PATIENCE)

    def __enter__(self) -> Self:
        return self.start() if self._process is None else self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    # What it is asked

    def get(self, path: str) -> int:
        return self.ask("GET", path)[0]

    def ask(
        self, method: str, path: str, body: str | None = None, kind: str = "application/json"
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers (small letters) and body of one request on a connection of its own."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, {"Content-Type": kind} if body else {})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
        finally:
            connection.close()


def _start(command: tuple[str, ...], environment: dict[str, str], output: Path, errors: Path) -> Process:
    with output.open("ab") as out, errors.open("ab") as err:
        return subprocess.Popen(command, cwd=HOME, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err)


def is_alive(pid: int) -> bool:
    """Whether it runs; one that has ended and that nobody has asked about yet does not."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    return False


def _environment(folder: Path, url: str, port: int, relay: Relay | None) -> dict[str, str]:
    """What every server is told, without the prefix."""
    ours = {
        "SERVER__PORT": str(port),
        "SERVER__DATA_DIR": str(folder),
        "SERVER__JOURNAL": str(folder / "journal"),
        "SERVER__PEPPER": "a pepper of the tests",
        "SERVER__SECRET_KEYS": '["a secret key of the tests"]',
        "DATABASE__URL": url,
        "LIMITS__SIGNUPS_PER_NETWORK": '""',
        "ABUSE__FILL_SECONDS": "0",  # a driven browser types faster than people do, which would be suspicious
        "LISTS": '[{slug = "newsletter"}, {slug = "offers", name = "Offers"}]',
    }
    if relay is not None:
        ours |= {"MAIL__TRANSPORT": "smtp", "MAIL__HOST": relay.host, "MAIL__PORT": str(relay.port)}
    return ours


def _outside() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("SUBSCRIPTIONS_", "FLASK_"))}
