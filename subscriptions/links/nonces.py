"""Random octets that are used once and are no secret."""

import os
from collections import deque

LONGEST = 16
_ready: deque[bytes] = deque()
os.register_at_fork(after_in_child=_ready.clear)  # no two processes have the same ones


def nonce(octets: int) -> bytes:
    """So many, at most 16. One call of the system makes 256 of them, since each lets another thread go first."""
    try:
        return _ready.pop()[:octets]
    except IndexError:
        made = os.urandom(256 * LONGEST)
        _ready.extend(made[at : at + LONGEST] for at in range(LONGEST, len(made), LONGEST))
        return made[:octets]
