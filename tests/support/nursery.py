"""A process that has imported the program, and forks those that the tests start: a start costs a tenth of an own one.

`python -m tests.support.nursery SOCKET` listens there. Each that connects says what to run, is told the id of the
process, and its status when it has ended. Such a process does what one of its own would do, but for the imports.
"""

import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
from contextlib import suppress
from typing import Any

import subscriptions

LATE = (  # what the program imports when it needs it
    "app", "flask.cli", "granian", "granian.cli", "granian.server.mp", "granian.server.mt", "alembic.command",
    "alembic.config", "alembic.ddl.postgresql", "alembic.ddl.sqlite", "flask_migrate", "psycopg", "pysqlite3",
    "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.pysqlite", "apscheduler.triggers.interval",
    "apscheduler.executors.pool", "apscheduler.jobstores.memory", "apscheduler.schedulers.background", "smtplib", "ssl",
    "werkzeug.serving", "werkzeug.debug", "runpy", "wsgiref.simple_server",
)  # fmt: skip
NOT_HERE = "subscriptions.store.migrations"  # Alembic loads those itself


def main(path: str) -> dict[str, Any]:
    """Fork as long as there is somebody who asks; comes back in each process that was forked, with what it is to do."""
    _import_everything()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(16)
        print("ready", flush=True)
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:  # it closes with those who ask
            line, _ = listener.accept()
            _bury()
            if os.fork() == 0:
                listener.close()
                return _fork_for(line)
            line.close()
    sys.exit()


def _bury() -> None:
    """Those that have waited for a process that has ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _import_everything() -> None:
    for found in pkgutil.walk_packages(subscriptions.__path__, "subscriptions."):
        if not found.name.startswith(NOT_HERE):
            importlib.import_module(found.name)
    for name in LATE:
        importlib.import_module(name)


def _fork_for(line: socket.socket) -> dict[str, Any]:
    """Wait for one process and tell its status; what is left of this process in the other comes back."""
    with line.makefile("r") as lines:
        wanted: dict[str, Any] = json.loads(lines.readline())
    pid = os.fork()
    if pid == 0:
        line.close()
        return wanted
    line.sendall(f"{pid}\n".encode())
    _end_with(line, pid)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    line.sendall(f"{status}\n".encode())
    os._exit(0)


def _end_with(line: socket.socket, pid: int) -> None:
    """Wait for its end, and kill it where whoever has asked for it is gone."""
    if hasattr(os, "pidfd_open"):  # elsewhere it outlives a run that is killed
        end = os.pidfd_open(pid)
        if line.fileno() in select.select([line.fileno(), end], [], [])[0]:
            os.kill(pid, signal.SIGKILL)
        os.close(end)


def become(wanted: dict[str, Any]) -> None:
    """A process of its own: its environment, its standard streams, its command line."""
    os.environ.clear()
    os.environ.update(wanted["env"])
    for number, (path, flags) in enumerate([(os.devnull, os.O_RDONLY), *((wanted[name], APPEND) for name in STREAMS)]):
        opened = os.open(path, flags, 0o644)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)


APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT
STREAMS = ("stdout", "stderr")


def run(argv: list[str]) -> None:
    """As Python runs its command line."""
    match argv:
        case ["-m", module, *rest]:
            sys.argv = [module, *rest]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case ["-c", code, *rest]:
            sys.argv = ["-c", *rest]
            exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102
        case [script, *rest]:
            sys.argv = [script, *rest]
            runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    _wanted = main(sys.argv[1])
    become(_wanted)
    run(_wanted["argv"])
