"""A sender in a process of its own, which may die before it settles what the relay took.

`python -m tests.support.elsewhere SETTINGS NOW [MAILS]`: the settings pickled in hexadecimal, the time of its clock,
and how many mails it settles before it ends as by SIGKILL.
"""

import os
import pickle
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from app import create_app
from subscriptions.clock import Clock
from subscriptions.mail import settle
from subscriptions.mail.batch import Taken
from subscriptions.parts import current_parts
from subscriptions.settings import Settings
from tests.support.forked import Forked, fork


class Still(Clock):
    """Stands at one moment."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self._at = at

    def now(self) -> datetime:
        return self._at


def sender(settings: Settings, now: datetime, folder: Path, dies_after: int | None = None) -> Forked:
    """Begin to send all that is due; `dies_after` that many settled mails, with status 9."""
    wanted = [pickle.dumps(settings).hex(), now.isoformat(), *([] if dies_after is None else [str(dies_after)])]
    command = [sys.executable, "-m", "tests.support.elsewhere", *wanted]
    return fork(command, dict(os.environ), folder / "sender-out", folder / "sender-err")


def _die_after(mails: int) -> None:
    whole, left = settle.settle, [mails]

    def settled(ready: list[Taken], *rest: Any) -> Any:
        left[0] -= len(ready)
        if left[0] < 0:
            os._exit(9)
        return whole(ready, *rest)

    settle.settle = settled  # type: ignore[assignment]


if __name__ == "__main__":
    _settings, _now, *_mails = sys.argv[1:]
    app = create_app(pickle.loads(bytes.fromhex(_settings)), Still(datetime.fromisoformat(_now)))  # noqa: S301
    for number in _mails:
        _die_after(int(number))
    with app.app_context():
        current_parts(app).sender.deliver()
