"""What this process remembers of networks: which have made many sign-ups in their hour, and which guess links."""

from collections import Counter
from datetime import datetime

REMEMBERED = 10_000  # networks, by each process


class BusyNetworks:
    """Bounded, and without a lock."""

    def __init__(self) -> None:
        self._until: dict[bytes, datetime] = {}

    def note(self, network: bytes, until: datetime) -> None:
        if len(self._until) >= REMEMBERED:  # the older half is forgotten: the batch will tell again
            self._until = dict(list(self._until.items())[REMEMBERED // 2 :])
        self._until[network] = until

    def has(self, network: bytes | None, now: datetime) -> bool:
        until = self._until.get(network) if network else None
        return until is not None and now < until

    def __len__(self) -> int:
        return len(self._until)


class Guesses:
    """How many links that we never signed each network has shown in this hour. They are answered like all others."""

    def __init__(self) -> None:
        self._hour, self._counts = "", Counter[bytes]()

    def note(self, network: bytes | None, now: datetime) -> int:
        """One more; how many it makes of that network."""
        self._begin(now)
        if len(self._counts) < REMEMBERED or (network or b"") in self._counts:
            self._counts[network or b""] += 1
        return self._counts[network or b""]

    def most(self, now: datetime) -> int:
        """Of one network."""
        self._begin(now)
        return max(self._counts.values(), default=0)

    def _begin(self, now: datetime) -> None:
        if (hour := f"{now:%F %H}") != self._hour:
            self._hour, self._counts = hour, Counter()
