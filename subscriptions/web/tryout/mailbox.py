"""The mailbox and the time machine of the try-out mode; these routes exist nowhere else, and for nobody elsewhere."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Flask, abort, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as BaseResponse

from subscriptions.domain.policy import months_after
from subscriptions.domain.sites import host_of
from subscriptions.jobs import lease
from subscriptions.jobs.jobs import NAMED, Run
from subscriptions.languages import marked
from subscriptions.parts import current_parts
from subscriptions.store import audit, mailbox, meta, mode, subscriptions
from subscriptions.store.audit import Act
from subscriptions.store.engine import Contention, Unavailable, WentLive, reading, transaction
from subscriptions.store.models import ActorKind, Captured
from subscriptions.web.http import headers, language
from subscriptions.web.http.adapter import incoming
from subscriptions.web.http.client_ip import is_straight_from_loopback
from subscriptions.web.http.mail_page import parsed
from subscriptions.web.http.open_tab import TO_OURSELVES
from subscriptions.web.tryout import mail_view, previews

pages = Blueprint("mailbox", __name__, url_prefix="/mailbox")

STEPS: dict[str, tuple[str, Callable[[datetime], datetime]]] = {
    "1h": (marked("+1 hour"), lambda now: now + timedelta(hours=1)),
    "24h": (marked("+24 hours"), lambda now: now + timedelta(hours=24)),
    "1month": (marked("+1 month"), lambda now: months_after(now, 1)),
}


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)
    app.register_blueprint(previews.pages)
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
    steps = [{"value": value, "label": gettext(label)} for value, (label, _) in STEPS.items()]
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
            "when": language.words(mail.at), "kind": mail.mail}  # fmt: skip


def _find(id_: int) -> mail_view.Shown:
    with reading() as session:
        mail = mailbox.find(session, id_) or abort(404)
        return mail_view.Shown(mail.source, mail.at, "mailbox.index", gettext("Back to the mailbox"))


mail_view.add_views(pages, f"/<int(max={2**63 - 1}):id_>", _find)  # no database counts further


def _is_from_here(site: str | None, origin: str | None) -> bool:
    """Whether no other website led here, as the browser says: an older one by the origin alone, and programs not."""
    if origin in (None, "null") and site:  # which hides it from a site that may not know where it was
        return site in ("same-origin", "none")
    return site in ("same-origin", "none", None) and (origin is None or host_of(origin) == incoming().host)


@pages.post("/clock")
def move_clock() -> BaseResponse:
    """Move the app's clock ahead and run the jobs, so that anyone can watch block and purge."""
    if not _is_from_here(request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")):
        abort(403)
    parts = current_parts()
    step = request.form.get("forward", "")
    _, later = STEPS.get(step, ("", None))
    if later is None:
        return redirect(url_for("mailbox.index"), 303)
    now = parts.clock.now()
    parts.clock.ahead += later(now) - now
    with transaction() as session:
        meta.put(session, mode.CLOCK_AHEAD, str(parts.clock.ahead.total_seconds()))
        audit.write(session, Act(parts.clock.now(), ActorKind.TRY_OUT, "time machine", "clock", details={"to": step}))
    counts = {name: _run(name) for name in ("deliver", "block", "purge")}
    for name in ("numbers", "tidy", "seal", "policies"):  # which would be late for minutes, and the desk would say so
        _run(name)
    return redirect(url_for("mailbox.index", _anchor="machine", **counts), 303)  # type: ignore[arg-type]


def _run(name: str) -> int:
    parts = current_parts()
    if name == "deliver":
        return NAMED[name].work(Run(parts, parts.clock.now(), asked=True))
    try:
        return lease.run(NAMED[name], parts, asked=True, confirmed=True) or 0
    except lease.Running:
        return 0
