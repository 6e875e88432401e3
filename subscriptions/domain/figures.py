"""What is counted of a list day by day, and what that says of it. It names nobody, and stays when people go."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

# by the day (UTC) of the sign-up, whenever it happened
ASKED, MAILED, CONFIRMED, LEFT = "asked", "mailed", "confirmed", "left"
# by the day on which it happened; and in all, by no day
JOINED, GONE = "joined", "gone"
RETURNED, COMPLAINED = "returned", "complained"  # people whose mail came back; spam reports
WITHIN = tuple(timedelta(minutes=some) for some in (1, 2, 5, 10, 30, 60, 120, 240, 480, 720, 1080))
MANY, LATELY = 20, timedelta(days=7)  # so many were mailed lately, and nobody confirms
TOO_MANY = {RETURNED: (10, 50), COMPLAINED: (3, 3)}  # from so many on, and from so many of a thousand (as Gmail has it)
MORNING = timedelta(hours=6)  # when a day begins for who is told of the one before


def day_of(at: datetime) -> str:
    return at.date().isoformat()


def confirmed_after(waited: timedelta) -> str:
    """What a confirmation is counted as: one of twelve, by how long it took."""
    return f"{CONFIRMED}.{bisect_right(WITHIN, waited):02}"


class Day(NamedTuple):
    """How many came and went on a day, and how many there were at its end."""

    day: date
    joined: int
    gone: int
    people: int


class Funnel(NamedTuple):
    """What became of the sign-ups of some days."""

    asked: int
    mailed: int
    confirmed: int
    stayed: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one list. `counted`: by name and day, from some day up to now."""

    people: int = 0
    counted: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def number(self, name: str, since: date) -> int:
        """Of that name, or of all that it begins, as CONFIRMED does."""
        first = since.isoformat()
        those = (days for key, days in self.counted.items() if name in (key, key.partition(".")[0]))
        return sum(count for days in those for day, count in days.items() if day >= first)

    def change(self, since: date) -> int:
        """How many more people there are than before that day."""
        return self.number(JOINED, since) - self.number(GONE, since)

    def funnel(self, since: date) -> Funnel:
        asked, mailed, confirmed, left = (self.number(name, since) for name in (ASKED, MAILED, CONFIRMED, LEFT))
        return Funnel(asked, mailed, confirmed, confirmed - left)

    def half_within(self, since: date) -> timedelta | None:
        """In what time half of those who confirm have done so; none: nobody does, or it takes longer."""
        passed, half = 0, self.number(CONFIRMED, since) / 2
        for place, within in enumerate(WITHIN):
            passed += self.number(f"{CONFIRMED}.{place:02}", since)
            if passed and passed >= half:
                return within
        return None

    def nobody_confirms(self, today: date) -> bool:
        """Many were mailed lately, and not one has come back: the emails may be taken for spam."""
        _, mailed, confirmed, _ = self.funnel(today - LATELY)
        return mailed >= MANY and not confirmed

    def risen(self, name: str, today: date) -> tuple[int, int] | None:
        """How many of those that it reached lately were RETURNED or COMPLAINED, where that is too many."""
        since, (few, of_thousand) = today - LATELY, TOO_MANY[name]
        number, reached = self.number(name, since), self.people + self.number(GONE, since) + self.funnel(since).mailed
        return (number, reached) if number >= few and 1000 * number >= of_thousand * reached else None

    def course(self, until: date, number: int) -> list[Day]:
        """So many days up to that one, the oldest first."""
        days, people = list[Day](), self.people - self.change(until + timedelta(days=1))
        for day in (until - timedelta(days=ago) for ago in range(number)):
            joined, gone = (self.counted.get(name, {}).get(day.isoformat(), 0) for name in (JOINED, GONE))
            days.append(Day(day, joined, gone, people))
            people -= joined - gone
        return days[::-1]


class HowOften(StrEnum):
    """How often somebody at the desk is mailed numbers."""

    NEVER = "never"
    WEEKLY = "weekly"
    DAILY = "daily"
    EACH = "each"  # new subscriber, gathered for a quarter of an hour

    def is_due(self, looked: datetime, now: datetime) -> bool:
        """Whether a look is due, the last one having been then: in the morning (UTC), of Mondays for a week."""
        before, today = (looked - MORNING).date(), (now - MORNING).date()
        return {
            HowOften.NEVER: False,
            HowOften.WEEKLY: today.isocalendar()[:2] > before.isocalendar()[:2],
            HowOften.DAILY: today > before,
            HowOften.EACH: True,
        }[self]
