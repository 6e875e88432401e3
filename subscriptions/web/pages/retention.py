"""What is stored of whom, why and how long: a page for everybody, and a line for the operator's own site."""

from datetime import timedelta

from babel.dates import format_timedelta
from flask import Blueprint, Response, render_template, url_for
from flask_babel import get_locale, gettext

from subscriptions import clock as clocks
from subscriptions.domain import retention
from subscriptions.parts import current_parts
from subscriptions.store import jobs
from subscriptions.store.engine import reading
from subscriptions.web.http import language
from subscriptions.web.http.adapter import now
from subscriptions.web.http.problems import json_answer
from subscriptions.web.http.telling import durations

pages = Blueprint("retention", __name__)
ROUNDED = timedelta(minutes=5)


@pages.get("/retention")
def page() -> str:
    values = durations()
    rows = [{"row": row, "period": language.told(row.period, values)} for row in retention.ROWS]
    return render_template("pages/retention.html", rows=rows, line=_line(), line_url=url_for("retention.line"))


@pages.get("/retention.json")
def line() -> Response:
    """For scripts of every site: it tells nothing about anybody."""
    last, policy = _last_run(), current_parts().policy
    at = clocks.text(now() - last) if last is not None else None
    days = policy.purge_after / timedelta(days=1)
    response = json_answer({"line": _line(), "unconfirmed_days": days, "last_deletion": at})
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _line() -> str:
    said = gettext("Unconfirmed sign-ups are deleted %(period)s after the sign-up.", period=durations()["purge"])
    last = _last_run()
    if last is None:
        return str(said)
    ago = format_timedelta(-last, add_direction=True, locale=get_locale())
    ran = gettext("Last deletion: %(ago)s.", ago=ago) if last else gettext("Last deletion: just now.")
    return f"{said} {ran}"


def _last_run() -> timedelta | None:
    """How long ago the job ran that deletes them, whether or not there was anything to delete; rounded."""
    with reading() as session:
        job = jobs.find(session, "purge")
    if job is None or job.ended_at is None:
        return None
    return max(now() - job.ended_at, timedelta(0)) // ROUNDED * ROUNDED
