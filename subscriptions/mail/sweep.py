"""One sweep of the outbox: threads that each send the next mail over a line, until none is left."""

import logging
import threading
from contextlib import ExitStack, suppress

from flask import Flask

from subscriptions.clock import Clock
from subscriptions.domain.refusals import redacted
from subscriptions.mail.batch import Batch, Taken, Unwritable
from subscriptions.mail.hold import Hold
from subscriptions.mail.lines import Line, Lines, OutMessage
from subscriptions.mail.queue import Queue
from subscriptions.mail.settle import Settler
from subscriptions.mail.smtp import Cut, GiveUp, Later, NoLine, NoSender, Pause, Refused
from subscriptions.store.engine import Unavailable

log = logging.getLogger(__name__)


class Sweep:
    """Ends when nothing is due and nothing on a line, when the relay refuses us, or when it is closed."""

    def __init__(
        self, app: Flask, hold: Hold, batch: Batch, lines: Lines, settler: Settler, most: int, again: threading.Event,
        stopping: threading.Event,
    ) -> None:  # fmt: skip
        self._app, self._hold, self._batch, self._lines, self._settler = app, hold, batch, lines, settler
        self._again, self._most = again, most
        self._threads: list[threading.Thread] = []
        self._guard = threading.Lock()
        self._refusal: str | None = None
        self._error: Exception | None = None
        settler.on_pause = self._pauses
        self.queue = Queue(lambda: lines.room(self._most), again, stopping, self._more, self._call)

    def run(self) -> int:
        """Send in this thread, and in others as they are called for; how many left."""
        first = self.queue.next()
        if first is None:
            self._hold.resume()  # nothing waits, so nothing pauses
            return 0
        with ExitStack() as at_the_end:  # each of it, whatever became of the others
            at_the_end.callback(self._give_back)
            self._settler.start()
            at_the_end.callback(self._settler.finish)
            at_the_end.callback(self._end_lines)
            self._work(first)
        if self._error:
            raise self._error
        return self._settler.sent

    def _end_lines(self) -> None:
        self.queue.close()
        for thread in self._threads:  # none is called any more
            thread.join()

    def _give_back(self) -> None:
        """What is taken and was not tried leaves when the queue runs again, whatever ended this sweep."""
        if ids := self._settler.held:
            with suppress(Unavailable):  # then their leases end
                self._hold.give_back(ids, self._refusal)

    def _pauses(self, reason: str) -> None:
        """The relay refuses everybody, as the settler has found."""
        with self._guard:
            self._refusal = self._refusal or reason
        self.queue.close()

    def _more(self) -> list[Taken]:
        self._again.clear()
        ids = self._hold.take()
        if self._hold.full:
            self._again.set()
        self._settler.holding(ids)
        return self._read(ids) if ids else []

    def _read(self, ids: list[int]) -> list[Taken]:
        """Where one cannot be read, that one is put off and the others go on."""
        try:
            return self._batch.read(ids)
        except Unwritable as error:
            if len(ids) > 1:
                return [taken for id_ in ids for taken in self._read([id_])]
            self._put_off_unwritten(ids[0], error)
            return []

    def _put_off_unwritten(self, id_: int, error: Unwritable, tries: int = 4) -> None:
        log.error("a mail cannot be written", exc_info=error.__cause__, extra={"mail": id_})
        self._hold.put_off(id_, str(error), tries)

    def _call(self) -> bool:
        thread = threading.Thread(target=self._join_in, name="line")
        try:
            thread.start()
        except RuntimeError as error:  # the system gives us no more threads: those that there are go on
            self._most = 1 + len(self._threads)
            log.warning("a line cannot start", extra={"error": str(error)})
            return False
        self._threads.append(thread)
        return True

    def _join_in(self) -> None:
        with self._app.app_context():
            self._work(None)

    def _work(self, taken: Taken | None) -> None:
        try:
            taken = taken or self.queue.next(at_once=False)
            while taken is not None:
                self._send_over(taken)
                taken = self.queue.next()
        except Exception as error:
            self._error = self._error or error
            self.queue.close()

    def _send_over(self, taken: Taken | None) -> None:
        """This mail, and each that was announced with the one before it: those have to take the same line."""
        line, refusal = self._lines.get(), None
        try:
            while taken is not None:
                following = self.queue.reserve()
                refusal = self._send(line, taken, following)
                if refusal:
                    break
                taken = following and self.queue.next(following)
        finally:
            self._lines.keep(line)
        if taken and refusal:
            self._refused(refusal, taken, following)

    def _refused(self, refusal: Pause, *unsent: Taken | None) -> None:
        """The queue pauses; but where the relay refuses a further line alone, those that stand go on."""
        if isinstance(refusal, NoLine) and self._lines.limit_to_these():
            self.queue.put_back(unsent)
            return
        self.queue.close()
        with self._guard:  # several lines may be refused, and the queue pauses once
            first, self._refusal = self._refusal is None, self._refusal or str(refusal)
        if first:
            self._hold.pause(self._refusal)

    def _send(self, line: Line, taken: Taken, following: Taken | None) -> Pause | None:
        self._settler.make_room()
        message = self._written(taken)
        if message is None:
            self.queue.drop()
            return None
        message.following = self._ahead(following)
        outcome = self._hand_over(line, taken, message)
        if outcome is None:
            self._settler.accept(taken)
            if taken.refused:
                self._settler.wait_where_many_are_refused()
            elif taken.message and self._refusal is None:
                self._resume(taken)
        elif isinstance(outcome, Pause):
            self._settler.let_go()
            return outcome
        else:
            self._settler.let_go(taken.due.id)
            if isinstance(outcome, Later):  # who stops gives it back himself
                self._hold.put_off(taken.due.id, str(outcome), taken.due.tries)
                if self._hold.is_trial:
                    self._hold.pause_longer()
        return None

    def _resume(self, taken: Taken) -> None:
        with suppress(Unavailable):  # the next mail or sweep ends the pause
            if self._hold.resume(taken.due):
                self._again.set()

    def _written(self, taken: Taken) -> OutMessage | None:
        """Its text as of now; none where it does not go out, which is seen to."""
        try:
            if self._batch.refresh(taken):
                message = self._batch.write(taken)
                if message is None:
                    self._settler.accept(taken)
                return message
        except Unwritable as error:
            self._put_off_unwritten(taken.due.id, error, taken.due.tries)
        self._settler.let_go(taken.due.id)
        return None

    def _ahead(self, following: Taken | None) -> OutMessage | None:
        with suppress(Unwritable):  # said when it is
            return self._batch.write(following) if following else None
        return None

    def _hand_over(self, line: Line, taken: Taken, message: OutMessage) -> Later | Pause | Cut | None:
        began = Clock.ticks()
        self.queue.goes_out()
        try:
            line.send(message)
        except (Later, Pause, Cut, GiveUp) as refusal:
            return self._said_no(taken, message, refusal)
        except Exception:  # nobody knows how far it came: it waits until its lease ends
            self._settler.let_go(taken.due.id)
            raise
        finally:
            self.queue.came_back(Clock.ticks() - began)
        self._hold.takes(message.usual_sender)
        taken.reply = _redacted(message.reply, message)
        return None

    def _said_no(self, taken: Taken, message: OutMessage, refusal: Exception) -> Later | Pause | Cut | None:
        """What becomes of it; from here on nothing that is kept or logged repeats the address."""
        is_final = isinstance(refusal, GiveUp)
        blames = isinstance(refusal, NoSender) or (is_final and message.is_sender_blamed(str(refusal)))
        reply = _redacted(str(refusal), message)
        refusal.args = (reply,)
        if blames and self._is_one_of_several(message, reply):
            return Later(reply)
        if isinstance(refusal, (Later, Pause, Cut)):
            return refusal
        taken.message, taken.reply = None, reply
        taken.refused = message.recipient if isinstance(refusal, Refused) else ""
        return None

    def _is_one_of_several(self, message: OutMessage, why: str) -> bool:
        """Whether other senders than the one that is refused may be taken: then this one's mails wait alone."""
        return self._hold.may_take_others(message.usual_sender, self._batch.senders, why)


def _redacted(reply: str, message: OutMessage) -> str:
    return redacted(reply, message.recipient, message.envelope_sender)
