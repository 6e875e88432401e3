"""One field of many people corrected at once, after a look at how many; a new address is for each person's own page."""

from typing import NamedTuple

from flask import render_template, request
from flask_babel import gettext, ngettext

from subscriptions.actions import correct, ended
from subscriptions.actions.on_behalf import ACTOR
from subscriptions.domain.evidence import Channel
from subscriptions.domain.fields import Field
from subscriptions.parts import current_parts
from subscriptions.store import audit, subscriptions
from subscriptions.store.engine import reading
from subscriptions.store.models import List
from subscriptions.web.admin import Answer, guard, pages
from subscriptions.web.admin.act_form import reason
from subscriptions.web.http import language
from subscriptions.web.intake import fields, pasted

MOST_LINES = 2000
Pairs = list[tuple[int, str | None, str]]


class Looked(NamedTuple):
    """`differ`: what is to be written, by the key of an address."""

    differ: dict[bytes, str]
    same: int
    absent: int


@pages.route("/people/correct", methods=["GET", "POST"])
def correct_many() -> Answer:
    """Looked at first, and anew when the button is pressed: pressed twice, the second time changes nothing."""
    rows = guard.lists()
    row = language.said(guard.the_list(request.values.get("list") or rows[0].slug)) if rows else None
    field = next((one for one in fields.offered([row]) if one.key == request.form.get("field")), None) if row else None
    if request.method == "GET" or row is None:
        return _page(row)
    (why, problem), lines = reason(), request.form.get("lines", "")
    found = pasted.pairs(lines, MOST_LINES)
    problem = problem or _wrong(field, lines, found)
    if problem or field is None or found is None:
        return _page(row, problem)
    told = {address: text for _, address, text in found if address}
    looked = _look(told, row, field)
    if "sure" not in request.form:
        audit.note(guard.act("people correct look", list=row.slug).of(len(looked.differ) + looked.same))
        return _page(row, looked=looked)
    number = _correct(looked, row, field, why)
    done = ngettext("%(num)d person has been corrected.", "%(num)d people have been corrected.", number)
    rest = _look(told, row, field)
    return _page(row, done=done, looked=rest if rest.differ else None, is_over=not rest.differ)


def _wrong(field: Field | None, lines: str, found: Pairs | None) -> str:
    """What stands against these lines; empty: nothing."""
    if field is None:
        return str(gettext("Please choose what is to be corrected."))
    if found is None:
        return str(gettext("Please send at most %(num)d lines at once.", num=MOST_LINES))
    if not lines.strip():
        return str(gettext("Please add the addresses."))
    for number, address, text in found:
        if address is None or [*fields.wrong_in(field, text)]:
            said = gettext("Line %(num)d cannot be used: “%(text)s”.", num=number, text=text[:80])
            return f"{said} {gettext('Each line has an address, a comma or semicolon, and what is right.')}"
    return ""


def _look(told: dict[str, str], row: List, field: Field) -> Looked:
    by_key = {current_parts().links.key(address): text for address, text in told.items()}
    stored: dict[bytes, str] = {}
    with reading() as session:
        for batch in ended.batches([*by_key], ended.LOOKED_UP):
            for one in subscriptions.open_of(session, batch, row.id):
                stored[one.key] = correct.fields_of(one).get(field.key, "")
    differ = {key: by_key[key] for key, before in stored.items() if before != by_key[key]}
    return Looked(differ, len(stored) - len(differ), len(by_key) - len(stored))


def _correct(looked: Looked, row: List, field: Field, why: str) -> int:
    differ = {key: {field.key: text} for key, text in looked.differ.items()}
    return correct.correct_each(differ, {row.id: [field.key]}, Channel.DESK, ACTOR,
                                lambda key: guard.act("people correct", key, reason=why, list=row.slug))  # fmt: skip


def _page(row: List | None, problem: str = "", **shown: object) -> Answer:
    inputs = fields.voluntary_inputs(row.fields, gettext, [row], language.current()) if row else []
    page = render_template("desk/correct_many.html", rows=guard.lists(), row=row, inputs=inputs, most=MOST_LINES,
                           problem=problem, typed=request.form, **shown)  # fmt: skip
    return (page, 422) if problem else page
