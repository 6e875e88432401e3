"""Up to when programs have been told who joined a list and who left it, by list and layout."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from subscriptions.store.models import ExportMark


def find(session: Session, list_id: int, layout: str) -> ExportMark | None:
    return session.get(ExportMark, (list_id, layout))


def last(session: Session, list_ids: Collection[int]) -> ExportMark | None:
    """Of these lists, what was taken last."""
    marks = session.scalars(select(ExportMark).where(ExportMark.list_id.in_(list_ids)))
    return max(marks, key=lambda one: max(one.added_until, one.removed_until), default=None)


def put(session: Session, list_id: int, layout: str, *, added: datetime | None, removed: datetime | None) -> None:
    """What was taken whole up to these times; none: it stays as it was."""
    row = session.get(ExportMark, (list_id, layout), with_for_update=True)
    if row is None:
        now = added or removed
        assert now is not None
        session.add(ExportMark(list_id=list_id, layout=layout, added_until=now, removed_until=now))
        return
    row.added_until, row.removed_until = added or row.added_until, removed or row.removed_until
