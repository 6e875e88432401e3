"""SIGTERM and SIGINT, heard surely, in a process whose main thread granian holds."""

import os
import signal
import threading

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def hear() -> None:
    """Let both wake the main thread, again and again.

    The kernel may give them to any thread, in particular to one that is starting another; Python notes them
    there, and its handler waits for the main thread, which sleeps on. And granian forgets a signal that comes
    between two lines of its own, when it begins to serve.
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
        wake_main(number)
        pause.wait(0.2)


def wake_main(number: int) -> None:
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, number)
