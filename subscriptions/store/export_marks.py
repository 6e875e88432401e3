"""Up to when programs have been told who joined a list and who left it, by list and layout."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from subscriptions.store.models import ExportMark
from subscriptions.store.trips import trip

_COLUMNS = {"list_id": "int", "layout": "text", "added_until": "timestamptz", "removed_until": "timestamptz"}


def find(session: Session, list_id: int, layout: str) -> ExportMark | None:
    return session.get(ExportMark, (list_id, layout))


def last(session: Session, list_ids: Collection[int]) -> ExportMark | None:
    """Of these lists, what was taken last."""
    marks = session.scalars(select(ExportMark).where(ExportMark.list_id.in_(list_ids)))
    return max(marks, key=lambda one: max(one.added_until, one.removed_until), default=None)


def put(session: Session, list_id: int, layout: str, *, added: datetime | None, removed: datetime | None) -> None:
    """What was taken whole up to these times; none: it stays as it was."""
    now = added or removed
    with trip(session) as out:  # two files may be taken at once, and both be the first
        out.insert("export_marks", _COLUMNS, [(list_id, layout, now, now)], "ON CONFLICT DO NOTHING")
    row = session.get(ExportMark, (list_id, layout), with_for_update=True, populate_existing=True)
    assert row is not None
    row.added_until, row.removed_until = added or row.added_until, removed or row.removed_until
