"""Settling: what the relay took, or never will, becomes evidence and leaves the outbox.

One thread settles while others send: as soon as the last settle has ended and some have gathered, and at most
about twenty open, so that a crash repeats few. Each settle is a commit for which sign-ups wait
(measured: without gathering 15 % fewer mails a second).
"""

import json
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from flask import Flask

from subscriptions.clock import Clock
from subscriptions.domain.evidence import Fact, complete
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.refusals import MAILBOXES, Refusal
from subscriptions.mail.aside import facts_of
from subscriptions.mail.batch import Taken
from subscriptions.mail.compiled_mails import Letter
from subscriptions.mail.hold import Hold
from subscriptions.store import compiled_mails, counters, figures, outbox, vacuum
from subscriptions.store.engine import Contention, Unavailable, repeated, transaction
from subscriptions.store.outbox import Due, Settled
from subscriptions.store.trips import Connected, in_trips, trip

OPEN_AT_MOST = 20
FULL, GATHERS = 16, 0.01  # settle so many at once, or what there is after so many seconds
RENEW_EVERY = timedelta(seconds=20)  # of a lease of 60 seconds
TRIES, BETWEEN = 60, 0.5  # settling while the database is away; seconds
TRIES_AT_THE_END = 4  # when the program is to end
_ASKS = {kind.value for kind in MailKind if kind.row.of_form}


class Settler:
    """Takes what senders are done with, and renews the leases of what they still hold."""

    def __init__(self, app: Flask, hold: Hold, clock: Clock, stopping: threading.Event, lines: int) -> None:
        self.sent = 0
        self.on_pause: Callable[[str], None] = lambda reason: None  # the relay refuses everybody
        self._away: Exception | None = None
        self._failed: Exception | None = None  # what waiting does not mend
        self._app, self._hold, self._clock, self._stopping = app, hold, clock, stopping
        self._done: list[Taken] = []
        self._refused_in_a_row = self._refused_open = 0
        self._judged = threading.Condition()
        self._ended = False
        self._news = threading.Condition()
        self._room = threading.BoundedSemaphore(OPEN_AT_MOST + lines)  # a mail at the relay may be accepted as well
        self._held: set[int] = set()
        self._renewed_at = clock.now()
        self._kept: dict[str, datetime] = {}  # letters that this sweep has kept already, and when
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="settler")

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        """Wait until all is settled; raises what went wrong."""
        with self._news:
            self._ended = True
            self._news.notify()
        self._thread.join()
        if error := self._failed or self._away:
            raise error

    @property
    def held(self) -> list[int]:
        """The ids of what was taken and neither done with nor let go."""
        with self._guard:
            return sorted(self._held)

    def holding(self, ids: list[int]) -> None:
        with self._guard:
            self._held.update(ids)

    def make_room(self) -> None:
        """Before a mail is sent: wait while too many are open. Raises where nothing can be settled."""
        self._room.acquire()
        if self._failed:  # send no more of what would all be sent again
            raise self._failed

    def let_go(self, *ids: int) -> None:
        """The mail that there was made room for is not sent; `ids`: what is ours no more."""
        with self._guard:
            self._held.difference_update(ids)
        self._room.release()

    def accept(self, mail: Taken) -> None:
        """The mail that there was made room for is done with."""
        with self._judged:
            self._refused_open += bool(mail.refused)
            if mail.refused or mail.message:
                self._refused_in_a_row = self._refused_in_a_row + 1 if mail.refused else 0
        with self._news:
            self._done.append(mail)
            if len(self._done) in (1, FULL):
                self._news.notify()

    def wait_where_many_are_refused(self) -> None:
        """What they mean is known before further mails are tried."""
        with self._judged:
            if self._refused_in_a_row >= MAILBOXES:
                self._judged.wait_for(lambda: not self._refused_open, TRIES * BETWEEN)

    def _run(self) -> None:
        with self._app.app_context():
            ended = False
            while not ended:
                ready, ended = self._gather()
                if ready:
                    self._settle_surely(ready)
                # also while mails are settled one by one: others wait behind them, for a slow relay
                if not ready or self._clock.now() - self._renewed_at >= RENEW_EVERY:
                    self._renew()

    def _gather(self) -> tuple[list[Taken], bool]:
        """What is done with, nothing when there was nothing for a while; and whether that is all."""
        with self._news:
            self._news.wait_for(lambda: self._done or self._ended, RENEW_EVERY.total_seconds())
            if self._done:
                self._news.wait_for(lambda: len(self._done) >= FULL or self._ended, GATHERS)
            ready, self._done = self._done, []
            return ready, self._ended

    def _settle_surely(self, ready: list[Taken]) -> None:
        """A mail that the relay has must be settled: while the database is away, ask again."""
        waits = threading.Event()
        letters = {mail.message.letter for mail in ready if mail.message}
        now = self._clock.now()
        self._kept = {id_: at for id_, at in self._kept.items() if now - at < compiled_mails.KEPT_ANEW}
        new = [letter for letter in letters if letter.id not in self._kept]
        for number in range(TRIES):
            try:
                pauses = settle(ready, new, self._clock.now(), self._hold)
            except Unavailable as error:
                self._away = error
                if number >= TRIES_AT_THE_END and self._stopping.is_set():
                    break
                waits.wait(BETWEEN)
            except Exception as error:
                self._failed = error
                break
            else:
                self._away = None
                if pauses:
                    self._hold.pauses(pauses[0], begins=pauses[1])
                    self.on_pause(pauses[0])
                self._kept |= {letter.id: now for letter in new}
                self.sent += sum(mail.message is not None for mail in ready)
                break
        with self._guard:  # those that are not settled go out again with the same Message-ID once their leases end
            self._held.difference_update(mail.due.id for mail in ready)
        with self._judged:
            self._refused_open -= sum(bool(mail.refused) for mail in ready)
            self._judged.notify_all()
        self._room.release(len(ready))

    def _renew(self) -> None:
        now = self._clock.now()
        with suppress(Unavailable, Contention), transaction() as session:  # the next renewal is soon enough
            outbox.renew(session, self._hold.me, self.held, now)
            self._renewed_at = now


