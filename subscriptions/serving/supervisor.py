"""The first process: it forks the others, begins one anew that died, and passes a stop on to all.

It has no thread and no connection, so that what it forks is whole, and shares its memory.
"""

import gc
import logging
import os
import signal
import threading
from collections.abc import Callable, Mapping

from subscriptions.clock import Clock
from subscriptions.serving import signals

log = logging.getLogger(__name__)
MINDED = {*signals.SIGNALS, signal.SIGCHLD}
QUICK, TOO_OFTEN = 5.0, 3  # seconds of a life; so many short ones in a row, and all is over
PAUSE = 1.0  # before another try
ORPHAN_SECONDS = 60.0  # to end in good order without a first process; nobody would ask again


class Supervisor:
    """`roles`: what each process runs, by its name; it is given nothing, and ends the process itself."""

    def __init__(self, roles: Mapping[str, Callable[[], None]], stopping: Callable[[], None]) -> None:
        self._roles, self._stopping = roles, stopping
        self._running: dict[int, tuple[str, float]] = {}  # by pid: the role, and since when
        self._short = 0
        self._lifeline = os.pipe()  # its writing end closes with us: nobody outlives the first process

    def run(self) -> int:
        """Until all have ended after a signal; the exit status."""
        signal.pthread_sigmask(signal.SIG_BLOCK, MINDED)
        gc.freeze()  # a collection would touch, and so copy, what is shared
        for name in self._roles:
            self._fork(name)
        while signal.sigwait(MINDED) == signal.SIGCHLD:
            for name in self._ended():
                if self._short >= TOO_OFTEN:
                    return self._stop(1)
                if not self._again(name):
                    return self._stop(0)
        return self._stop(0)

    def _fork(self, name: str) -> None:
        pid = os.fork()
        if pid:
            self._running[pid] = name, Clock.ticks()
            return
        os.close(self._lifeline[1])
        for number in MINDED:
            signal.signal(number, signal.SIG_DFL)
        # begun while they are blocked: no signal is given to this thread, it is the main one that minds them
        threading.Thread(target=self._end_with_the_first, name="lifeline", daemon=True).start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, MINDED)
        try:
            self._roles[name]()
        except BaseException:
            log.exception("a process ends", extra={"role": name})
        finally:
            os._exit(1)  # a role ends its process itself

    def _end_with_the_first(self) -> None:
        os.read(self._lifeline[0], 1)
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(ORPHAN_SECONDS)
        os._exit(1)

    def _ended(self) -> list[str]:
        """The roles of those that have ended by themselves."""
        ended = []
        while self._running:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            name, since = self._running.pop(pid)
            self._short = self._short + 1 if Clock.ticks() - since < QUICK else 0
            log.error("a process has ended and is begun anew", extra={"role": name})
            ended.append(name)
        return ended

    def _again(self, name: str) -> bool:
        """Begin it anew, after a moment if it died soon; False where we are to stop meanwhile."""
        if self._short and signal.sigtimedwait(signals.SIGNALS, PAUSE) is not None:
            return False
        self._fork(name)
        return True

    def _stop(self, status: int) -> int:
        self._stopping()
        for pid in self._running:
            os.kill(pid, signal.SIGTERM)
        for pid in list(self._running):
            os.waitpid(pid, 0)
        return status
