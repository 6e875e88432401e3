"""Processes: how each hears a signal and ends; and the first, which forks the others and begins one anew that died.

The first passes a stop on to all. It has no thread and no connection, so that what it forks is whole, and shares its
memory.
"""

import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping

from subscriptions.clock import Clock

log = logging.getLogger(__name__)
ENDS_WITHIN = 10.0  # seconds: jobs and mails that are under way, when the visitors have gone
SIGNALS = (signal.SIGTERM, signal.SIGINT)
MINDED = {*SIGNALS, signal.SIGCHLD}
QUICK, TOO_OFTEN = 5.0, 3  # seconds of a life; so many short ones in a row, and all is over
PAUSE = 1.0  # before another try, where one has died soon
ORPHAN_SECONDS = 60.0  # to end in good order without a first process; nobody would ask again


def hear() -> None:
    """Let SIGTERM and SIGINT wake the main thread, again and again.

    The kernel may give them to any thread, in particular to one that is starting another; Python notes them
    there, and its handler waits for the main thread, which sleeps on. And granian forgets a signal that comes
    between two lines of its own, when it begins to serve.
    """
    heard, said = os.pipe()
    os.set_blocking(said, False)
    signal.set_wakeup_fd(said, warn_on_full_buffer=False)
    threading.Thread(target=_pass_on, args=[heard], name="signals", daemon=True).start()


def _pass_on(heard: int) -> None:
    while (number := os.read(heard, 1)[0]) not in SIGNALS:
        pass
    main, pause = threading.main_thread().ident, threading.Event()
    while main:
        signal.pthread_kill(main, number)
        pause.wait(0.2)


def leave(status: int) -> None:
    """End at once: idle threads of granian, and whoever waits, would be caught by an interpreter that is going down."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(status)


def leave_soon(status: int) -> None:
    """End in time whatever is under way: a silent database may hold it up for ever. What is cut off is done again."""
    timer = threading.Timer(ENDS_WITHIN, _cut, [status])
    timer.daemon = True
    timer.start()


def _cut(status: int) -> None:
    log.warning("stopped with work in progress")
    leave(status)


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
                if self._short and signal.sigtimedwait(SIGNALS, PAUSE) is not None:
                    return self._stop(0)
                self._fork(name)
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

    def _ended(self) -> Iterator[str]:
        while self._running and (pid := os.waitpid(-1, os.WNOHANG)[0]):
            if pid not in self._running:
                continue  # the first process of a container is handed the orphans of all others
            name, since = self._running.pop(pid)
            self._short = self._short + 1 if Clock.ticks() - since < QUICK else 0
            log.error("a process has ended and is started again", extra={"role": name})
            yield name

    def _stop(self, status: int) -> int:
        self._stopping()
        for pid in self._running:
            os.kill(pid, signal.SIGTERM)
        for pid in list(self._running):
            os.waitpid(pid, 0)
        return status
