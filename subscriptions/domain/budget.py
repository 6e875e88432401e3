"""The mail budget of one address: the times of mails that a stranger can cause, and when the next may leave (B-01)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from subscriptions.domain.policy import Rate


@dataclass(slots=True)
class Budget:
    """Read from the row of an address, and written back where `is_changed`."""

    rates: Sequence[Rate]
    sent: list[datetime]
    is_changed: bool = False

    @classmethod
    def read(cls, text: str, rates: Sequence[Rate]) -> "Budget":
        """From epoch milliseconds, comma-separated."""
        return cls(rates, [datetime.fromtimestamp(int(ms) / 1000, UTC) for ms in text.split(",") if ms])

    def written(self, now: datetime) -> str:
        """For the row; what counts no more is left out."""
        oldest = now - longest(self.rates)
        return ",".join(str(round(at.timestamp() * 1000)) for at in self.sent if at > oldest)

    def mail_time(self, now: datetime, *, may_wait: bool) -> datetime | None:
        """When the next mail may leave; None while it is closed."""
        return mail_time(self.rates, self.sent, now, may_wait=may_wait)

    def spend(self, at: datetime) -> None:
        """A mail leaves then."""
        if self.rates:
            self.sent.append(at)
            self.is_changed = True

    def opens(self, now: datetime) -> datetime:
        """The first instant from `now` on at which it is open."""
        return opens(self.rates, self.sent, now)


def mail_time(rates: Sequence[Rate], sent: Sequence[datetime], now: datetime, *, may_wait: bool) -> datetime | None:
    """When the next mail that a stranger can cause may leave, or None while the address's budget is closed (B-01).

    `sent` are the times of earlier mails, those not yet due included. With `may_wait` (a first sign-up
    for another list) the shortest rule alone delays the mail instead of closing the budget.
    """
    if not rates:
        return now
    shortest = min(rates, key=lambda rate: rate.period)
    if any(rate is not shortest and _closed(rate, sent, now) for rate in rates):
        return None
    if not _closed(shortest, sent, now):
        return now
    if not may_wait:
        return None
    return sorted(sent)[-shortest.count] + shortest.period


def _closed(rate: Rate, sent: Sequence[datetime], now: datetime) -> bool:
    return sum(1 for at in sent if at > now - rate.period) >= rate.count


def opens(rates: Sequence[Rate], sent: Sequence[datetime], now: datetime) -> datetime:
    """The first instant from `now` on at which the budget is open: what `explain` tells."""
    first = now
    for rate in rates:
        if _closed(rate, sent, now):
            first = max(first, sorted(sent)[-rate.count] + rate.period)
    return first


def longest(rates: Sequence[Rate]) -> timedelta:
    """How long the time of a mail counts."""
    return max((rate.period for rate in rates), default=timedelta(0))
