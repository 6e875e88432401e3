"""What the sealer asks and writes: which rows wait, up to which id no more can appear, and a block of leaves."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from subscriptions.store import arrays, meta
from subscriptions.store.models import Evidence, Leaf
from subscriptions.store.trips import trip

BOUND = "sealing"  # row of meta: an id, and who could still bring rows below it
_LOCK = 7_215_542  # of PostgreSQL's advisory locks: see `keep_out`
# PostgreSQL gives an id before the row can be seen, maybe long before. Whoever has one holds the table's lock for
# writers until the transaction ends; their numbers of transactions would not do, since an id may come before that.
_WRITERS = """
SELECT DISTINCT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND mode = 'RowExclusiveLock'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND relation = 'evidence'::regclass ORDER BY 1
"""


def _is_postgres(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def keep_out(session: Session, *, sealer: bool = False) -> None:
    """Until the transaction ends no row is deleted while it is sealed. Sign-ups do neither, and wait for nobody.

    Those who delete do not keep each other out. SQLite has one writer anyway.
    """
    if _is_postgres(session):
        how = "" if sealer else "_shared"
        session.execute(text(f"SELECT pg_advisory_xact_lock{how}({_LOCK})"))


class Bound(NamedTuple):
    """An id, and who could still bring rows below it (nobody: it holds)."""

    id: int
    writers: frozenset[str]


def settled(session: Session) -> int | None:
    """Up to which id no more rows can appear; None: up to any that is seen.

    To be asked before the rows: of whoever was still writing when it was noted, all can be seen then.
    """
    if not _is_postgres(session):
        return None
    now, noted = _bound(session), _noted(session)
    if not now.writers:
        return now.id
    return noted.id if noted.writers.isdisjoint(now.writers) else 0


def note_bound(session: Session) -> None:
    """For the next block, when those who write now will have ended."""
    if _is_postgres(session):
        bound = _bound(session)
        meta.put(session, BOUND, " ".join([str(bound.id), *sorted(bound.writers)]))


def _bound(session: Session) -> Bound:
    """Of this moment: first the newest id, then who writes."""
    newest = session.scalar(select(func.max(Evidence.id))) or 0
    return Bound(newest, frozenset(session.scalars(text(_WRITERS))))


def _noted(session: Session) -> Bound:
    id_, *writers = (meta.get(session, BOUND) or "0").split()
    return Bound(int(id_), frozenset(writers))


def still_there(session: Session, ids: Sequence[int]) -> tuple[int, int]:
    """How many of these rows of evidence, and of their IPs, are there."""
    if not ids:
        return 0, 0
    counts = select(func.count(), func.count(Evidence.ip)).where(Evidence.id.in_(ids))
    rows, ips = session.execute(counts).one()
    return rows, ips


class NewLeaf(NamedTuple):
    number: int
    evidence_id: int | None
    removal_id: int | None
    salt: bytes
    ip_salt: bytes | None
    payload: bytes
    ip: bytes | None


def add(session: Session, leaves: Sequence[NewLeaf]) -> None:
    with trip(session) as out:
        out.insert("leaves", arrays.columns_of(NewLeaf), leaves, "")


def waiting(session: Session, behind: int) -> tuple[int, datetime | None]:
    """How many rows behind that id have no leaf, and the time of the oldest."""
    wait = select(func.count(), func.min(Evidence.at)).outerjoin(Leaf, Leaf.evidence_id == Evidence.id)
    count, oldest = session.execute(wait.where(Evidence.id > behind, Leaf.number.is_(None))).one()
    return count, oldest
