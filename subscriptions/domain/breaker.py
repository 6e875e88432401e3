"""The breaker: which sign-ups are so many that they are asked for a proof of work, and for how long."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from subscriptions.domain.texts import Sentence, marked

MINUTE = timedelta(minutes=1)
STAYS_ON = timedelta(minutes=15)  # after the last minute that was too much
SETTLES = timedelta(minutes=10)  # sign-ups younger than this are given time to be confirmed
HOUR = timedelta(hours=1)
ENOUGH = 200  # sign-ups of which the confirmed share says something
MAIL_EVERY = timedelta(hours=1)
REMEMBERED = timedelta(days=1)  # how long an opening that is over can be looked at


class Scope(StrEnum):
    """Whom an opening concerns: everybody, a list's visitors, those of a mail domain; everybody again."""

    ALL = "all"
    LIST = "list"
    DOMAIN = "domain"
    UNCONFIRMED = "unconfirmed"

    __hash__ = str.__hash__  # an Enum's own runs as Python: counts are looked up a dozen times a sign-up


Cause = tuple[Scope, str]  # with the number of the list or the hash of the domain
Counts = Mapping[Cause, int]
EVERYBODY: Cause = (Scope.ALL, "")
NOBODY_CONFIRMS: Cause = (Scope.UNCONFIRMED, "")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What is still usual, in sign-ups a minute and in percent; 0: never watched."""

    everybody: int = 600
    of_list: int = 300
    of_domain: int = 100
    unconfirmed_percent: int = 95

    def of(self, scope: Scope) -> int:
        """In the order of the scopes."""
        limits = self.everybody, self.of_list, self.of_domain, self.unconfirmed_percent
        return dict(zip(Scope, limits, strict=True))[scope]


@dataclass(frozen=True, slots=True)
class Excess:
    """More than is usual, of one cause: `count` a minute, or percent."""

    scope: Scope
    name: str
    count: int
    limit: int

    @property
    def cause(self) -> Cause:
        return self.scope, self.name


@dataclass(frozen=True, slots=True)
class Opening:
    """A time for which a cause is on; `count` is the worst that was seen of it."""

    excess: Excess
    since: datetime
    until: datetime
    told: bool = False  # whether a mail about it is owed, or was

    def is_on(self, now: datetime) -> bool:
        return now < self.until


Openings = Mapping[Cause, Opening]


def lately(before: int, current: int, now: datetime) -> int:
    """Sign-ups of the last 60 seconds, from those of this minute and of the one before (its end is taken in part)."""
    return current + before * (60 - now.second) // 60


def exceeded(counts: Counts, thresholds: Thresholds) -> list[Excess]:
    """What is more than its threshold, of counts of the last minute."""
    limits = ((scope, name, count, thresholds.of(scope)) for (scope, name), count in counts.items())
    return [Excess(scope, name, count, limit) for scope, name, count, limit in limits if 0 < limit < count]


def unconfirmed(signed_up: int, confirmed: int, thresholds: Thresholds) -> list[Excess]:
    """Whether too few of an hour's sign-ups were confirmed, where there are enough of them to tell."""
    limit = thresholds.unconfirmed_percent
    missing = 100 * max(0, signed_up - confirmed)
    if not limit or signed_up < ENOUGH or missing <= limit * signed_up:
        return []
    return [Excess(Scope.UNCONFIRMED, "", missing // signed_up, limit)]


def after(before: Openings, found: Iterable[Excess], now: datetime) -> tuple[dict[Cause, Opening], list[Opening]]:
    """The openings with what was found now, and those of them that are new; what is long over is forgotten."""
    openings = {cause: known for cause, known in before.items() if now < known.until + REMEMBERED}
    opened = []
    for excess in found:
        old = openings.get(excess.cause)
        if old is None or not old.is_on(now):
            openings[excess.cause] = Opening(excess, now, now + STAYS_ON)
            opened.append(openings[excess.cause])
        else:
            worst = max(old.excess, excess, key=lambda excess: excess.count)
            openings[excess.cause] = replace(old, excess=worst, until=now + STAYS_ON)
    return openings, opened


def to_tell(openings: Openings, mailed_at: datetime | None, now: datetime) -> bool:
    """Whether a mail is due: something is on that none has told of, and the last mail is an hour old."""
    if mailed_at is not None and mailed_at <= now < mailed_at + MAIL_EVERY:
        return False
    return any(opening.is_on(now) and not opening.told for opening in openings.values())


_SAYS = {
    Scope.ALL: marked("%(num)s sign-ups in a minute across all lists; at most %(limit)s are usual"),
    Scope.LIST: marked('%(num)s sign-ups in a minute for the list "%(name)s"; at most %(limit)s are usual'),
    Scope.DOMAIN: marked("%(num)s sign-ups in a minute for addresses at %(name)s; at most %(limit)s are usual"),
    Scope.UNCONFIRMED: marked("%(num)s%% of an hour's sign-ups were not confirmed; at most %(limit)s%% is usual"),
}


def sentence(excess: Excess, name: str) -> Sentence:
    """What happened, in words with numbers; `name` of the list or domain, where it is known."""
    return Sentence(_SAYS[excess.scope], num=excess.count, limit=excess.limit, name=name)
