"""What one process holds of the outbox: mails that it has taken, puts off or gives back; and the pauses."""

import logging
import os
import random
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from subscriptions.clock import Clock
from subscriptions.domain.refusals import Refusal, speaks_of_recipient
from subscriptions.mail.aside import Aside, Refused
from subscriptions.store import jobs, outbox, refusals
from subscriptions.store.engine import reading, repeated, transaction
from subscriptions.store.outbox import Due
from subscriptions.store.trips import in_trips

log = logging.getLogger(__name__)
FEWEST, MOST = 5, 100  # mails taken at once: as many as leave within a blink, so that their state is fresh
BLINK = 0.5  # seconds
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(minutes=15)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=5)


class Hold:
    """One for each life of a process: its leases bear a name of its own."""

    def __init__(self, clock: Clock, max_per_minute: int, aside: Aside) -> None:
        self.me = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._clock, self._max_per_minute, self._aside = clock, max_per_minute, aside
        self.is_trial = self._has_tried = False  # everybody was refused: one mail is tried
        self._noted = True  # whether refusals may wait for what the relay says of other mails
        self._pauses, self._lengthens = 0, True  # one after the other, and whether the next is longer
        self._fresh = True  # a new process may have a new password: it tries once, whatever pauses
        self._size, self._took_at = 10, 0.0
        self._refused_senders: set[str] = set()
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
        if self.is_trial and self._has_tried:
            return []
        if not (self._max_per_minute or self.is_trial):
            with in_trips() as connection:
                return outbox.take(connection, self.me, self._size, now)
        with transaction() as session:
            most = jobs.allowance(session, now, self._max_per_minute) if self._max_per_minute else self._size
            number = min(self._size, most)
            ids = self._take_some(session, number, now) if number else []
            jobs.spend(session, len(ids))
        self._has_tried = True
        return ids

    def _take_some(self, session: Session, number: int, now: datetime) -> list[int]:
        if not self.is_trial:
            return outbox.take(session, self.me, number, now)
        self._aside.drop_superseded(session, now)
        return refusals.take_one(session, self.me, now, number, self._aside.domain_of)

    def may_take_others(self, refused: str, senders: set[str], why: str) -> bool:
        """The relay refuses that sender, of all that we have: whether it may take mails of another one."""
        known, others = refused in self._refused_senders, senders - self._refused_senders - {refused}
        if not others:  # it refuses us: the queue pauses, and then each is tried again
            self._refused_senders.clear()
        elif not known:
            self._refused_senders.add(refused)
            log.error("the relay refuses a sender; its emails wait", extra={"sender": refused, "why": why})
        return bool(others)

    def takes(self, sender: str) -> None:
        """The relay has taken a mail of that sender."""
        self._refused_senders.discard(sender)

    @repeated
    def put_off(self, id_: int, note: str, tries: int = 4) -> None:
        """This mail later; the later, the oftener it was tried."""
        wait = min(FIRST_WAIT * 2 ** min(tries, 4), LONGEST_WAIT) * random.uniform(0.9, 1.1)  # noqa: S311
        with transaction() as session:
            outbox.put_off(session, self.me, id_, self._clock.now() + wait, note)

    @repeated
    def give_back(self, ids: Sequence[int] | None = None, note: str | None = None) -> None:
        """These, or all that is left: nothing was tried with them, and another process may send them at once."""
        with transaction() as session:
            outbox.give_back(session, self.me, self._clock.now(), ids, note)

    def is_paused(self) -> bool:
        """Whether the queue rests; but a new process tries once."""
        with reading() as session:
            job = jobs.find(session, "deliver")
            until = job.pause_until if job else None
            waits = until is not None and refusals.is_any(session, Refusal.ASIDE)
            elsewhere = waits and refusals.was_one_taken(session)
        fresh, self._fresh, self.is_trial, self._has_tried = self._fresh, False, False, False
        if until is None:
            return False
        self._pauses = max(self._pauses, 1)  # also a pause that an earlier process began: ours to end
        if elsewhere:
            self.resume(succeeded=True)
        elif until > self._clock.now() and not fresh:
            return True
        else:
            self.is_trial = waits
        return False

    @repeated
    def pause(self, note: str) -> None:
        """The relay refuses us as a whole: it counts against no mail, and the queue resumes by itself."""
        reason = f"the relay takes no emails: {note}"
        with transaction() as session:
            begins = self._pause(session, reason)
        self.pauses(reason, begins=begins)

    def judge(self, session: Session, refused: Sequence[Refused], now: datetime) -> tuple[str, bool] | None:
        """Note permanent refusals; why the queue is to pause, where they mean everybody, and whether that begins."""
        self._noted = True
        self._lengthens = not all(speaks_of_recipient(mail.reply) for mail in refused)
        reason = self._aside.judge(session, refused, now)
        return (reason, self._pause(session, reason)) if reason else None

    def pauses(self, reason: str, *, begins: bool) -> None:
        """It stands in the database now: this may be tried twice, and is said once."""
        self._pauses = min(self._pauses + 1, 10) if self._lengthens else max(self._pauses, 1)
        if begins:
            log.error("the mail queue is paused", extra={"why": reason})

    def _pause(self, session: Session, reason: str) -> bool:
        pauses = self._pauses if self._lengthens else max(self._pauses - 1, 0)
        wait = min(FIRST_PAUSE * 2**pauses, LONGEST_PAUSE)
        return jobs.pause(session, "deliver", self._clock.now() + wait, reason)

    @repeated
    def pause_longer(self) -> None:
        """What was tried was neither taken nor refused."""
        with reading() as session:
            job = jobs.find(session, "deliver")
            reason, self._lengthens = job.error if job else None, True
        with transaction() as session:
            self._pause(session, reason or "")
        self._pauses = min(self._pauses + 1, 10)

    @repeated
    def resume(self, sent: Due | None = None, *, succeeded: bool = False) -> bool:
        """The relay takes mails (this one was `sent`), or none is left; whether a pause ends by it."""
        counts_again = sent is not None and sent.refusal is Refusal.ASIDE
        if not (self._pauses or counts_again):
            return False
        with transaction() as session:
            if not (sent or succeeded) and refusals.is_any(session, Refusal.ASIDE):
                return False  # they wait, though another process may have the one to try
            again = self._aside.release(session, self._clock.now(), sent)
            ends = jobs.pause(session, "deliver", None, None)
        self._pauses, self.is_trial = 0, False
        if ends:
            log.warning("the mail queue is running again", extra={"tried_once_more": again})
        return ends

    @repeated
    def look_back(self) -> bool:
        """Whether what was refused is to be given up or tried now, since the relay has taken another mail."""
        if not self._noted:
            return False
        now = self._clock.now()
        with transaction() as session:
            job = jobs.find(session, "deliver")
            found = refusals.end(session, now)
            if job and job.pause_until is None and refusals.is_any(session, Refusal.ASIDE):
                found = bool(self._aside.release(session, now)) or found  # it was on a line when the queue ran again
            self._noted = refusals.is_any(session, Refusal.NOTED, Refusal.ASIDE)
        return found
