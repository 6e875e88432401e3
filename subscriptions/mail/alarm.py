"""What the alarm tells the operator: why the breaker is on, with numbers, and since when."""

import textwrap
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from subscriptions import clock
from subscriptions.domain.breaker import MINUTE, Excess, Opening, sentence
from subscriptions.store import traffic
from subscriptions.store.engine import reading

VALUES = "causes began on_until since_option until_option".split()


def values(
    now: datetime, name_of: Callable[[Excess], str], openings: Sequence[Opening] | None = None
) -> dict[str, str]:
    """What is filled into the letter, in English as the commands are. `openings`: else those that are stored."""
    if openings is None:
        with reading() as session:
            openings = sorted(traffic.openings(session).values(), key=lambda opening: opening.since)
    open_now = [opening for opening in openings if opening.is_on(now)] or openings[-1:]
    causes = [f"{sentence(each.excess, name_of(each.excess))}." for each in open_now]
    began = min((opening.since for opening in open_now), default=now)
    until = max((opening.until for opening in open_now), default=now)
    return {
        "causes": lines(causes),
        "began": clock.words(began),
        "on_until": clock.words(until),
        # a flood begins before it is noticed
        "since_option": clock.text(traffic.minute_of(began) - 2 * MINUTE),
        "until_option": clock.text(now),
    }


def lines(causes: Iterable[str]) -> str:
    return "\n".join(textwrap.fill(cause, 70, initial_indent="- ", subsequent_indent="  ") for cause in causes)
