"""One form for several lists: a choice for each, one address, one mail for all (L-02)."""

from collections.abc import Mapping, Sequence

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from subscriptions.domain.evidence import Channel
from subscriptions.parts import parts
from subscriptions.store.models import List
from subscriptions.web import asking, guard, hints, language, open_tab, place
from subscriptions.web.forms import Problem, from_form_of_several
from subscriptions.web.hints import Hint
from subscriptions.web.options import shown_fields
from subscriptions.web.pages import take

pages = Blueprint("several", __name__)


@pages.get("/subscribe")
def form() -> BaseResponse | str:
    rows = _offered()
    if len(rows) == 1:
        return redirect(url_for("pages.form", slug=rows[0].slug))
    return form_of(rows) if rows else redirect(url_for("pages.index"))


def form_of(rows: Sequence[List]) -> str:
    language.of_list(rows[0])
    return _form(rows, {}, [])


@pages.post("/subscribe")
def subscribe() -> BaseResponse | tuple[str, int]:
    return subscribe_to(_offered())


def subscribe_to(rows: Sequence[List]) -> BaseResponse | tuple[str, int]:
    """What the form of these lists was sent with."""
    language.of_list(rows[0] if rows else None)
    form = hints.chosen(request.form)
    asked = from_form_of_several(form, parts().catalogue, language.to_store(rows[0]) if rows else None)
    wrong = [*(asked if isinstance(asked, list) else []), *place.wrong_return(_with_chosen([]))]
    if isinstance(asked, list) or wrong:
        return _form(_with_chosen(rows), form, wrong), 422
    verdict = guard.judge(form, asked)
    if isinstance(verdict, guard.Step):
        return guard.page(asked, verdict)
    hint = guard.hint(form, asked)
    if hint:
        return _form(_with_chosen(rows), form, [], hint), 422
    return take(asked, Channel.FORM, verdict)


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
    open_tab.comes_from_form()
    wordings = parts().catalogue.wordings
    chosen = _with_chosen([])
    back = place.return_url(chosen) if chosen else place.carried_return_url(rows)
    place.may_lead_to(back, *(row.thank_you_url for row in rows))
    return render_template(
        "pages/subscribe_several.html",
        entries=[{"list": row, "wording": wordings[row.wording_id]} for row in rows],
        fields=shown_fields(rows, request.args),
        action=_action(rows),
        return_url=back,
        locale=language.to_store(rows[0]) if rows else "",
        values=values,
        chosen=request.form.getlist("lists"),
        problems=language.in_words(wrong),
        hint=hint,
        computes=asking.is_asked_here(*rows),
        footer=rows[0] if rows else None,
    )


def _action(rows: Sequence[List]) -> str:
    if place.is_framed():
        return place.here("subscribe", rows[0])
    return url_for("several.subscribe", lists=request.args.get("lists"))
