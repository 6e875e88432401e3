"""The queue of one sweep: taken mails, the lines that take the next one when they are free, and when it is over."""

import threading
from collections import deque
from collections.abc import Callable, Iterable

from subscriptions.mail.batch import Taken

JOINS_AFTER = 0.02  # seconds; a mail that waits so long while no line gets a reply is taken by a further line
SLOW = 0.002  # seconds for a mail, on the average; a relay that takes longer is worth all the lines that there are


class Queue:
    """Hands out mails to as many threads as there is room; `fill` takes more, `call` starts a further thread if it can.

    Who has just become free goes on at once. Who stands by, and may have no connection yet, leaves the next mail
    to those at work unless the relay holds them up: so a quick relay is served by one line, without threads that
    hand the interpreter to each other, and a slow one by all of them.
    """

    def __init__(
        self, room: Callable[[], int], again: threading.Event, stopping: threading.Event,
        fill: Callable[[], list[Taken]], call: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._room, self._again, self._stopping, self._fill, self._call = room, again, stopping, fill, call
        self._news = threading.Condition()
        self._waiting: deque[Taken] = deque()
        self._filling = False
        self._over = False
        self._threads = 1  # that of the caller
        self._idle = 0  # of them: those that wait for something to do
        self._busy = 0  # of them: those that have a mail in hand
        self._at_relay = 0  # of them: those that wait for the relay
        self._pace = 0.0  # seconds that the relay takes for a mail
        self._reserved = 0  # mails that a line has announced beside the one that it is sending
        self._handed = 0
        self._stands_by = False

    def next(self, mine: Taken | None = None, *, at_once: bool = True) -> Taken | None:
        """The next mail: `mine`, if one was reserved; None when the sweep is over."""
        with self._news:
            if mine is not None:
                return self._take_reserved(mine)
            while not self._ends:
                if not at_once or self._at_work > self._room():
                    at_once = self._stand_by()
                elif self._again.is_set() and not self._filling and len(self._waiting) < self._room():
                    self._top_up()
                elif self._waiting:
                    return self._hand_out(self._waiting.popleft())
                elif self._busy or self._reserved or self._filling:
                    at_once = False
                else:
                    self._end()
            return None

    def reserve(self) -> Taken | None:
        """A mail to be announced on the line of the caller; none where other lines are free to take it."""
        with self._news:
            if self._ends or len(self._waiting) <= self._room() - self._busy:
                return None
            self._reserved += 1
            return self._waiting.popleft()

    def goes_out(self) -> None:
        """The caller is about to hand its mail to the relay."""
        with self._news:
            self._at_relay += 1

    def came_back(self, seconds: float) -> None:
        """The relay has said something, after so long."""
        with self._news:
            self._at_relay -= 1
            self._busy -= 1
            self._pace += (seconds - self._pace) / 8

    def drop(self) -> None:
        """The caller's mail does not go out."""
        with self._news:
            self._busy -= 1

    def put_back(self, mails: Iterable[Taken | None]) -> None:
        """What was in the caller's hand, and what was reserved beside it, goes by another line."""
        with self._news:
            some = [mail for mail in mails if mail is not None]
            self._reserved -= len(some) - 1
            self._waiting.extendleft(reversed(some))

    def look(self) -> None:
        """More may be owed: let who is free look at once."""
        with self._news:
            self._call_another()

    def close(self) -> None:
        """Hand out no more."""
        with self._news:
            self._end()

    @property
    def _ends(self) -> bool:
        return self._over or self._stopping.is_set()

    @property
    def _at_work(self) -> int:
        return self._threads - self._idle

    def _take_reserved(self, mine: Taken) -> Taken | None:
        self._reserved -= 1
        if not self._ends:
            return self._hand_out(mine)
        self._waiting.appendleft(mine)
        return None

    def _hand_out(self, taken: Taken) -> Taken:
        self._busy += 1
        self._handed += 1
        if self._waiting or self._again.is_set():
            self._call_another()
        return taken

    def _call_another(self) -> None:
        if self._ends or self._stands_by or self._at_work >= self._room():
            return
        if self._idle:
            self._news.notify()
        else:
            self._threads += self._call()  # it waits for our lock before it does anything

    def _stand_by(self) -> bool:
        """Wait for something to do; whether the lines at work are not going to do it by themselves, or not soon."""
        self._idle += 1
        nothing = not (self._waiting or self._again.is_set())
        if nothing or self._stands_by or self._filling or self._at_work >= self._room():
            self._news.wait()
            held_up = False
        elif self._pace > SLOW:
            held_up = True
        else:
            held_up = self._watch()
        self._idle -= 1
        return held_up

    def _watch(self) -> bool:
        """Whether all lines at work wait for the relay, and nothing moves."""
        self._stands_by, handed = True, self._handed
        moved = self._news.wait_for(lambda: self._over or self._handed != handed, JOINS_AFTER)
        self._stands_by = False
        return not (moved or self._filling) and self._at_relay == self._at_work

    def _top_up(self) -> None:
        self._filling = True
        self._news.release()
        try:
            more = self._fill()
        finally:
            self._news.acquire()
            self._filling = False
        self._waiting.extend(more)

    def _end(self) -> None:
        self._over = True
        self._news.notify_all()
