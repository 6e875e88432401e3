"""What makes a form suspicious, and what answers a suspicion: a wait that needs no JavaScript."""

from datetime import datetime, timedelta
from math import ceil

WAIT = timedelta(seconds=10)  # about as long as the proof of work keeps the slowest phones busy
STEP_LIFE = timedelta(hours=1)
WORK_LIFE = timedelta(minutes=10)
FORM_LIFE = timedelta(days=1)
CLOCKS_DIFFER = timedelta(minutes=1)  # between hosts of one installation, at most


def is_too_fast(shown_at: datetime | None, now: datetime, least: timedelta) -> bool:
    """Whether a form came back faster than people type. A missing or an old time says nothing."""
    if shown_at is None or not least:
        return False
    return -CLOCKS_DIFFER < now - shown_at < least


def seconds_left(since: datetime, now: datetime) -> int:
    """How long the wait still takes, in whole seconds; 0 when it is over."""
    return max(0, min(ceil((since + WAIT - now).total_seconds()), ceil(WAIT.total_seconds())))


def is_step_alive(since: datetime, now: datetime) -> bool:
    return -CLOCKS_DIFFER < now - since < STEP_LIFE
