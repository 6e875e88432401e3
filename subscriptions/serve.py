"""Serving: granian in this process, or with one process for each worker; however, one way down."""

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from multiprocessing.util import Finalize
from typing import Any

from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server import MPServer, MTServer
from granian.server.common import AbstractServer

from subscriptions import logs, start
from subscriptions.settings import Settings
from subscriptions.settings.file import load
from subscriptions.store.models import db

THREADS = 32  # sign-ups that can wait for one commit together
HEAD_WITHIN = 10_000  # milliseconds in which a connection has to say what it wants, or it is closed
SIGNALS = (signal.SIGTERM, signal.SIGINT)
log = logging.getLogger(__name__)


class OneProcess(MTServer):
    """granian's threaded server, for one worker: half the memory of a parent and a child.

    Made for Pythons without a GIL; with one, a worker is a worker all the same (measured: as fast as a child).
    """

    def _check_gil(self) -> None:
        """One worker needs no free threads."""

    def serve(self, *args: Any, **kwargs: Any) -> None:
        AbstractServer.serve(self, *args, **kwargs)  # past a warning that is about free threads


def serve(create_app: Callable[[Settings], Flask]) -> None:
    """Run the server until SIGTERM; exits 1 with one sentence where it cannot start."""
    logs.setup()
    try:
        settings = load()
        _must_be_free(settings.server.host, settings.server.port)
        app = create_app(settings)
        start.prepare(app)
    except start.REFUSALS as trouble:
        sys.exit(start.sentence(trouble))
    _greet(settings)
    _hear_signals()
    if settings.server.workers == 1:
        _one_process(app, settings)
    else:
        _many_processes(settings)


def _must_be_free(host: str, port: int) -> None:
    """Refuse a port that is taken: granian would share it with another of its kind, request by request."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as trouble:
        reason = (trouble.strerror or str(trouble)).partition(" (")[0]
        sys.exit(f"Cannot serve on {host}, port {port} (host and port in [server]): {reason}.")


def _greet(settings: Settings) -> None:
    base, slug = settings.server.base_url.rstrip("/"), settings.lists[0].slug
    print(f"Yestwice serves {base}/  (sign-up page: {base}/subscribe/{slug})", file=sys.stderr)
    print(f"To put the form on your site: {base}/embed/{slug}", file=sys.stderr, flush=True)
    if settings.mail.transport == "mailbox":
        print(f"No mail leaves this machine: read it at {base}/mailbox", file=sys.stderr, flush=True)


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "target": "app:app",
        "address": settings.server.host,
        "port": settings.server.port,
        "interface": Interfaces.WSGI,
        "http": HTTPModes.http1,  # of HTTP/2, granian reads the body of a stream for ever once its line is dead
        "blocking_threads": THREADS,
        "websockets": False,
        "log_enabled": False,
        "http1_settings": HTTP1Settings(header_read_timeout=HEAD_WITHIN, max_buffer_size=64 * 1024),
    }


def _one_process(app: Flask, settings: Settings) -> None:
    background = start.Background(app)
    server = OneProcess(**_options(settings), workers=1)
    background.start()
    server.serve(target_loader=lambda: app, wrap_loader=False)
    background.stop()
    _leave()


def _many_processes(settings: Settings) -> None:
    """The parent only watches; each worker has its own connections, scheduler and sender."""
    _mind_forks()
    server = MPServer(**_options(settings), workers=settings.server.workers, respawn_failed_workers=True)
    server.serve(target_loader=worker, wrap_loader=False)
    _leave()


def worker() -> Flask:
    """What each worker process begins with, forked or spawned."""
    from app import create_app

    logs.setup()
    _hear_signals()
    threading.Thread(target=_end_with_the_parent, name="parent", daemon=True).start()
    app = create_app()
    with app.app_context():
        db.engine.dispose(close=False)
    start.follow(app)
    background = start.Background(app)
    Finalize(None, background.stop, exitpriority=10)  # atexit is not run in such a child
    threading.Thread(target=_begin, args=[background], name="begin", daemon=True).start()
    return app


def _begin(background: start.Background) -> None:
    """Start it once granian has set its handlers (it tells nobody): until then a signal ends a worker at once."""
    pause = threading.Event()
    while signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        pause.wait(0.01)
    background.start()


def _hear_signals() -> None:
    """Let SIGTERM and SIGINT wake the main thread, again and again.

    The kernel may give them to any thread, in particular to one that is starting another; Python notes them
    there, and its handler waits for the main thread, which sleeps on. And granian forgets a signal that comes
    between two lines of its own: in a parent that begins to replace a worker, in a worker that begins to serve.
    """
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    threading.Thread(target=_pass_on, args=[heard], name="signals", daemon=True).start()


def _pass_on(heard: int) -> None:
    while (number := os.read(heard, 1)[0]) not in SIGNALS:
        pass
    pause = threading.Event()
    while True:
        _wake_main(number)
        pause.wait(0.2)


def _wake_main(number: int) -> None:
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, number)


def _mind_forks() -> None:
    """A signal that comes while a worker is being forked reaches either the parent or the new worker."""
    os.register_at_fork(before=_hold_signals, after_in_parent=_release_signals, after_in_child=_end_at_a_signal)


def _hold_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def _release_signals() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def _end_at_a_signal() -> None:
    """In a new worker its parent's handlers would be in force, which end nothing there."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    _release_signals()


def _end_with_the_parent() -> None:
    """A worker whose parent was killed would hold the port, and serve on without anybody who could end it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        _wake_main(signal.SIGTERM)


def _leave() -> None:
    """End at once: granian's idle threads would be caught by an interpreter that is going down."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)
