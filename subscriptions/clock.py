"""The only reader of the time."""

import time
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from tzlocal import get_localzone_name


class Clock:
    """Says what time it is; in try-out mode it can be moved ahead of the real time, never back."""

    def __init__(self, ahead: timedelta = timedelta(0)) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        """The time (UTC) that every rule goes by."""
        return self.real_now() + self.ahead

    @staticmethod
    def real_now() -> datetime:
        return datetime.now(UTC)

    @staticmethod
    def ticks() -> float:
        """Seconds that only go forward, for measuring waits."""
        return time.monotonic()


class StoppedClock(Clock):
    """Stands at one instant: for making again what was made then."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self._at = at

    def now(self) -> datetime:
        return self._at


def text(at: datetime) -> str:
    """RFC 3339 in UTC with Z: how the API, the exports and the evidence write a time."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def local_time(row: object, at: datetime) -> str:
    """The same second in the time zone of a list, to stand beside; that of this machine where the list names none."""
    return at.astimezone(zone_of(getattr(row, "timezone", None) or "")).strftime("%Y-%m-%d %H:%M:%S %Z")


def machine_zone() -> str:
    """The name of this machine's time zone; UTC also where it has none, or one without a name."""
    try:
        return ZoneInfo(get_localzone_name() or "UTC").key
    except (KeyError, ValueError, OSError):
        return "UTC"


@cache
def zone_of(name: str) -> ZoneInfo:
    """A time zone by its name; this machine's, where it is empty."""
    return ZoneInfo(name or machine_zone())


_MONTHS = "January February March April May June July August September October November December".split()


def words(at: datetime) -> str:
    """A time as commands say it: 23 November 2026, 09:15 UTC."""
    at = at.astimezone(UTC)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M} UTC"
