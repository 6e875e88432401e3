"""One more page with one button, for forms that look as if a program filled them, and in times of attack."""

from flask import Flask, Response, render_template, request

from subscriptions.actions.subscribe import SignUp
from subscriptions.domain.policy import FORM_LIFE
from subscriptions.parts import current_parts
from subscriptions.store.models import List
from subscriptions.web.http import headers, language, open_tab, urls
from subscriptions.web.http.adapter import incoming, now
from subscriptions.web.intake import hints
from subscriptions.web.intake.guard import Step, is_unusual, look_whether_busy, may_compute
from subscriptions.web.intake.parse import carried

LOOKED = "yestwice.busy"  # of a request, in its environ


def init_app(app: Flask) -> None:
    app.jinja_env.globals["form_time"] = form_time


def form_time(earlier: str | None = None) -> str:
    """When this form was shown. One that comes again keeps its time: who has it filled already may be quick."""
    if request.method != "POST":
        return current_parts().forms.time(now())
    shown = current_parts().forms.read_time(earlier) if earlier else None
    return earlier if earlier and shown and now() - shown < FORM_LIFE else ""


def page(sign_up: SignUp, step: Step) -> Response:
    """Nothing is stored before its button is pressed."""
    open_tab.comes_from_form()
    rows, form = sign_up.rows, hints.chosen(request.form)
    fields = carried(form, rows)
    if "locale" not in dict(fields):
        fields.append(("locale", sign_up.locale))
    row = language.said(rows[0])
    action = urls.here("subscribe", row) if urls.is_framed() else request.full_path.removesuffix("?")
    shown = {"list": row, "names": language.listed(rows), "action": action,
             "fields": [*fields, ("step", step.token)], "address": sign_up.address.typed, "why": step.why.value,
             "seconds": step.seconds, "computes": computes(), "footer": language.told_of(rows)}  # fmt: skip
    return Response(render_template("pages/one_more_step.html", **shown), 422)


def computes() -> bool:
    """Whether this page may let the browser compute; its answer allows the script then."""
    may = may_compute(current_parts())
    if may:
        _let_it_compute()
    return may


def is_asked_here(*rows: List) -> bool:
    """Whether a form that is shown now will be asked, so that it can bring the proof at once."""
    environ = request.environ
    if LOOKED not in environ:  # once for a page of many lists
        environ[LOOKED] = look_whether_busy(incoming(), current_parts())
    found: bool = environ[LOOKED] or any(is_unusual(row, "", current_parts()) for row in rows)
    if found:
        _let_it_compute()
    return found


def _let_it_compute() -> None:
    headers.allow(script_src="'self'", worker_src="'self'", connect_src="'self'")
