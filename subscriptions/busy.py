"""Which networks have made many sign-ups in their hour, as far as this process was told."""

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
