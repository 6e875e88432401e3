"""The mailbox and the time machine of the try-out mode; these routes exist nowhere else, and for nobody elsewhere."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Flask, abort, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as BaseResponse

from subscriptions.domain.mail_kinds import noun
from subscriptions.parts import current_parts
from subscriptions.store import mailbox, subscriptions
from subscriptions.store.engine import Contention, Unavailable, WentLive, reading
from subscriptions.store.models import Captured
from subscriptions.web.http import headers, language
from subscriptions.web.http.adapter import incoming
from subscriptions.web.http.client_ip import is_straight_from_loopback
from subscriptions.web.http.mail_page import parsed
from subscriptions.web.http.open_tab import TO_OURSELVES
from subscriptions.web.tryout import mail_view, previews, time_machine, tour

pages = Blueprint("mailbox", __name__, url_prefix="/mailbox")


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)
    app.register_blueprint(previews.pages)
    app.register_blueprint(tour.pages)
    app.before_request(_only_from_here)
    app.before_request(_follow_clock)


def _only_from_here() -> None:
    """To others none of this is there, whatever Host they name: a server that is not ours may listen anywhere."""
    if request.path.strip("/").partition("/")[0] == "mailbox" and not is_straight_from_loopback(incoming()):
        abort(404)


def _follow_clock() -> None:
    """The clock where the time machine has put it; without a database /healthz lives and /readyz says why."""
    if request.endpoint not in ("health.healthz", "static"):
        try:
            current_parts().follow_clock()
        except WentLive:
            raise
        except (Unavailable, Contention):
            pass


@pages.get("/")
def index() -> str:
    parts = current_parts()
    now = parts.clock.now()
    headers.refer(TO_OURSELVES)  # else older browsers would send no origin with the buttons of the time machine
    with reading() as session:
        mails = [_line(mail) for mail in mailbox.newest(session)]
        counts = subscriptions.counts(session, now)
    ran = {name: request.args.get(name, type=int) for name in ("block", "purge", "deliver")}
    shown = {"now": language.words(now), "moved": _moved(parts.clock.ahead), "ran": ran, "mails": mails,
             "clock_action": url_for("mailbox.move_clock")}  # fmt: skip
    steps = [{"value": value, "label": gettext(label)} for value, (label, _) in time_machine.STEPS.items()]
    lists_counts = [{"name": language.named(row), **counts[row.id]} for row in parts.catalogue.configured]
    return render_template("pages/mailbox.html", **shown, steps=steps, lists_counts=lists_counts)


def _moved(ahead: timedelta) -> str | None:
    days, hours = divmod(round(ahead.total_seconds() / 3600), 24)
    in_days = ngettext("%(num)d day", "%(num)d days", days)
    in_hours = ngettext("%(num)d hour", "%(num)d hours", hours)
    if days and hours:
        return str(gettext("%(days)s and %(hours)s", days=in_days, hours=in_hours))
    return (in_days if days else in_hours) if days or hours else None


def _line(mail: Captured) -> dict[str, Any]:
    head = parsed(mail.source)
    return {"url": url_for("mailbox.show", id_=mail.id), "to": head["To"], "subject": head["Subject"],
            "when": language.words(mail.at), "kind": gettext(noun(mail.mail))}  # fmt: skip


def _find(id_: int) -> mail_view.Shown:
    with reading() as session:
        mail = mailbox.find(session, id_) or abort(404)
        return mail_view.Shown(mail.source, mail.at, "mailbox.index", gettext("Back to the mailbox"))


mail_view.add_views(pages, f"/<int(max={2**63 - 1}):id_>", _find)  # no database counts further


@pages.post("/clock")
def move_clock() -> BaseResponse:
    """Move the app's clock ahead and run the jobs, so that anyone can watch block and purge."""
    if not time_machine.is_from_here():
        abort(403)
    step = request.form.get("forward", "")
    if step not in time_machine.STEPS:
        return redirect(url_for("mailbox.index"), 303)
    counts = time_machine.jump(step)
    return redirect(url_for("mailbox.index", _anchor="machine", **counts), 303)  # type: ignore[arg-type]
