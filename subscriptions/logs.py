"""Logs: one JSON object a line to stdout, and never a person in them."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from flask import g, has_request_context

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Lines(logging.Formatter):
    """A record as one line of JSON; an exception as its type and place, since its text may hold an address."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "level": record.levelname.lower(),
            "logger": record.name, "event": record.getMessage(),
        }  # fmt: skip
        if has_request_context() and "request_id" in g:
            line["request_id"] = g.request_id
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = type(record.exc_info[1]).__name__
            line["at"] = where(record.exc_info[1])
        return json.dumps(line, default=str)


def where(error: BaseException) -> str:
    """File, line and function of our own frames of an error, and of the innermost one."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames[:-1] if "/subscriptions/" in frame.filename] + frames[-1:]
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in ours)


def setup(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send every log line of this process there."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(Lines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # SQLAlchemy names the log of a pool after its class
    for noisy in "apscheduler granian _granian werkzeug alembic sqlalchemy subscriptions.store.engine._Pool".split():
        logging.getLogger(noisy).setLevel(logging.ERROR)
