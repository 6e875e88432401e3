"""The mail budget of one mailbox: the times of mails that a stranger can cause, and when the next may leave."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from subscriptions.domain.policy import Rate


@dataclass(slots=True)
class Budget:
    """Read from the row of a mailbox, and written back where `is_changed`.

    `sent`: the times of its mails, those not yet due included.
    """

    rates: Sequence[Rate]
    sent: list[datetime]
    is_changed: bool = False

    @classmethod
    def read(cls, text: str, rates: Sequence[Rate]) -> "Budget":
        """From epoch milliseconds, comma-separated."""
        return cls(rates, [datetime.fromtimestamp(int(ms) / 1000, UTC) for ms in text.split(",") if ms])

    def join(self, other: "Budget") -> None:
        """Count the mails of another row as well: of a spelling that had a budget of its own."""
        self.sent += [at for at in other.sent if at not in self.sent]

    def written(self, now: datetime | None = None) -> str:
        """For the row; what counts no more at `now` is left out."""
        edge = now - longest(self.rates) if now else None
        return ",".join([_milliseconds(at) for at in self.sent if edge is None or at > edge])

    def give_back(self, owed_at: datetime) -> bool:
        """Take out the mail that was owed then, which left at once or waited for its time; whether it is there."""
        theirs = [at for at in self.sent if at > owed_at - timedelta(milliseconds=1)]  # to which they are rounded
        if theirs:
            self.sent.remove(min(theirs))
            self.is_changed = True
        return bool(theirs)

    def mail_time(self, now: datetime, *, may_wait: bool) -> datetime | None:
        """When the next mail that a stranger can cause may leave, or None while the budget is closed.

        With `may_wait` (a first sign-up for another list) the shortest rule alone delays the mail instead of
        closing the budget.
        """
        if not self.rates or not self.sent:  # as of most addresses
            return now
        shortest = min(self.rates, key=lambda rate: rate.period)
        if any(rate is not shortest and self._is_spent(rate, now) for rate in self.rates):
            return None
        if not self._is_spent(shortest, now):
            return now
        return self._free_again(shortest) if may_wait else None

    def spend(self, at: datetime) -> None:
        """A mail leaves then."""
        if self.rates:
            self.sent.append(at)
            self.is_changed = True

    def opens(self, now: datetime) -> datetime:
        """The first instant from `now` on at which it is open: what `explain` tells."""
        return max([now, *(self._free_again(rate) for rate in self.rates if self._is_spent(rate, now))])

    def _is_spent(self, rate: Rate, now: datetime) -> bool:
        return sum(at > now - rate.period for at in self.sent) >= rate.count

    def _free_again(self, rate: Rate) -> datetime:
        return sorted(self.sent)[-rate.count] + rate.period


@lru_cache(1024)  # the sign-ups of a batch share their time
def _milliseconds(at: datetime) -> str:
    return str(round(at.timestamp() * 1000))


def longest(rates: Sequence[Rate]) -> timedelta:
    """How long the time of a mail counts."""
    return max((rate.period for rate in rates), default=timedelta(0))


def rates_in_words(rates: Sequence[Rate]) -> str:
    """As they are configured: 1 in 15 minutes, 3 in 24 hours."""
    return ", ".join(f"{rate.count} in {_in_words(rate.period)}" for rate in rates) or "no limit"


def _in_words(period: timedelta) -> str:
    count, unit = in_unit(period)
    return f"{count} {unit}{'s' * (count != 1)}"


def in_unit(period: timedelta) -> tuple[int, str]:
    """In the largest unit that it is whole in; one day is 24 hours."""
    seconds = int(period.total_seconds())
    sizes = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}
    unit = next(unit for unit, size in sizes.items() if seconds % size == 0 and (unit != "day" or seconds > size))
    return seconds // sizes[unit], unit
