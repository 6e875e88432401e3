"""Undo: an import is taken back as if it had never been, in steps, and once more after a restore."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions.actions import Refused
from subscriptions.actions.imports import BATCH, at, count
from subscriptions.domain.evidence import Cause
from subscriptions.domain.imports import TAKEN, UNDO_WITHIN, Stage
from subscriptions.domain.lifecycle import Event, Registration, Subscription, registration_step, subscription_step
from subscriptions.domain.texts import marked
from subscriptions.store import addresses, audit, imports, journal, registrations, subscriptions, vacuum
from subscriptions.store.audit import Act
from subscriptions.store.engine import repeated, transaction
from subscriptions.store.models import Import

_TOO_LATE = marked("An import can be undone within a day, and this one began earlier. Nothing was changed.")


def undo(id_: int, act: Act) -> int:
    """As if it had never been, but for those who have left or changed something since; how many. Raises Refused."""
    return _stop(id_, act) + _take_back(id_, act.at, _alone)


def undo_again(session: Session, id_: int, now: datetime) -> int:
    """After a restore, all of it in one transaction; how many."""
    row = imports.find(session, id_)
    if row is None or row.stage in (Stage.LOOKED, Stage.UNDONE):
        return 0
    return _stop_in(session, row, now) + _take_back(id_, now, lambda step: step(session))


@repeated
def _stop(id_: int, act: Act) -> int:
    with transaction() as session:
        row = at(session, id_, Stage.READING, Stage.INVITING, Stage.HALTED, Stage.DONE, Stage.UNDONE)
        if row.begun_at and act.at - row.begun_at >= UNDO_WITHIN:
            raise Refused(_TOO_LATE)
        is_new, people = row.stage is not Stage.UNDONE, sum(row.counts.get(one, 0) for one in TAKEN)
        audit.write(session, act.of(people) if is_new else None)
        return _stop_in(session, row, act.at)


def _stop_in(session: Session, row: Import, now: datetime) -> int:
    """From here on nobody comes in or is asked; how many of those who waited are gone."""
    row.stage, row.ended_at = Stage.UNDONE, row.ended_at or now
    journal.note(session, "undo", id=row.id)
    return imports.drop_waiting(session, row.id)


def _take_back(id_: int, now: datetime, do: Callable[[Callable[[Session], int]], int]) -> int:
    """In steps of a few hundred people, so that nobody waits long for one. `do`: in which transaction."""
    number = 0
    while gone := do(lambda session: _retract(session, id_, now)):
        number += gone
    first = -1
    while (first := do(lambda session: imports.next_batch(session, id_, first))) >= 0:
        number += do(lambda session: _undo_batch(session, id_, first, now))
    return number


@repeated
def _alone(step: Callable[[Session], int]) -> int:
    with transaction() as session:
        return step(session)


def _retract(session: Session, id_: int, now: datetime) -> int:
    registration_step(Registration.PENDING, Event.UNDO)
    found = imports.pending_of(session, id_, BATCH)
    if found:
        addresses.lock(session, *(key for _, key in found))
        registrations.remove(session, [one for one, _ in found], Cause.UNDONE, now)
        addresses.forget_unknown(session, [key for _, key in found])
        vacuum.due(session)
    return len(found)


def _undo_batch(session: Session, id_: int, first: int, now: datetime) -> int:
    subscription_step(Subscription.CONFIRMED, Event.UNDO)
    row, batch = imports.find(session, id_), imports.batch(session, id_, first)
    if row is None or batch is None:
        return 0
    addresses.lock(session, *(key for _, key in imports.unchanged(session, batch.opened)))
    found = imports.unchanged(session, batch.opened)  # as they are now that they are held
    subscriptions.remove(session, [one for one, _ in found], Cause.UNDONE, now)
    batch.opened = []
    addresses.forget_unknown(session, [key for _, key in found])
    count(session, row.list_id, now, -len(found))
    vacuum.due(session)
    return len(found)
