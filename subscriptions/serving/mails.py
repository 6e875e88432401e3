"""The process for mails and jobs: woken by the commit of a web process, and by its own look every few seconds."""

import os
import signal
import threading
from contextlib import suppress
from socket import socket

from flask import Flask

from subscriptions import start
from subscriptions.jobs.jobs import OF_MAILS
from subscriptions.serving import signals


class Bell:
    """Rung by web processes, heard by the one for mails; several rings at once are one."""

    def __init__(self) -> None:
        self._heard, self._rung = os.pipe()
        os.set_blocking(self._rung, False)

    def ring(self) -> None:
        """Never waits: where the pipe is full, somebody is being woken already."""
        with suppress(BlockingIOError):
            os.write(self._rung, b"!")

    def wait(self) -> None:
        os.read(self._heard, 4096)


def mail_process(app: Flask, listening: socket, bell: Bell) -> None:
    """Send mails and run the jobs until a signal."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signals.SIGNALS)  # in every thread: the main one waits for them
    listening.close()
    start.begin_anew(app)
    background = start.Background(app, OF_MAILS)
    background.start()
    threading.Thread(target=_listen, args=[bell, background], name="bell", daemon=True).start()
    signal.sigwait(signals.SIGNALS)
    signals.leave_soon(0)
    background.stop()
    signals.leave(0)


def _listen(bell: Bell, background: start.Background) -> None:
    while True:
        bell.wait()
        background.wake()
