"""What one process holds of the outbox: mails taken, read as they are now, written out or put off; and its pauses."""

import os
import random
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from subscriptions.clock import Clock
from subscriptions.domain.address import parse
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.policy import is_wanted, state_at
from subscriptions.mail.compose import Composer
from subscriptions.mail.lines import OutMessage
from subscriptions.store import jobs, outbox, suppressions
from subscriptions.store.engine import Contention, Unavailable, reading, repeated, transaction
from subscriptions.store.outbox import NOT_WRITTEN, Due, Member
from subscriptions.store.trips import in_trips

FEWEST, MOST = 5, 100  # mails taken at once: as many as leave within a blink, so that their state is fresh
BLINK = 0.5  # seconds
FRESH = timedelta(seconds=5)  # a state read longer ago than this is read anew
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
        fresh, self._fresh = self._fresh, False
        if until is None:
            return False
        self._pauses = max(self._pauses, 1)  # also a pause that an earlier process began: ours to end
        return until > self._clock.now() and not fresh

    @repeated
    def pause(self, note: str) -> None:
        """The relay refuses us as a whole: it counts against no mail, and the queue resumes by itself."""
        wait = min(FIRST_PAUSE * 2**self._pauses, LONGEST_PAUSE)
        with transaction() as session:
            jobs.pause(session, "deliver", self._clock.now() + wait, f"the relay takes no mail: {note}")
        self._pauses = min(self._pauses + 1, 10)  # once it stands there: it may be tried twice

    @repeated
    def resume(self) -> None:
        """The relay takes mails, or none is left."""
        if self._pauses:
            with transaction() as session:
                jobs.pause(session, "deliver", None, None)
            self._pauses = 0


@dataclass(slots=True)
class Taken:
    """A mail that this process has taken, with its state at `read_at`.

    When it is done with, it was sent (`message`), given up (a `reply` alone), or is no longer wanted (neither).
    """

    due: Due
    read_at: datetime
    message: OutMessage | None = None
    reply: str = ""


class Unwritable(Exception):
    """It fails with this mail, whatever becomes of the others; says how, and nothing of what it holds."""


class Batch:
    """Reads taken mails by their ids, and writes them out."""

    def __init__(self, composer: Composer, clock: Clock) -> None:
        self._composer, self._clock = composer, clock

    def read(self, ids: list[int]) -> list[Taken]:
        """In their order; one that was erased meanwhile is not among them. Raises Unwritable if one of them is."""
        now = self._clock.now()
        with _about_mails(), reading() as session:
            return [Taken(self._keyed(session, due, now), now) for due in outbox.read_again(session, ids, now)]

    def refresh(self, taken: Taken) -> bool:
        """Make its state as fresh as it must be; whether it is still there."""
        if self._clock.now() - taken.read_at <= FRESH:
            return True
        for now in self.read([taken.due.id]):
            taken.due, taken.read_at, taken.message = now.due, now.read_at, None
            return True
        return False

    def write(self, taken: Taken) -> OutMessage | None:
        """Its text, written once; None where it may leave no more. Raises Unwritable."""
        now = self._clock.now()
        with _about_mails():
            taken.due = _narrowed(taken.due, now)
            if not taken.due.members:
                taken.message = None
            elif taken.message is None:  # one that was announced stays the same
                taken.message = self._composer.compose(taken.due, now)
            return taken.message

    def _keyed(self, session: Session, due: Due, now: datetime) -> Due:
        """Who is known by a suppression alone gets a key: computed from the address, never kept beside it."""
        if due.key or due.address is None:
            return due
        links, folded = self._composer.links, parse(due.address).folded
        key, mailbox = links.key(folded), links.mailbox_key(folded)
        scopes = [found.scope for found in suppressions.active(session, key, now, mailbox)]
        return due._replace(
            key=key, mailbox=mailbox, members=(due.lead._replace(suppression=min(scopes, default=None)),)
        )


@contextmanager
def _about_mails() -> Iterator[None]:
    """What fails within is the mails' fault, unless the database is away."""
    try:
        yield
    except (Unavailable, Contention):
        raise
    except Exception as error:
        raise Unwritable(f"{NOT_WRITTEN}: {type(error).__name__}") from error


def _narrowed(due: Due, now: datetime) -> Due:
    """The mail, about the lists that it may still be about; none: it may leave no more.

    Asked of the states as they are now: an erased, blocked or suppressed person is not mailed.
    """
    if due.drop_at <= now:  # also one of a kind that only a later version knows
        return due._replace(members=())
    kind, restricted = MailKind(due.mail), bool(due.restricted)
    if kind.row.to_operator:  # about nobody
        return due

    def is_due(member: Member) -> bool:
        state = state_at(member.state, member.confirm_by, now) if member.state and member.confirm_by else None
        standing = due.subscription_state
        return is_wanted(kind, state, standing, restricted=restricted, suppression=member.suppression)

    wanted = tuple(filter(is_due, due.members)) if due.address is not None else ()
    return due if len(wanted) == len(due.members) else due._replace(members=wanted)
