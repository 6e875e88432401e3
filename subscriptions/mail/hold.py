"""What one process holds of the outbox: mails taken and put off, the limit a minute, and the pauses of the queue."""

import os
import random
import secrets
from collections.abc import Sequence
from datetime import timedelta

from subscriptions.clock import Clock
from subscriptions.store import jobs, outbox
from subscriptions.store.engine import reading, repeated, transaction
from subscriptions.store.trips import in_trips

FEWEST, MOST = 5, 100  # mails taken at once: as many as leave within a blink, so that their state is fresh
BLINK = 0.5  # seconds
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(minutes=15)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=5)


class Hold:
    """One for each life of a process: its leases bear a name of its own."""

    def __init__(self, clock: Clock, max_per_minute: int) -> None:
        self.me = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._clock, self._max_per_minute = clock, max_per_minute
        self._pauses = 0
        self._fresh = True  # a new process may have a new password: it tries once, whatever pauses
        self._size, self._took_at = 10, 0.0
        self.full = False  # whether the last take left more behind, as far as one can tell

    def take(self) -> list[int]:
        """The next mails that are due; more of them than the last time where those were gone in a blink."""
        began = self._clock.ticks()
        if self.full:
            quick = began - self._took_at < BLINK
            self._size = min(MOST, self._size * 2) if quick else max(FEWEST, self._size // 2)
        ids = self._take()
        self._took_at, self.full = began, len(ids) == self._size
        return ids

    @repeated
    def _take(self) -> list[int]:
        now = self._clock.now()
        if not self._max_per_minute:
            with in_trips() as connection:
                return outbox.take(connection, self.me, self._size, now)
        with transaction() as session:
            number = min(self._size, jobs.allowance(session, now, self._max_per_minute))
            ids = outbox.take(session, self.me, number, now) if number else []
            jobs.spend(session, len(ids))
            return ids

    @repeated
    def put_off(self, id_: int, note: str, tries: int = 4) -> None:
        """This mail later; the later, the oftener it was tried."""
        wait = min(FIRST_WAIT * 2 ** min(tries, 4), LONGEST_WAIT) * random.uniform(0.9, 1.1)  # noqa: S311
        with transaction() as session:
            outbox.put_off(session, self.me, id_, self._clock.now() + wait, note, counts=True)

    @repeated
    def put_back(self, ids: Sequence[int], note: str) -> None:
        """These as soon as the queue runs again: nothing was tried with them."""
        with transaction() as session:
            for id_ in ids:
                outbox.put_off(session, self.me, id_, self._clock.now(), note, counts=False)

    @repeated
    def give_back(self) -> None:
        """All that is left: another process may send it at once."""
        with transaction() as session:
            outbox.give_back(session, self.me, self._clock.now())

    def is_paused(self) -> bool:
        """Whether the queue rests; but a new process tries once."""
        with reading() as session:
            job = jobs.find(session, "deliver")
            if job is None or job.pause_until is None:
                paused = False
            else:
                self._pauses = max(self._pauses, 1)  # also a pause that an earlier process began: ours to end
                paused = job.pause_until > self._clock.now()
        fresh, self._fresh = self._fresh, False
        return paused and not fresh

    @repeated
    def pause(self, note: str) -> None:
        """The relay refuses us as a whole: it counts against no mail, and the queue resumes by itself."""
        wait = min(FIRST_PAUSE * 2**self._pauses, LONGEST_PAUSE)
        self._pauses = min(self._pauses + 1, 10)
        with transaction() as session:
            jobs.pause(session, "deliver", self._clock.now() + wait, f"the relay takes no mail: {note}")

    @repeated
    def resume(self) -> None:
        """The relay takes mails, or none is left."""
        if self._pauses:
            self._pauses = 0
            with transaction() as session:
                jobs.pause(session, "deliver", None, None)
