"""When a page that reads differently is another version: at most one a day, and a clock on it makes none."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum, auto

EVERY = timedelta(days=1)  # a page is looked at so often, and is a new version at most so often
RESTLESS_AFTER = 3  # versions, each a look or two after the last: what changed between them, changes always


class Step(Enum):
    SAME = auto()
    NEW = auto()
    WAITS = auto()  # it has changed twice in a day
    RESTLESS = auto()  # nothing has changed but what changes at every look


def step(before: Sequence[tuple[datetime, str]], text: str, now: datetime) -> Step:
    """What has become of a page, by the versions of the same address before, the latest first, and its text now."""
    if not before or text == before[0][1]:
        return Step.SAME if before else Step.NEW
    if now < before[0][0] + EVERY - timedelta(hours=1):  # a look comes a little early at times
        return Step.WAITS
    latest = before[:RESTLESS_AFTER]
    is_new_each_time = len(latest) == RESTLESS_AFTER and latest[0][0] - latest[-1][0] <= RESTLESS_AFTER * EVERY
    if is_new_each_time and _is_alike(latest, text):
        return Step.RESTLESS
    return Step.NEW


def _is_alike(latest: Sequence[tuple[datetime, str]], text: str) -> bool:
    """Whether it has all the words that those share, and no more others than they had."""
    known = [Counter(said.split()) for _, said in latest]
    shared, words = known[0] & known[1] & known[2], Counter(text.split())
    return not shared - words and (words - shared).total() <= max((one - shared).total() for one in known)
