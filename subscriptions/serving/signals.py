"""SIGTERM and SIGINT, heard surely, in a process whose main thread granian holds; and the end that they ask for."""

import logging
import os
import signal
import sys
import threading

log = logging.getLogger(__name__)
ENDS_WITHIN = 10.0  # seconds: jobs and mails that are under way, when the visitors have gone
SIGNALS = (signal.SIGTERM, signal.SIGINT)


def hear() -> None:
    """Let both wake the main thread, again and again.

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
    pause = threading.Event()
    while True:
        wake_main(number)
        pause.wait(0.2)


def wake_main(number: int) -> None:
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, number)


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
    log.warning("ended with work under way")
    leave(status)
