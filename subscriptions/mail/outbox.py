"""The sender of one process: takes owed mails, hands them to the relay, settles what the relay took."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from flask import Flask

from subscriptions.clock import Clock
from subscriptions.mail.aside import Aside
from subscriptions.mail.batch import Batch
from subscriptions.mail.compose import Composer
from subscriptions.mail.hold import Hold
from subscriptions.mail.lines import IDLE, Line, Lines, OutMessage
from subscriptions.mail.settle import Settler
from subscriptions.mail.sweep import Sweep
from subscriptions.store.engine import Unavailable

GRACE = 5.0  # seconds that a stop waits for mails on the line: one that is cut after its last octet may leave twice


@dataclass
class Sender:
    """Sends what is due, over at most `connections` lines at once; one per process."""

    app: Flask
    composer: Composer
    clock: Clock
    new_line: Callable[[], Line]
    connections: int = 2
    max_per_minute: int = 0
    hold: Hold = field(init=False)

    def __post_init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Holding nothing: also in a forked child, whose lines and leases are its parent's."""
        aside = Aside(self.composer.links, self.composer.policy.mails)
        self.hold = Hold(self.clock, self.max_per_minute, aside)
        self._lines = Lines(lambda: self.new_line(), self.clock)
        self._sweeping = threading.Lock()
        self._sweep: Sweep | None = None
        self._again = threading.Event()
        self._stopping = threading.Event()

    def try_out(self, message: OutMessage) -> str:
        """Send what waits in no queue: what the relay said. Raises Pause, Later or GiveUp."""
        line = self.new_line()
        try:
            line.send(message)
        finally:
            line.close()
        return message.reply

    def deliver(self) -> int:
        """Send all that is due; how many left. In an application's context; while one runs, that one looks again."""
        self.look_again()
        sent = 0
        while self._again.is_set() and self._sweeping.acquire(blocking=False):
            try:
                sent += self._run()
                self._lines.close(IDLE)
            finally:
                self._sweep = None
                self._sweeping.release()
        return sent

    def look_again(self) -> bool:
        """Make a running sweep look once more, at once; False when none runs."""
        self._again.set()
        if sweep := self._sweep:
            sweep.queue.look()
        return self._sweeping.locked()

    @property
    def is_called(self) -> bool:
        """Whether somebody wants a look that nobody has begun."""
        return self._again.is_set() and not self._stopping.is_set()

    def stop(self) -> None:
        """End after the mails that are on the line, settle them, and give the rest back."""
        self._stopping.set()
        if sweep := self._sweep:
            sweep.queue.close()
        patience = GRACE
        while not self._sweeping.acquire(timeout=patience):  # a relay that does not let go of its lines loses them
            self._lines.cut()
            patience = 0.2  # a line that was just being opened is cut at the next look
        try:
            with self.app.app_context():
                self._lines.close()
                self.hold.give_back()
        finally:
            self._sweeping.release()

    def _run(self) -> int:
        if self._stopping.is_set() or self.hold.is_paused():
            self._again.clear()
            return 0
        most, again, stopping = self.connections, self._again, self._stopping
        settler = Settler(self.app, self.hold, self.clock, stopping, most)
        batch = Batch(self.composer, self.clock)
        self._sweep = Sweep(self.app, self.hold, batch, self._lines, settler, most, again, stopping)
        sent = self._sweep.run()
        with suppress(Unavailable):  # the next sweep is soon enough
            if self.hold.look_back():
                self._again.set()
        return sent
