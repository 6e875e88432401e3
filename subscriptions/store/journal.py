"""The deletion journal: files beside the database that say who left, objected or was erased, by keyed hash alone.

A backup does not know what has happened since, so a restore does all of it once more.
"""

import json
import os
from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from errno import ENOSPC
from pathlib import Path
from typing import Any, NamedTuple

from flask import current_app
from sqlalchemy import event
from sqlalchemy.orm import Session

from subscriptions.clock import Clock, text
from subscriptions.store import counters, meta

KEPT = timedelta(days=35)  # and so no backup may be older
FAILED = "journal_failed"  # row of meta: when an entry could not be written last, and why
_NOTED, _SILENT = "journal", "journal is silent"


class Entry(NamedTuple):
    """`said`: what the act was about, as `note` was told it."""

    at: datetime
    act: str
    said: dict[str, Any]

    def octets(self, name: str) -> bytes | None:
        return bytes.fromhex(self.said[name]) if self.said.get(name) else None


def note(session: Session, act: str, **said: object) -> None:
    """Written when the transaction commits; nothing of a person but keyed hashes and numbers of rows may be said.

    An entry whose commit fails only repeats, one day, what somebody has asked for.
    """
    if session.info.get(_SILENT):
        return
    if _NOTED not in session.info:
        session.info[_NOTED] = []
        event.listen(session, "before_commit", _write)
    session.info[_NOTED].append(
        {"act": act} | {name: _plain(value) for name, value in said.items() if value is not None}
    )


def be_silent(session: Session) -> None:
    """In this session nothing is noted: what it does is what the journal says."""
    session.info[_SILENT] = True


def _plain(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value.isoformat() if isinstance(value, datetime) else value


def _write(session: Session) -> None:
    """A full disk keeps nobody from leaving: that happens, and an operator is told."""
    noted, session.info[_NOTED] = session.info[_NOTED], []
    if not noted:
        return
    at = Clock.real_now()
    lines = "".join(f"{json.dumps({'at': at.isoformat(), **one})}\n" for one in noted)
    try:
        _append(Path(current_app.config["JOURNAL"]), at, lines.encode())
    except OSError as error:
        counters.add(session, {"journal_failures": len(noted)})
        meta.put(session, FAILED, f"{text(at)} {error.strerror}")


def _append(folder: Path, at: datetime, octets: bytes) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{at:%Y-%m-%d}.jsonl"
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        octets = b"\n" + octets  # of a line that a full disk has cut off the next one must not become the end
        if os.write(file, octets) < len(octets):
            raise OSError(ENOSPC, "No space left on device")
        os.fsync(file)
    finally:
        os.close(file)


def _days(folder: Path) -> Iterator[tuple[date, Path]]:
    for path in sorted(folder.glob("????-??-??.jsonl")):
        try:
            yield date.fromisoformat(path.stem), path
        except ValueError:  # no file of ours
            continue


def forget(now: datetime) -> None:
    """Delete the days that are over."""
    for day, path in _days(Path(current_app.config["JOURNAL"])):
        if day < (now - KEPT).date():
            path.unlink(missing_ok=True)


def read(folders: Collection[Path], since: datetime) -> tuple[list[Entry], int]:
    """The entries from then on, of all hosts, in their order; and how many lines cannot be read."""
    found: list[Entry] = []
    unreadable = 0
    for path in (path for folder in folders for day, path in _days(folder) if day >= since.date()):
        for line in path.read_bytes().splitlines():
            try:
                said = json.loads(line) if line else None
                if said and (at := datetime.fromisoformat(said.pop("at"))) >= since:
                    found.append(Entry(at, str(said.pop("act")), said))
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                unreadable += 1
    return sorted(found, key=lambda one: one.at), unreadable
