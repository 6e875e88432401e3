"""Serving: `python app.py`, from the configuration to the way down."""

import signal
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from socket import AF_UNIX, SOCK_SEQPACKET, recv_fds, send_fds, socket, socketpair

from flask import Flask

from subscriptions import logs, start
from subscriptions.jobs.jobs import JOBS, OF_MAILS, OF_WEB, Job
from subscriptions.parts import current_parts
from subscriptions.serving import processes, server, streams
from subscriptions.serving.front import Front
from subscriptions.settings import Settings
from subscriptions.settings.file import load


class Bell:
    """Rung by web processes, heard by the one for mails; who wants a stream made hands the end of a line over."""

    def __init__(self) -> None:
        self._heard, self._rung = socketpair(AF_UNIX, SOCK_SEQPACKET)
        self._rung.setblocking(False)

    def ring(self, *ends: int) -> None:
        """Never waits: where there is no room, somebody is being woken already, and streams are made without."""
        with suppress(BlockingIOError):
            if ends:
                send_fds(self._rung, [b"!"], ends)
            else:  # after each commit: in a third of the time
                self._rung.send(b"!")

    def wait(self) -> list[int]:
        """Until it rings; the ends that were handed over with that."""
        return recv_fds(self._heard, 1, 1)[1]


def serve(create_app: Callable[[Settings], Flask]) -> None:
    """Run the server until SIGTERM; exits 1 with one sentence where it cannot start."""
    logs.setup()
    server.raise_file_limit()
    try:
        settings = load()
        listening = _listen(settings)
        app = create_app(settings)
        start.serve(app)
    except start.REFUSALS as error:
        sys.exit(start.sentence(error))
    _greet(settings, current_parts(app).catalogue.configured[0].slug)
    if settings.server.workers == 1 and not settings.server.mail_process:
        _web_process(app, listening, JOBS)
    else:
        _several(app, listening)


def _listen(settings: Settings) -> socket:
    host, port = settings.server.host, settings.server.port
    try:
        return server.listen(host, port)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (")[0]
        sys.exit(f"Cannot serve on {host}, port {port} (host and port in [server]): {reason}.")


def _greet(settings: Settings, slug: str) -> None:
    base = settings.server.base_url.rstrip("/")
    print(f"Yestwice serves {base}/  (sign-up page: {base}/subscribe/{slug})", file=sys.stderr)
    print(f"To put the form on your site: {base}/embed/{slug}", file=sys.stderr, flush=True)
    if settings.mail.transport == "mailbox":
        print(f"No email leaves this machine. Read what was sent at {base}/mailbox", file=sys.stderr, flush=True)


def _several(app: Flask, listening: socket) -> None:
    """One process for each worker, and one for mails and jobs, unless each web process has its own."""
    settings = current_parts(app).settings.server
    start.close_connections(app)
    bell = Bell() if settings.mail_process else None

    def web() -> None:
        start.begin_anew(app)
        _web_process(app, listening, *((OF_WEB, bell.ring) if bell else (JOBS,)))

    roles: dict[str, Callable[[], None]] = {f"web {n}": web for n in range(1, settings.workers + 1)}
    if bell:
        roles["mails"] = partial(_mail_process, app, listening, bell)
    processes.leave(processes.Supervisor(roles, stopping=listening.close).run())


def _web_process(app: Flask, listening: socket, jobs: Sequence[Job], ring: Callable[..., None] | None = None) -> None:
    processes.hear()
    background, granian = start.Background(app, jobs, ring), server.Granian(Front(app, ring), listening)
    background.start()
    status = granian.run()
    processes.leave_soon(status)
    background.stop()
    processes.leave(status)


def _mail_process(app: Flask, listening: socket, bell: Bell) -> None:
    """Mails, jobs and streams until a signal: woken by web processes, and by its own look every few seconds."""
    signal.pthread_sigmask(signal.SIG_BLOCK, processes.SIGNALS)  # in every thread: the main one waits for them
    listening.close()
    start.begin_anew(app)
    background = start.Background(app, OF_MAILS)
    background.start()
    at_most = streams.AT_ONCE * current_parts(app).settings.server.workers
    makers = ThreadPoolExecutor(at_most, "stream", lambda: app.app_context().push())
    threading.Thread(target=_hear, args=[bell, background, makers], name="bell", daemon=True).start()
    signal.sigwait(processes.SIGNALS)
    processes.leave_soon(0)
    background.stop()
    makers.shutdown()
    processes.leave(0)


def _hear(bell: Bell, background: start.Background, makers: Executor) -> None:
    while True:
        ends = bell.wait()
        for line in ends:
            with suppress(RuntimeError):  # on the way down
                makers.submit(streams.make, line)
        if not ends:
            background.wake()
