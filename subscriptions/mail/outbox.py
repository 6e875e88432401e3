"""The sender of one process: takes owed mails, hands them to the relay, settles what the relay took."""

import os
import random
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from flask import Flask
from flask_mail import Message

from subscriptions.clock import Clock
from subscriptions.mail.batch import Batch
from subscriptions.mail.compose import Composed, Composer
from subscriptions.mail.settle import Accepted, Settler
from subscriptions.mail.smtp import Cut, GiveUp, Later, Pause
from subscriptions.store import jobs, outbox
from subscriptions.store.engine import reading, repeated, transaction
from subscriptions.store.outbox import Due

FEWEST, MOST = 5, 50  # mails taken at once: as many as leave within a blink, so that their state is fresh
BLINK = 0.5  # seconds
GRACE = 5.0  # seconds that a stop waits for mails on the line: one that is cut after its last octet may leave twice
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(minutes=15)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=5)


class Line(Protocol):
    """A connection that takes messages: to the relay, or into the mailbox."""

    def send(self, message: Message, envelope_from: str | tuple[str, str] | None = None) -> None: ...
    def close(self) -> None: ...
    def cut(self) -> None: ...


@dataclass
class Sender:
    """Sends what is due, over at most `connections` lines at once; one per process."""

    app: Flask
    composer: Composer
    clock: Clock
    new_line: Callable[[], Line]
    connections: int = 2
    max_per_minute: int = 0
    me: str = field(init=False)

    def __post_init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Holding nothing: also in a forked child, whose lines and leases are its parent's."""
        self.me = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._idle: list[Line] = []
        self._in_use: list[Line] = []
        self._sweeping = threading.Lock()
        self._again = threading.Event()
        self._stopping = threading.Event()
        self._pauses = 0
        self._fresh = True  # a new process may have a new password: it tries once, whatever pauses
        self._size = 10

    def deliver(self) -> int:
        """Send all that is due; how many left. A second call while one runs makes that one look again."""
        self._again.set()
        sent = 0
        while self._again.is_set() and self._sweeping.acquire(blocking=False):
            try:
                self._again.clear()
                sent += self._sweep()
            finally:
                self._sweeping.release()
        return sent

    def look_again(self) -> bool:
        """Make a running sweep look once more; False when none runs."""
        self._again.set()
        return self._sweeping.locked()

    @property
    def is_called(self) -> bool:
        """Whether somebody wants a look that nobody has begun."""
        return self._again.is_set() and not self._stopping.is_set()

    def stop(self) -> None:
        """End after the mails that are on the line, settle them, and give the rest back."""
        self._stopping.set()
        self._wait_or_cut()
        try:
            with self.app.app_context():
                for line in self._idle:
                    line.close()
                self._idle.clear()
                with transaction() as session:
                    outbox.give_back(session, self.me, self.clock.now())
        finally:
            self._sweeping.release()

    def _wait_or_cut(self) -> None:
        """Take the turn of sweeping; a relay that does not let go of its lines loses them."""
        patience = GRACE
        while not self._sweeping.acquire(timeout=patience):
            for line in list(self._in_use):
                line.cut()
            patience = 0.2  # a line that was just being opened is cut at the next look

    def _sweep(self) -> int:
        if self._stopping.is_set() or (self._paused() and not self._fresh):
            return 0
        self._fresh = False
        settler = Settler(self.app, self.me, self.clock, self._stopping)
        threads = [threading.Thread(target=self._guarded, args=(settler,)) for _ in range(self.connections - 1)]
        first = self._take()
        if not first:
            self._resumed()  # nothing waits, so nothing pauses
            return 0
        settler.start()
        if len(first) >= FEWEST:
            for thread in threads:
                thread.start()
        try:
            self._work(settler, first)
        finally:
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
            settler.finish()
        return settler.sent

    def _guarded(self, settler: Settler) -> None:
        with self.app.app_context():
            try:
                self._work(settler, self._take())
            except Exception as trouble:
                settler.trouble = trouble

    def _work(self, settler: Settler, ids: list[int]) -> None:
        line = self._idle.pop() if self._idle else self.new_line()
        self._in_use.append(line)
        try:
            while ids and not self._stopping.is_set():
                settler.holding(ids)
                began = self.clock.ticks()
                if not self._send_all(settler, line, ids):
                    return
                self._adapt(self.clock.ticks() - began)
                ids = self._take()
        finally:
            self._in_use.remove(line)
            self._idle.append(line)

    def _adapt(self, seconds: float) -> None:
        self._size = min(MOST, self._size * 2) if seconds < BLINK else max(FEWEST, self._size // 2)

    def _send_all(self, settler: Settler, line: Line, ids: list[int]) -> bool:
        """Send one taken batch; False when the queue has to pause."""
        batch = Batch(ids, self.composer, self.clock)
        while not self._stopping.is_set():
            one = batch.next()
            if one is None:
                return True
            due, composed = one
            if composed is None:
                settler.accept(Accepted(due, None, ""))
                continue
            try:
                self._send(settler, line, due, composed)
            except Pause as trouble:
                self._pause(str(trouble), [due.id, *batch.ids])
                return False
            except Cut:
                return False
        return False

    def _send(self, settler: Settler, line: Line, due: Due, composed: Composed) -> None:
        try:
            line.send(composed.message)
        except Later as trouble:
            settler.let_go(due.id)
            self._put_off(due, _redacted(str(trouble), composed))
        except GiveUp as trouble:
            settler.accept(Accepted(due, None, _redacted(str(trouble), composed)))
        else:
            self._resumed()
            settler.accept(Accepted(due, composed, _redacted(composed.message.reply, composed)))

    @repeated
    def _take(self) -> list[int]:
        now = self.clock.now()
        with transaction() as session:
            if not self.max_per_minute:
                return outbox.take(session, self.me, self._size, now)
            number = min(self._size, jobs.allowance(session, now, self.max_per_minute))
            ids = outbox.take(session, self.me, number, now) if number else []
            jobs.spend(session, len(ids))
            return ids

    @repeated
    def _put_off(self, due: Due, note: str) -> None:
        wait = min(FIRST_WAIT * 2 ** min(due.tries, 4), LONGEST_WAIT) * random.uniform(0.9, 1.1)  # noqa: S311
        with transaction() as session:
            outbox.put_off(session, self.me, due.id, self.clock.now() + wait, note, counts=True)

    def _paused(self) -> bool:
        with reading() as session:
            job = jobs.find(session, "deliver")
            if job is None or job.pause_until is None:
                return False
            self._pauses = max(self._pauses, 1)  # also a pause that an earlier process began: ours to end
            return job.pause_until > self.clock.now()

    @repeated
    def _pause(self, trouble: str, ids: list[int]) -> None:
        """The relay refuses us as a whole: it counts against no mail, and the queue resumes by itself."""
        wait = min(FIRST_PAUSE * 2**self._pauses, LONGEST_PAUSE)
        self._pauses = min(self._pauses + 1, 10)
        now = self.clock.now()
        with transaction() as session:
            jobs.pause(session, "deliver", now + wait, f"the relay takes no mail: {trouble}")
            for id_ in ids:
                outbox.put_off(session, self.me, id_, now, trouble, counts=False)

    @repeated
    def _resumed(self) -> None:
        if self._pauses:
            self._pauses = 0
            with transaction() as session:
                jobs.pause(session, "deliver", None, None)


def _redacted(reply: str, composed: Composed) -> str:
    """The reply without the address, which some relays repeat: evidence outlives an erasure."""
    recipient = composed.message.recipient
    if recipient.lower() in reply.lower():  # seldom; an expression of its own for each mail costs 100 us
        reply = re.sub(re.escape(recipient), "<address>", reply, flags=re.IGNORECASE)
    return reply[:500]
