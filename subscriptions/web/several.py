"""One form for several lists: a choice for each, one address, one mail for all (L-02)."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from subscriptions.domain.evidence import Channel
from subscriptions.parts import parts
from subscriptions.store.models import List
from subscriptions.web import hints, language
from subscriptions.web.forms import HONEYPOT, Problem, from_form_of_several
from subscriptions.web.hints import Hint
from subscriptions.web.pages import take

pages = Blueprint("several", __name__)


@pages.get("/subscribe")
def form() -> BaseResponse | str:
    rows = _offered()
    if len(rows) == 1:
        return redirect(url_for("pages.form", slug=rows[0].slug))
    return _form(rows, {}, []) if rows else redirect(url_for("pages.index"))


@pages.post("/subscribe")
def subscribe() -> BaseResponse | tuple[str, int]:
    rows, form = _offered(), hints.chosen(request.form)
    asked = from_form_of_several(form, parts().catalogue, language.to_store(rows[0]) if rows else None)
    if isinstance(asked, list):
        return _form(_with_chosen(rows), form, asked), 422
    if request.form.get(HONEYPOT):
        return _one_more_step(), 422
    hint = hints.unseen(form, asked.address)
    if hint:
        return _form(_with_chosen(rows), form, [], hint), 422
    return take(asked, Channel.FORM)


def _offered() -> list[List]:
    """The lists that the address of the page names, or all public ones; the page speaks the language of the first."""
    catalogue = parts().catalogue
    if "lists" in request.args:
        found = [catalogue.by_slug(slug) for slug in dict.fromkeys(request.args["lists"].split(","))]
        rows = [row for row in found if row] if all(found) else abort(404)
    else:
        rows = [row for row in catalogue.configured if row.public]
    language.of_list(rows[0] if rows else None)
    return rows


def _with_chosen(rows: Sequence[List]) -> list[List]:
    """A form of another site may offer what ours does not."""
    chosen = map(parts().catalogue.by_slug, request.form.getlist("lists"))
    return list(dict.fromkeys([*rows, *(row for row in chosen if row)]))


def _form(rows: Sequence[List], values: Mapping[str, str], wrong: list[Problem], hint: Hint | None = None) -> str:
    wordings = parts().catalogue.wordings
    return render_template(
        "pages/subscribe_several.html",
        entries=[{"list": row, "wording": wordings[row.wording_id]} for row in rows],
        fields=list(dict.fromkeys(text for row in rows for text in row.fields)),
        action=url_for("several.subscribe", lists=request.args.get("lists")),
        locale=language.to_store(rows[0]) if rows else "",
        values=values,
        chosen=request.form.getlist("lists"),
        problems=language.in_words(wrong),
        hint=hint,
        footer=rows[0] if rows else None,
    )


def _one_more_step() -> str:
    """As for one list, with the lists that were chosen (B-07, B-09)."""
    values: dict[str, Any] = {"email": request.form.get("email", "")}
    rows = _with_chosen([])
    carried = [(name, value) for name, value in request.form.items(multi=True) if name != HONEYPOT]
    return render_template(
        "pages/one_more_step.html", values=values, names=language.listed(rows), list=rows[0], footer=rows[0],
        carried=carried, action=url_for("several.subscribe", lists=request.args.get("lists")),
    )  # fmt: skip
