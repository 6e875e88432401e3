"""Lists as the desk and the commands change them: one transaction each, with its row in the audit."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions.actions import Refused
from subscriptions.domain.texts import marked
from subscriptions.store import audit, list_changes, lists, migrate
from subscriptions.store.audit import Act
from subscriptions.store.engine import repeated, transaction
from subscriptions.store.list_changes import Said
from subscriptions.store.models import List, Owner

TAKEN = marked("There is a list with that address already, perhaps in the archive.")
GONE = marked("That list does not exist.")
OF_THE_FILE = marked("That list is set in config.toml. Take it over before you change it here.")
KEEPS = marked("A list that takes sign-ups must keep its legal notice and its privacy policy.")
THE_LAST = marked("No other list takes sign-ups. Finish another one first.")


class Stale(Exception):
    """Somebody has changed the list since it was read."""


@contextmanager
def _changing() -> Iterator[Session]:
    """One change of lists at a time: what each process sees of them is named by all of them together."""
    with transaction() as session:
        migrate.one_at_a_time(session.connection())
        yield session
        list_changes.note_version(session)


def _find(session: Session, slug: str) -> List:
    row = list_changes.find(session, slug)
    if row is None:
        raise Refused(GONE)
    return row


def _of_desk(session: Session, slug: str) -> List:
    row = _find(session, slug)
    if row.owner is Owner.FILE:
        raise Refused(OF_THE_FILE)
    return row


@repeated
def create(said: Said, now: datetime, act: Act) -> None:
    """A new list, as `asdict` of its settings has it; a draft while it lacks what it needs. Raises Refused."""
    with _changing() as session:
        if list_changes.find(session, said["slug"]):
            raise Refused(TAKEN)
        position, draft = list_changes.last_position(session), _is_incomplete(said)
        list_changes.put(session, None, said, now, owner=Owner.DESK, position=position, draft=draft)
        audit.write(session, act)


def _is_incomplete(said: Said) -> bool:
    return not all(said[name] for name in lists.NEEDED)


@repeated
def change(said: Said, now: datetime, act: Act, read: str | None = None) -> bool:
    """Make a list of the desk what is said; whether that changed anything.

    `read`: the mark of what was read before. Raises Refused, and Stale where the list says something else by now.
    """
    with _changing() as session:
        row = _of_desk(session, said["slug"])
        before = asdict(lists.told(row, {one.id: one for one in lists.wordings(session)}))
        changed = sorted(name for name, value in said.items() if value != before[name])
        if not changed:
            return False
        if read not in (None, list_changes.mark(row)):
            raise Stale
        if not row.draft and any(before[name] and not said[name] for name in lists.NEEDED):
            raise Refused(KEEPS)
        draft = row.draft and _is_incomplete(said)
        list_changes.put(session, row, said, now, owner=Owner.DESK, position=row.position, draft=draft)
        audit.write(session, replace(act, details={**act.details, "changed": changed}))
    return True


@repeated
def take_over(slug: str, act: Act) -> None:
    """From now on the desk says what a list of the file is. Raises Refused."""
    with _changing() as session:
        row = _find(session, slug)
        if row.owner is not Owner.DESK:
            row.owner = Owner.DESK
            audit.write(session, act)


@repeated
def archive(slug: str, act: Act) -> None:
    """It takes no more sign-ups and stays for its subscribers. Raises Refused."""
    with _changing() as session:
        row = _of_desk(session, slug)
        if row.position is None:
            return
        others = (other for other in lists.all_of(session) if other is not row)
        if not any(other.position is not None and not other.draft for other in others):
            raise Refused(THE_LAST)
        row.position = None
        audit.write(session, act)


@repeated
def restore(slug: str, act: Act) -> None:
    """Out of the archive, behind all others. Raises Refused."""
    with _changing() as session:
        row = _of_desk(session, slug)
        if row.position is None:
            row.position = list_changes.last_position(session)
            audit.write(session, act)
