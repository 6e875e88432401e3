"""Serving: `python app.py`, from the configuration to the way down."""

import sys
from collections.abc import Callable
from functools import partial
from socket import socket

from flask import Flask

from subscriptions import logs, start
from subscriptions.jobs.jobs import JOBS, OF_WEB
from subscriptions.parts import current_parts
from subscriptions.serving import server, signals
from subscriptions.serving.front import Front
from subscriptions.serving.mails import Bell, mail_process
from subscriptions.serving.supervisor import Supervisor
from subscriptions.settings import Settings
from subscriptions.settings.file import load


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
        roles["mails"] = partial(mail_process, app, listening, bell)
    signals.leave(Supervisor(roles, stopping=listening.close).run())


def _web_process(app: Flask, listening: socket, background: start.Background) -> None:
    signals.hear()
    granian = server.Granian(Front(app), listening)
    background.start()
    status = granian.run()
    signals.leave_soon(status)
    background.stop()
    signals.leave(status)
