"""Runs inside the version that is measured: one of its commands, with the parts of sending a mail timed.

Each part's processor time is its thread's own, less that of the parts that it calls: waiting for the relay, for the
database or for the interpreter costs nothing. What no part accounts for is the rest: threads, queues, leases.
"""

import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

PARTS = {  # what has moved is named by each of its places, the newest first
    "take": (
        "subscriptions.mail.hold:Hold.take",
        "subscriptions.mail.batch:Batch.read|subscriptions.mail.hold:Batch.read",
    ),
    "compile": ("subscriptions.mail.compose:Composer._compile",),  # once for each kind, list and language
    "compose": ("subscriptions.mail.compose:Composer.compose",),
    "line": ("subscriptions.mail.smtp:SmtpConnection.send",),
    "settle": ("subscriptions.mail.settle:settle",),
}


class _Thread(threading.local):
    """What this thread has spent, and how much of it in parts that the present one called."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self.inner = 0.0
        Parts.of_threads.append(self.spent)


class Parts:
    """The parts that were found, by name, and what was spent in them."""

    of_threads: list[dict[str, float]] = []
    began: float | None = None  # processor time of the process when the first part was called

    def __init__(self) -> None:
        self._thread = _Thread()
        self.found = {part for part, names in PARTS.items() if all([self._time(part, name) for name in names])}

    def _time(self, part: str, name: str) -> bool:
        """Whether that version has what is named."""
        return any(self._time_at(part, place) for place in name.split("|"))

    def _time_at(self, part: str, place: str) -> bool:
        module, _, path = place.partition(":")
        *above, last = path.split(".")
        try:
            owner: Any = import_module(module)
            for step in above:
                owner = getattr(owner, step)
            setattr(owner, last, self._timed(part, getattr(owner, last)))
        except (ImportError, AttributeError):
            return False
        return True

    def _timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        thread = self._thread

        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            if self.began is None:
                self.began = time.process_time()
            outer, thread.inner = thread.inner, 0.0
            began = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                whole = time.thread_time() - began
                thread.spent[part] += whole - thread.inner
                thread.inner = outer + whole

        return timed

    def told(self) -> dict[str, float | None]:
        """Seconds; none for a part that this version does not have under its name, nor then for the rest."""
        spent = {part: sum(one[part] for one in self.of_threads) for part in self.found}
        whole = time.process_time() - (self.began or 0.0)
        rest = whole - sum(spent.values()) if self.found == PARTS.keys() else None
        return {**{part: spent.get(part) for part in PARTS}, "rest": rest}


def main() -> None:
    from flask.cli import cli

    parts = Parts()
    cli.main(sys.argv[1:], prog_name="flask", standalone_mode=False)
    print(json.dumps(parts.told()))


if __name__ == "__main__":
    main()
