"""Serving: `python app.py`, from the configuration to the way down."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from socket import socket

from flask import Flask

from subscriptions import logs, start
from subscriptions.jobs.jobs import JOBS, OF_MAILS, OF_WEB
from subscriptions.parts import current_parts
from subscriptions.serving import processes, server
from subscriptions.serving.front import Front
from subscriptions.settings import Settings
from subscriptions.settings.file import load


class Bell:
    """Rung by web processes, heard by the one for mails; several rings at once are one."""

    def __init__(self) -> None:
        self._heard, self._rung = os.pipe()
        os.set_blocking(self._rung, False)

    def ring(self) -> None:
        """Never waits: where the pipe is full, somebody is being woken already."""
        with suppress(BlockingIOError):
            os.write(self._rung, b"!")

    def wait(self) -> bytes:
        return os.read(self._heard, 4096)


def serve(create_app: Callable[[Settings], Flask]) -> None:
    """Run the server until SIGTERM; exits 1 with one sentence where it cannot start."""
    logs.setup()
    server.raise_file_limit()
    try:
        settings = load()
        listening = _listen(settings)
        app = create_app(settings)
        start.prepare(app)
    except start.REFUSALS as error:
        sys.exit(start.sentence(error))
    _greet(settings)
    if settings.server.workers == 1 and not settings.server.mail_process:
        _web_process(app, listening, start.Background(app))
    else:
        _several(app, listening)


def _listen(settings: Settings) -> socket:
    host, port = settings.server.host, settings.server.port
    try:
        return server.listen(host, port)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (")[0]
        sys.exit(f"Cannot serve on {host}, port {port} (host and port in [server]): {reason}.")


def _greet(settings: Settings) -> None:
    base, slug = settings.server.base_url.rstrip("/"), settings.lists[0].slug
    print(f"Yestwice serves {base}/  (sign-up page: {base}/subscribe/{slug})", file=sys.stderr)
    print(f"To put the form on your site: {base}/embed/{slug}", file=sys.stderr, flush=True)
    if settings.mail.transport == "mailbox":
        print(f"No mail leaves this machine: read it at {base}/mailbox", file=sys.stderr, flush=True)


def _several(app: Flask, listening: socket) -> None:
    """One process for each worker, and one for mails and jobs, unless each web process has its own."""
    settings = current_parts(app).settings.server
    start.close_connections(app)
    bell = Bell() if settings.mail_process else None
    jobs = OF_WEB if bell else JOBS

    def web() -> None:
        start.begin_anew(app)
        _web_process(app, listening, start.Background(app, jobs, bell.ring if bell else None))

    roles: dict[str, Callable[[], None]] = {f"web {n}": web for n in range(1, settings.workers + 1)}
    if bell:
        roles["mails"] = partial(_mail_process, app, listening, bell)
    processes.leave(processes.Supervisor(roles, stopping=listening.close).run())


def _web_process(app: Flask, listening: socket, background: start.Background) -> None:
    processes.hear()
    granian = server.Granian(Front(app), listening)
    background.start()
    status = granian.run()
    processes.leave_soon(status)
    background.stop()
    processes.leave(status)


def _mail_process(app: Flask, listening: socket, bell: Bell) -> None:
    """Mails and jobs until a signal: woken by the commit of a web process, and by its own look every few seconds."""
    signal.pthread_sigmask(signal.SIG_BLOCK, processes.SIGNALS)  # in every thread: the main one waits for them
    listening.close()
    start.begin_anew(app)
    background = start.Background(app, OF_MAILS)
    background.start()
    threading.Thread(target=_hear, args=[bell, background], name="bell", daemon=True).start()
    signal.sigwait(processes.SIGNALS)
    processes.leave_soon(0)
    background.stop()
    processes.leave(0)


def _hear(bell: Bell, background: start.Background) -> None:
    while bell.wait():
        background.wake()