@repeated
def settle(ready: list[Taken], new_letters: Sequence[Letter], now: datetime, hold: Hold) -> tuple[str, bool] | None:
    """Evidence and the end of the owed rows, in one transaction; why the queue is to pause, and whether that begins.

    What was refused after the last success is judged, and stays in the outbox.
    """
    refused = _to_judge(ready)
    judged = {id(mail) for mail in refused}
    done = [mail for mail in ready if id(mail) not in judged] if judged else ready
    has_address = any(_stood_nowhere_else(mail.due) for mail in done)
    if not (refused or has_address):
        with in_trips() as connection:
            _settle(connection, done, new_letters, now)
        return None
    with transaction() as session:
        if has_address:
            vacuum.due(session)  # an address stood in the outbox
        if done:
            _settle(session, done, new_letters, now)
        return hold.judge(session, refused, now) if refused else None


def _to_judge(ready: list[Taken]) -> list[Taken]:
    """Refusals that may be the relay's; that of a mail which is tried once more is its own."""
    last = max((n for n, mail in enumerate(ready) if mail.message), default=-1)
    return [mail for mail in ready[last + 1 :] if mail.refused and mail.due.refusal is not Refusal.AGAIN]


def _settle(of: Connected, ready: list[Taken], new_letters: Sequence[Letter], now: datetime) -> None:
    once = {mail.due.id: mail for mail in ready}  # twice where its lease ended while it was on the line
    with trip(of, last=True) as out:
        compiled_mails.keep(out, {letter.id: letter.source for letter in new_letters}, now)
        outbox.settle(out, [_settled(mail) for mail in once.values()], now)
        asking = (mail.due for mail in once.values() if mail.message and mail.due.mail in _ASKS)
        counters.write(out, _counts(ready), figures.mailed(asking))


def _settled(mail: Taken) -> Settled:
    if not (mail.message or mail.reply) or not _hangs_on_a_row(mail.due):  # no longer wanted, or evidence of nobody
        return Settled(mail.due.id, None, None)
    fact = Fact.MAILED if mail.message else Fact.MAIL_GIVEN_UP
    details = (mail.message.details if mail.message else _given_up(mail)) | {"reply": mail.reply}
    of = tuple(member.registration_id for member in mail.due.members)
    return Settled(mail.due.id, fact.value, json.dumps(complete(fact, details)), of)


def _given_up(mail: Taken) -> dict[str, object]:
    return {"mail": mail.due.mail} | ({} if mail.refused else facts_of(mail.due))


def _stood_nowhere_else(due: Due) -> bool:
    """Whether the outbox alone held its address; that of an account stays."""
    return bool(due.address) and not _hangs_on_a_row(due) and due.mail != MailKind.NUMBERS


def _hangs_on_a_row(due: Due) -> bool:
    return due.registration_id is not None or due.subscription_id is not None


def _counts(ready: list[Taken]) -> dict[str, int]:
    sent = sum(mail.message is not None for mail in ready)
    given_up = sum(mail.message is None and bool(mail.reply) for mail in ready)
    return {"mails_sent": sent, "mails_given_up": given_up, "mails_dropped": len(ready) - sent - given_up}
