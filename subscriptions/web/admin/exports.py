"""Exports by hand: everyone, or what has changed since the last one, as another program imports it."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from flask import Response, abort, render_template, request, stream_with_context
from flask_babel import gettext

from subscriptions.export import stream, xlsx
from subscriptions.export.layouts import LAYOUTS
from subscriptions.languages import marked
from subscriptions.parts import current_parts
from subscriptions.store import audit, export_marks, mailable
from subscriptions.store.engine import reading, transaction
from subscriptions.store.mailable import Changes
from subscriptions.store.models import ExportMark, List
from subscriptions.web.admin import guard, pages
from subscriptions.web.http import language
from subscriptions.web.http.adapter import now

TITLES = {"csv": "CSV", "excel": marked("CSV for Excel"), "xlsx": "Excel", "jsonl": "JSON Lines"}
TITLES |= {name: one.title for name, one in LAYOUTS.items()}


class Wanted(NamedTuple):
    row: List
    layout: str
    what: str  # everyone, add, remove


@pages.get("/export")
def exports() -> str:
    return _page()


def _page(problem: str = "") -> str:
    rows = guard.lists()
    slug, layout = _wished(rows)
    if layout not in TITLES:
        abort(404)
    row = language.said(guard.the_list(slug)) if slug else None
    left_out = stream.left_out(row, now()) if row and layout in ("csv", "excel") else 0
    shown: dict[str, Any] = {"rows": rows, "row": row, "layout": layout, "titles": TITLES, "problem": problem,
                             "left_out": left_out}  # fmt: skip
    return render_template("desk/exports.html", **shown, **(_standing(row, layout) if row else {}),
                           of=LAYOUTS.get(layout))  # fmt: skip


def _wished(rows: Sequence[List]) -> tuple[str, str]:
    """List and layout; where nothing is said, those that were taken last: what has left since must not be missed."""
    slug, layout = request.values.get("list", ""), request.values.get("layout", "")
    asked = [row for row in rows if slug in ("", row.slug)]
    if not layout:
        with reading() as session:
            last = export_marks.last(session, [row.id for row in asked])
        slug = slug or next((row.slug for row in asked if last and row.id == last.list_id), "")
        layout = last.layout if last else "csv"
    return slug or (rows[0].slug if rows else ""), layout


def _standing(row: List, layout: str) -> dict[str, Any]:
    """How many there are, and what has changed since the last time."""
    with reading() as session:
        mark, everyone = (
            export_marks.find(session, row.id, layout),
            mailable.mailable_count(session, row.id, now()),
        )
        if mark is None:
            return {"everyone": everyone, "last": None}
        counts = [mailable.changed_count(session, row.id, now(), one) for one in _changes(mark)]
        unnamed = mailable.unnamed_count(session, row.id, mark.removed_until)
    return {"everyone": everyone, "last": mark, "to_add": counts[0], "to_remove": counts[1], "unnamed": unnamed}


def _changes(mark: ExportMark) -> tuple[Changes, Changes]:
    return Changes(mark.added_until), Changes(mark.removed_until, left=True)


@pages.post("/export")
def export() -> Response | tuple[str, int]:
    """A file; what was taken whole counts as known from then on."""
    wanted = Wanted(guard.the_list(request.form.get("list", "")), request.form.get("layout", ""),
                    request.form.get("what", ""))  # fmt: skip
    if wanted.layout not in TITLES or wanted.what not in ("everyone", "add", "remove"):
        abort(404)
    at = now()
    with reading() as session:
        mark = export_marks.find(session, wanted.row.id, wanted.layout)
        if wanted.what != "everyone" and mark is None:
            abort(404)
        which = dict(zip(("add", "remove"), _changes(mark), strict=True)).get(wanted.what) if mark else None
        count = mailable.changed_count(session, wanted.row.id, at, which) if which else (
            mailable.mailable_count(session, wanted.row.id, at))  # fmt: skip
    if wanted.layout == "xlsx" and count > xlsx.MOST:
        said = gettext("A sheet of Excel has at most %(num)d rows: please choose another format.", num=xlsx.MOST)
        return _page(said), 422
    audit.note(guard.act(stream.ACT, list=wanted.row.slug, format=wanted.layout, what=wanted.what).of(count))
    return _file(wanted, which, at)


def _file(wanted: Wanted, which: Changes | None, at: datetime) -> Response:
    kind = "csv" if wanted.layout == "excel" else wanted.layout
    ending = LAYOUTS[kind].ending if kind in LAYOUTS else kind
    type_ = xlsx.TYPE if kind == "xlsx" else stream.EVERY[kind]
    response = Response(stream_with_context(_whole(wanted, which, at, kind)), mimetype=type_)
    name = f"{wanted.row.slug}-{wanted.what}-{at:%Y%m%dT%H%M%SZ}.{ending}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _whole(wanted: Wanted, which: Changes | None, at: datetime, kind: str) -> Iterator[bytes]:
    """The file, and behind its last octet the note that all of it was taken, with its hash."""
    dialect, hashed = "excel" if wanted.layout == "excel" else stream.DIALECTS[0], hashlib.sha256()
    act = guard.act("export taken", list=wanted.row.slug, format=wanted.layout, what=wanted.what)
    row, links = wanted.row, current_parts().links
    chunks = (xlsx.export(row, links, at, which) if kind == "xlsx" else
              stream.export(row, kind, links, at, dialect=dialect, which=which))  # fmt: skip
    for chunk in chunks:
        hashed.update(chunk)
        yield chunk
    added, removed = at if wanted.what != "remove" else None, at if wanted.what != "add" else None
    with transaction() as session:
        export_marks.put(session, wanted.row.id, wanted.layout, added=added, removed=removed)
        audit.write(session, act.of(1, sha256=hashed.hexdigest()))
