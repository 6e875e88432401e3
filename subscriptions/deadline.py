"""By when the act at hand is over: one deadline, handed down to locks, connections and second tries."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from subscriptions.clock import Clock

PATIENCE = 5.0  # seconds; nobody waits longer for an answer
TO_ANSWER = 0.5  # of them, to say that it took too long
ACT = PATIENCE - TO_ANSWER
_over_at: ContextVar[float | None] = ContextVar("over_at", default=None)


@contextmanager
def within(over_at: float | None) -> Iterator[None]:
    """What is done inside is over at `over_at`, in the ticks of the clock; none: it takes its time."""
    token = _over_at.set(over_at)
    try:
        yield
    finally:
        _over_at.reset(token)


def left(at_most: float) -> float:
    """Seconds that may be waited now; nothing where the time is over."""
    over_at = _over_at.get()
    return at_most if over_at is None else max(0.0, min(at_most, over_at - Clock.ticks()))
