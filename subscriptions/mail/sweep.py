"""One sweep of the outbox: threads that each send the next mail over a line, until none is left."""

import re
import threading
from collections.abc import Callable
from typing import Protocol

from flask import Flask
from flask_mail import Message

from subscriptions.clock import Clock
from subscriptions.mail.batch import Batch, Taken
from subscriptions.mail.compose import Composed
from subscriptions.mail.hold import Hold
from subscriptions.mail.queue import Queue
from subscriptions.mail.settle import Accepted, Settler
from subscriptions.mail.smtp import Cut, GiveUp, Later, Pause
from subscriptions.store.outbox import Due


class Line(Protocol):
    """A connection that takes messages: to the relay, or into the mailbox."""

    def send(self, message: Message, envelope_from: str | tuple[str, str] | None = None) -> None: ...
    def close(self) -> None: ...
    def cut(self) -> None: ...


class Lines:
    """The kept lines; of those that nobody uses the one used last comes first: it is the least likely to have ended."""

    def __init__(self, new: Callable[[], Line]) -> None:
        self._new = new
        self._idle: list[Line] = []
        self._in_use: list[Line] = []

    def get(self) -> Line:
        try:
            line = self._idle.pop()
        except IndexError:
            line = self._new()
        self._in_use.append(line)
        return line

    def keep(self, line: Line) -> None:
        self._in_use.remove(line)
        self._idle.append(line)

    def cut(self) -> None:
        """End at once what is on a line."""
        for line in list(self._in_use):
            line.cut()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


class Sweep:
    """Ends when nothing is due and nothing on a line, when the relay refuses us, or when it is closed."""

    def __init__(
        self, app: Flask, hold: Hold, batch: Batch, lines: Lines, settler: Settler, most: int, again: threading.Event,
        stopping: threading.Event,
    ) -> None:  # fmt: skip
        self._app, self._hold, self._batch, self._lines, self._settler = app, hold, batch, lines, settler
        self._again = again
        self._threads: list[threading.Thread] = []
        self._guard = threading.Lock()
        self._refusal: str | None = None
        self._error: Exception | None = None
        self.queue = Queue(most, again, stopping, self._more, self._call)

    def run(self) -> int:
        """Send in this thread, and in others as they are called for; how many left."""
        first = self.queue.next()
        if first is None:
            self._hold.resume()  # nothing waits, so nothing pauses
            return 0
        self._settler.start()
        try:
            self._work(first)
        finally:
            self.queue.close()
            for thread in self._threads:  # none is called any more
                thread.join()
            self._settler.finish()
        self._leave_behind(self.queue.rest())
        if self._error:
            raise self._error
        return self._settler.sent

    def _more(self) -> list[Taken]:
        self._again.clear()
        ids = self._hold.take()
        if self._hold.full:
            self._again.set()
        self._settler.holding(ids)
        return self._batch.read(ids) if ids else []

    def _call(self) -> None:
        thread = threading.Thread(target=self._join_in, name="line")
        self._threads.append(thread)
        thread.start()

    def _join_in(self) -> None:
        with self._app.app_context():
            self._work(None)

    def _work(self, taken: Taken | None) -> None:
        try:
            taken = taken or self.queue.next(at_once=False)
            while taken is not None:
                self._send_over(self._lines.get(), taken)
                taken = self.queue.next()
        except Exception as error:
            self._error = self._error or error
            self.queue.close()

    def _send_over(self, line: Line, taken: Taken | None) -> None:
        """This mail, and each that was announced with the one before it: those have to take the same line."""
        try:
            while taken is not None:
                following = self.queue.reserve()
                fresh = self._batch.fresh(taken)
                if fresh is not None:
                    self._send(line, fresh, following)
                else:
                    self.queue.drop()
                taken = following and self.queue.next(following)
        finally:
            self._lines.keep(line)

    def _send(self, line: Line, taken: Taken, following: Taken | None) -> None:
        self._settler.make_room()
        composed = self._batch.write(taken)
        if composed is None:
            self.queue.drop()
            self._settler.accept(Accepted(taken.due, None, ""))
            return
        if following is not None and (ahead := self._batch.write(following)):
            composed.message.following = ahead.message
        outcome = self._hand_over(line, taken.due, composed)
        if isinstance(outcome, Accepted):
            self._settler.accept(outcome)
            return
        self._settler.let_go(taken.due.id)
        if not isinstance(outcome, Cut):  # who stops gives it back himself
            self._try_again(taken.due, outcome, composed)

    def _hand_over(self, line: Line, due: Due, composed: Composed) -> Accepted | Later | Pause | Cut:
        """What became of it."""
        began = Clock.ticks()
        self.queue.goes_out()
        try:
            line.send(composed.message)
        except (Later, Pause, Cut) as refusal:
            return refusal
        except GiveUp as refusal:
            return Accepted(due, None, _redacted(str(refusal), composed))
        finally:
            self.queue.came_back(Clock.ticks() - began)
        if self._refusal is None:
            self._hold.resume()
        return Accepted(due, composed, _redacted(composed.message.reply, composed))

    def _try_again(self, due: Due, refusal: Later | Pause, composed: Composed) -> None:
        if isinstance(refusal, Later):
            self._hold.put_off(due, _redacted(str(refusal), composed))
            return
        self.queue.close()
        with self._guard:  # several lines may be refused, and the queue pauses once
            first, self._refusal = self._refusal is None, self._refusal or str(refusal)
        if first:
            self._hold.pause(self._refusal)
        self._leave_behind([due.id, *self.queue.rest()])

    def _leave_behind(self, ids: list[int]) -> None:
        """What is taken and not sent leaves when the queue runs again; who stops gives it back himself."""
        if ids and self._refusal:
            self._hold.put_back(ids, self._refusal)


def _redacted(reply: str, composed: Composed) -> str:
    """The reply without the address, which some relays repeat: evidence outlives an erasure."""
    recipient = composed.message.recipient
    if recipient.lower() in reply.lower():  # seldom; an expression of its own for each mail costs 100 us
        reply = re.sub(re.escape(recipient), "<address>", reply, flags=re.IGNORECASE)
    return reply[:500]
