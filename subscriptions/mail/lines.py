"""Messages, and the lines to the relay: kept while they are used, and no more of them than the relay takes."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import flask_mail

from subscriptions.clock import Clock
from subscriptions.mail.compiled_mails import Letter

IDLE = timedelta(seconds=30)  # a relay waits five minutes (RFC 5321 4.5.3.2.7), a busy one less
LIMITED = timedelta(minutes=5)  # until a line more is tried than the relay took


class OutMessage(flask_mail.Message):
    """One mail to one recipient: a letter filled in, and what evidence keeps of it (enough to rebuild it).

    Flask-Mail would build it anew: without a place for our Message-ID, with long headers as encoded words,
    which kills one-click; its constructor looks up this machine's name in the DNS each time.
    """

    def __init__(self, mail: str, envelope_sender: str, letter: Letter, to: str, octets: bytes) -> None:
        self.mail, self.letter = mail, letter
        self.subject, self.sender, self.reply_to = "", envelope_sender, None
        self.usual_sender = self.envelope_sender = envelope_sender  # the latter may get a token: whose mail came back
        self.recipient, self.octets = to, octets
        self.recipients, self.cc, self.bcc = [to], [], []
        self.details: dict[str, object] = {}
        self.reply = ""  # what the relay said when it took the mail
        self.following: OutMessage | None = None  # which will be sent next over the same line
        self.registration_id: int | None = None
        self.key: bytes | None = None

    @property
    def needs_smtputf8(self) -> bool:
        return not self.recipient.isascii()

    def is_sender_blamed(self, reply: str) -> bool:
        """Whether a refusal is about who writes: many relays say so only when they hear the recipient (RFC 3463)."""
        said = reply.lower()
        senders = self.envelope_sender.lower(), self.usual_sender.lower()
        named = any(one in said for one in senders) and self.recipient.lower() not in said
        return named or " 5.1.7 " in said or " 5.1.8 " in said

    def as_bytes(self) -> bytes:
        return self.octets

    def as_string(self) -> str:
        return self.octets.decode()


class Line(Protocol):
    """A connection that takes messages: to the relay, or into the mailbox."""

    @property
    def is_open(self) -> bool: ...
    def send(self, message: flask_mail.Message) -> None: ...
    def close(self) -> None: ...
    def cut(self) -> None: ...


class Lines:
    """Of those that nobody uses the one used last comes first: it is the least likely to have ended."""

    def __init__(self, new: Callable[[], Line], clock: Clock) -> None:
        self._new, self._clock = new, clock
        self._guard = threading.Lock()
        self._idle: list[tuple[Line, datetime]] = []  # open ones, and since when nobody uses them
        self._in_use: list[Line] = []
        self._limit: int | None = None
        self._more_at = clock.now()

    def room(self, most: int) -> int:
        """How many there may be: `most`, or what the relay took; then one more now and then."""
        if (limit := self._limit) is None:
            return most
        with self._guard:
            if self._clock.now() >= self._more_at:
                limit += 1
                self._limit_to(limit)
        return min(most, limit)

    def limit_to_these(self) -> bool:
        """The relay opens no further one: whether others stand, or are just being opened."""
        with self._guard:
            self._limit_to(len(self._idle) + len(self._in_use))
            return self._limit is not None

    def _limit_to(self, number: int) -> None:
        self._limit, self._more_at = number or None, self._clock.now() + LIMITED

    def get(self) -> Line:
        with self._guard:
            line = self._idle.pop()[0] if self._idle else self._new()
            self._in_use.append(line)
            return line

    def keep(self, line: Line) -> None:
        """One that is not needed for now; a closed one is nothing to keep."""
        with self._guard:
            self._in_use.remove(line)
            if line.is_open:
                self._idle.append((line, self._clock.now()))

    def cut(self) -> None:
        """End at once what is on a line."""
        for line in list(self._in_use):
            line.cut()

    def close(self, unused_for: timedelta = timedelta(0)) -> None:
        """Say goodbye on those that nobody has used for so long."""
        with self._guard:
            before = self._clock.now() - unused_for
            over = [line for line, since in self._idle if since <= before]
            self._idle = [kept for kept in self._idle if kept[1] > before]
        for line in over:
            line.close()
