"""Mails that a relay holds at their end, so that a test decides when it answers: no time is involved."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Gate:
    """Open at first; counts the mails that are in hand at once."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._holds = 0
        self.in_hand = 0
        self.most = 0

    def hold(self, number: int) -> None:
        """Let none through until so many are in hand at once; then it is open again."""
        with self._news:
            self._holds = number

    def open(self) -> None:
        with self._news:
            self._holds = 0
            self._news.notify_all()

    @contextmanager
    def passing(self, came: Callable[[], None]) -> Iterator[None]:
        """For one mail, until it is answered; `came` is called when it is counted."""
        with self._news:
            self.in_hand += 1
            self.most = max(self.most, self.in_hand)
            if self.in_hand >= self._holds:
                self._holds = 0
                self._news.notify_all()
        came()
        try:
            with self._news:
                self._news.wait_for(lambda: not self._holds)
            yield
        finally:
            with self._news:
                self.in_hand -= 1
