"""The watch: what one process counts of its sign-ups, and what all of them know of the breaker.

A sign-up costs it three microseconds and no statement. Every few seconds it tells the database what
it has counted and reads what the others have; its own counts open the breaker at once.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from subscriptions.clock import Clock
from subscriptions.domain import breaker
from subscriptions.domain.breaker import EVERYBODY, NOBODY_CONFIRMS, Cause, Excess, Opening, Scope, Thresholds
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.texts import Sentence, marked
from subscriptions.store import meta, outbox, traffic
from subscriptions.store.engine import Unavailable, repeated, transaction

log = logging.getLogger(__name__)
MOST_DOMAINS = 10_000  # that are told apart in a minute; a flood over more of them is one over all lists
TRIES_EVERY = 10  # seconds between two writes that only try
TEND = 10  # a domain is told to the others from a tenth of its threshold on: before, it may be somebody's own

Minute = dict[Cause, int]


class Watch:
    """`usual` none: nothing is watched. `hashed`: how the database names a domain. `mails`: whether, to somebody."""

    def __init__(
        self, usual: Thresholds | None, clock: Clock, hashed: Callable[[str], str], slug: Callable[[int], str] = str
    ) -> None:
        self._thresholds, self._clock, self.mails = usual or Thresholds(0, 0, 0, 0), clock, False
        self._limits = {scope: self._thresholds.of(scope) for scope in Scope}
        self._hashed, self._slug = hashed, slug
        self.watches = usual is not None
        self.begin_anew()

    def begin_anew(self) -> None:
        """Knowing nothing: also in a forked child, whose parent may have been counting."""
        self._tried_at: float | None = None
        self.unwritable = ""  # why nothing can be written, as it was at the last try
        self._turn = threading.Lock()
        self._noted: deque[tuple[tuple[int, ...], str]] = deque()
        self._fresh: dict[datetime, Minute] = {}  # what the database does not know yet; domains by their names
        self._told: dict[Cause, int] = {}  # the last minute of all processes, as it was at the last exchange
        self._told_at: datetime | None = None
        self._found: dict[Cause, Excess] = {}  # by this process, since the last exchange
        self._on: dict[Cause, datetime] = {}  # until when
        self._names: dict[str, str] = {}  # of domains that many sign-ups came for, by hash: in memory alone

    def note(self, list_ids: Sequence[int], domain: str) -> None:
        """Count an accepted sign-up, once, for each of its lists.

        It never waits: while another thread counts, that one or the next takes it along.
        """
        if self.watches:
            self._noted.append((tuple(list_ids), domain))
            if self._turn.acquire(blocking=False):
                try:
                    self._count(self._clock.now())
                finally:
                    self._turn.release()

    def is_on(self, list_id: int, domain: str) -> bool:
        """Whether a sign-up for this list and domain is to be asked for a proof of work; memory alone."""
        if not self._on:
            return False
        now, on = self._clock.now(), self._on.get
        causes = (EVERYBODY, NOBODY_CONFIRMS, (Scope.LIST, str(list_id)), (Scope.DOMAIN, self._hashed(domain)))
        return any((until := on(cause)) is not None and now < until for cause in causes)

    def name(self, excess: Excess) -> str:
        """How people call the list or the domain; a domain only where this process has seen it."""
        if excess.scope is Scope.LIST:
            return self._slug(int(excess.name))
        return self._names.get(excess.name, Sentence(marked("an email domain that another process has logged")))

    def sentence(self, excess: Excess) -> str:
        return breaker.sentence(excess, self.name(excess))

    def try_write(self) -> None:
        """Whether the database takes what is written, at most every ten seconds: a full disk goes on being read."""
        if self._tried_at is None or Clock.ticks() - self._tried_at >= TRIES_EVERY:
            self._tried_at = Clock.ticks()
            try:
                meta.try_write()
                self.unwritable = ""
            except Unavailable as error:
                self.unwritable = str(error)
            except DBAPIError as error:
                self.unwritable = type(error.orig).__name__

    def exchange(self, now: datetime) -> int:
        """Tell and hear the counts of all processes, and decide; how many causes are on now."""
        if not self.watches:
            return 0
        fresh, found = self._take(now)
        try:
            openings, opened, window = self._exchange(now, fresh, found)
        except Exception:
            self._give_back(fresh, found)
            raise
        self._hear(openings, window, now)
        for opening in opened:
            scope, why, until = opening.excess.scope.value, self.sentence(opening.excess), opening.until.isoformat()
            said = {"scope": scope, "why": why, "until": until}
            log.error("the breaker is on: far more sign-ups than usual", extra=said)
        return len(self._on)

    # Counting, while `_turn` is held

    def _count(self, now: datetime) -> None:
        minute = self._fresh.setdefault(traffic.minute_of(now), {})
        told = {} if self._told_at is None or now - self._told_at > breaker.MINUTE else self._told
        while self._noted:
            list_ids, domain = self._noted.popleft()
            for cause in (EVERYBODY, *((Scope.LIST, str(id_)) for id_ in list_ids), (Scope.DOMAIN, domain)):
                limit = self._limits[cause[0]]
                if cause[0] is Scope.DOMAIN and not (limit and (len(minute) < MOST_DOMAINS or cause in minute)):
                    continue
                minute[cause] = count = minute.get(cause, 0) + 1
                if 0 < limit < count + told.get(cause, 0) and cause not in self._found:
                    self._open(cause, count + told.get(cause, 0), limit, now)

    def _open(self, cause: Cause, count: int, limit: int, now: datetime) -> None:
        """Here at once; for the others, for the log and for the mail with the next exchange."""
        self._found[cause] = excess = Excess(*self._for_all(cause), count, limit)
        self._on = self._on | {excess.cause: now + breaker.STAYS_ON}

    def _for_all(self, cause: Cause) -> Cause:
        scope, name = cause
        if scope is not Scope.DOMAIN:
            return cause
        hashed = self._hashed(name)
        self._names[hashed] = name
        return scope, hashed

    # Exchanging

    def _take(self, now: datetime) -> tuple[dict[datetime, Minute], dict[Cause, Excess]]:
        """What the others may know; a domain of few sign-ups stays here, and is forgotten with its minute."""
        with self._turn:
            self._count(now)
            here, self._fresh = self._fresh, {}
            found, self._found = self._found, {}
            told = {}
            for at, minute in here.items():
                if at + breaker.MINUTE > now:
                    self._fresh[at] = {c: count for c, count in minute.items() if not self._is_told(c, count)}
                told[at] = {self._for_all(c): count for c, count in minute.items() if self._is_told(c, count)}
            return told, found

    def _is_told(self, cause: Cause, count: int) -> bool:
        return cause[0] is not Scope.DOMAIN or count * TEND >= self._limits[Scope.DOMAIN]

    def _give_back(self, fresh: dict[datetime, Minute], found: dict[Cause, Excess]) -> None:
        with self._turn:
            self._found = found | self._found
            for at, minute in fresh.items():
                mine = self._fresh.setdefault(at, {})
                for cause, count in self._by_our_names(minute).items():
                    mine[cause] = mine.get(cause, 0) + count

    def _by_our_names(self, counts: Minute) -> Minute:
        ours: Minute = {}
        for (scope, name), count in counts.items():
            known = self._names.get(name) if scope is Scope.DOMAIN else name
            if known is not None:
                ours[scope, known] = count
        return ours

    @repeated
    def _exchange(
        self, now: datetime, fresh: dict[datetime, Minute], found: dict[Cause, Excess]
    ) -> tuple[dict[Cause, Opening], list[Opening], Minute]:
        with transaction() as session:
            before = traffic.hold_openings(session)
            traffic.add(session, fresh)
            window = traffic.window(session, now)
            few = breaker.unconfirmed(*traffic.settled_hour(session, now), self._thresholds)
            too_many = [*found.values(), *breaker.exceeded(window, self._thresholds), *few]
            seen = {excess.cause: excess for excess in too_many}
            openings, opened = breaker.after(before, seen.values(), now)
            if self.mails:
                openings = _owe_alarm(session, openings, now)
            if openings != before:
                traffic.keep_openings(session, openings)
        return openings, opened, window

    def _hear(self, openings: breaker.Openings, window: Minute, now: datetime) -> None:
        with self._turn:
            since_then = (opening.cause for opening in self._found.values())
            mine = dict.fromkeys(since_then, now + breaker.STAYS_ON)  # found while the database was being asked
            self._on = {cause: opening.until for cause, opening in openings.items() if opening.is_on(now)} | mine
            self._told, self._told_at = self._by_our_names(window), now
            known = {name for _, name in (*window, *openings, *mine)}
            self._names = {hashed: name for hashed, name in self._names.items() if hashed in known}


def _owe_alarm(session: Session, openings: dict[Cause, Opening], now: datetime) -> dict[Cause, Opening]:
    """One mail for what is new, at most one an hour; what comes in between waits for the next if it is still on."""
    if not breaker.to_tell(openings, traffic.mailed_at(session), now):
        return openings
    outbox.owe(session, MailKind.ALARM, now=now)
    traffic.note_mailed(session, now)
    return {cause: replace(opening, told=True) for cause, opening in openings.items()}
