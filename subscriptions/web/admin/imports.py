"""A list from another program: its file, how it is read, the two ways in, and what became of every row."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from flask import Response, abort, redirect, render_template, request, stream_with_context, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from subscriptions.actions import Refused
from subscriptions.actions import imports as acts
from subscriptions.actions.invite import resume
from subscriptions.actions.undo import undo
from subscriptions.domain.imports import BY_LETTER, MOST_PER_DAY, TAKEN, UNDO_WITHIN, Stage, Way
from subscriptions.domain.reasons import BadReason, one_line
from subscriptions.imports import mapping, reading, work
from subscriptions.parts import current_parts
from subscriptions.store import audit, imports
from subscriptions.store.engine import reading as looking
from subscriptions.store.models import Import
from subscriptions.web.admin import Answer, guard, pages
from subscriptions.web.admin.start import day
from subscriptions.web.http import language
from subscriptions.web.http.adapter import now

SHOWN, JUDGED = 10, 2000  # rows that a page shows, and those among which it has time to look for faults


@pages.route("/import", methods=["GET", "POST"])
def imports_page() -> Answer:
    rows, file = guard.lists(), request.files.get("file")
    problem = ""
    if request.method == "POST":
        row = guard.the_list(request.form.get("list", ""))
        try:
            if not file or not file.filename:
                raise reading.Unreadable(gettext("Please choose a file."))
            id_ = work.keep(current_parts(), file.stream, file.filename, row, guard.act("import file", list=row.slug))
            return redirect(url_for("desk.import_page", id_=id_), 303)
        except reading.Unreadable as error:
            problem = gettext(error.sentence, **error.values)
    with looking() as session:
        found = imports.all_of(session, [row.id for row in rows])
    page = render_template("desk/imports.html", rows=rows, found=found, problem=problem, of=_names(), taken=_taken)
    return (page, 422) if problem else page


def _names() -> dict[int, Any]:
    return {id_: language.said(row) for id_, row in current_parts().catalogue.lists.items()}


def _taken(row: Import) -> int:
    return sum(row.counts.get(letter, 0) for letter in TAKEN)


def _found(id_: int) -> Import:
    """One of a list that may be seen."""
    with looking() as session:
        row = imports.find(session, id_)
        if row is None or not guard.who().sees(row.list_id):
            abort(404)
    if row.stage is Stage.LOOKED and not work.file_of(current_parts(), id_).exists():
        abort(404)  # another machine has it, or its day is over
    return row


@pages.get("/import/<int(max=9223372036854775807):id_>")
def import_page(id_: int) -> Answer:
    return _page(_found(id_))


def _page(row: Import, problem: str = "") -> Answer:
    shown: dict[str, Any] = {"row": row, "problem": problem, "of": _names()[row.list_id], "fields": mapping.FIELDS,
                             "counts": _said(row.counts), "taken": _taken(row), "typed": request.form}  # fmt: skip
    if row.stage is Stage.LOOKED:
        shown |= _looked(row)
    with looking() as session:
        shown["waiting"] = imports.waiting_number(session, row.id)
        shown["back"] = imports.came_back(session, row.id, row.counted_from or row.made_at)
    shown["last_day"] = day((now() + timedelta(days=shown["waiting"] // row.per_day)).date())
    shown["has_file"] = work.file_of(current_parts(), row.id).exists()
    shown["undo_until"] = row.begun_at and row.begun_at + UNDO_WITHIN
    shown["may_undo"] = shown["undo_until"] and now() < shown["undo_until"] and row.stage is not Stage.UNDONE
    page = render_template("desk/import.html", most=MOST_PER_DAY, **shown)
    return (page, 422) if problem else page


def _said(counts: Any) -> list[tuple[str, int]]:
    return [(gettext(BY_LETTER[letter].says), number) for letter, number in Counter(counts).most_common()]


def _looked(row: Import) -> dict[str, Any]:
    """The first rows, and what would become of them in each way; of a long file as far as the page has time."""
    parts, table = current_parts(), reading.opened(work.file_of(current_parts(), row.id))
    first = [one.cells for one in islice(table.rows(), SHOWN)]
    ways = {way: Counter(said for _, said in work.judged(parts, row, way, JUDGED)) for way in Way}
    own = [key for key in work.keys_of(parts.catalogue.lists[row.list_id]) if key not in mapping.FIELDS]
    return {
        "table": table,
        "first": first,
        "ways": {way: _said(told) for way, told in ways.items()},
        "judged": f"{JUDGED:,}",
        "is_part": ways[Way.INVITE].total() == JUDGED,
        "own": own,
    }


@pages.post("/import/<int(max=9223372036854775807):id_>/columns")
def import_columns(id_: int) -> Answer | BaseResponse:
    """How the columns are read, as somebody says it; looked at again."""
    row = _found(id_)
    try:
        table = reading.opened(work.file_of(current_parts(), row.id))
        said = {place: request.form.get(f"column-{place}", "") for place, _ in enumerate(table.columns)}
        own = work.keys_of(current_parts().catalogue.lists[row.list_id])
        acts.read_as(id_, mapping.chosen(table, [["", ""] for _ in said], said, own))
    except (reading.Unreadable, Refused) as error:
        return _page(row, _sentence(error))
    return redirect(url_for("desk.import_page", id_=id_), 303)


def _sentence(error: reading.Unreadable | Refused | BadReason) -> str:
    return str(gettext(str(error)) if isinstance(error, Refused) else gettext(error.sentence, **error.values))


@pages.post("/import/<int(max=9223372036854775807):id_>/<what>")
def import_do(id_: int, what: str) -> Answer | BaseResponse:
    row = _found(id_)
    if what not in ("start", "undo", "resume"):
        abort(404)
    act = guard.act(f"import {what}", import_id=id_, list=_names()[row.list_id].slug)
    try:
        if what == "start":
            way, per_day = request.form.get("way", ""), request.form.get("per_day", "")
            if way not in [*Way] or not per_day.isdecimal() or not 0 < int(per_day[:7]) <= MOST_PER_DAY:
                return _page(row, gettext("Please choose one of the two ways, and how many are invited in a day."))
            document = request.form.get("document", "").strip()
            acts.start(id_, Way(way), row.columns, document and one_line(document), int(per_day), act)
        elif what == "undo":
            undo(id_, act)
        else:
            resume(id_, act)
    except (Refused, BadReason) as error:
        return _page(row, _sentence(error))
    return redirect(url_for("desk.import_page", id_=id_), 303)


@pages.get("/import/<int(max=9223372036854775807):id_>/report.csv")
def import_report(id_: int) -> Response:
    row = _found(id_)
    if not work.file_of(current_parts(), id_).exists():
        abort(404)
    audit.note(guard.act("import report", import_id=id_, list=_names()[row.list_id].slug))

    def lines() -> Iterator[str]:
        for cells in work.told(current_parts(), row, gettext):
            out = io.StringIO()
            csv.writer(out).writerow(cells)
            yield out.getvalue()

    response = Response(stream_with_context(lines()), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="import-{id_}.csv"'
    return response
