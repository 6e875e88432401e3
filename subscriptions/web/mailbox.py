"""The mailbox and the time machine of the try-out mode; these routes exist nowhere else."""

import base64
import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as BaseResponse

from subscriptions.domain.policy import months_after
from subscriptions.jobs import lease
from subscriptions.jobs.jobs import jobs
from subscriptions.languages import marked
from subscriptions.parts import parts
from subscriptions.store import chapters, mailbox, meta
from subscriptions.store.engine import Contention, Unavailable, reading, transaction
from subscriptions.store.models import Captured
from subscriptions.web import language

pages = Blueprint("mailbox", __name__, url_prefix="/mailbox")
ONE = f"/<int(max={2**63 - 1}):id_>"  # no database counts further

STEPS: dict[str, tuple[str, Callable[[datetime], datetime]]] = {
    "1h": (marked("+1 hour"), lambda now: now + timedelta(hours=1)),
    "24h": (marked("+24 hours"), lambda now: now + timedelta(hours=24)),
    "1month": (marked("+1 month"), lambda now: months_after(now, 1)),
}
_SAYS: dict[str, Callable[[int], str]] = {
    "block": lambda number: ngettext(
        "%(num)d unconfirmed sign-up was blocked.", "%(num)d unconfirmed sign-ups were blocked.", number
    ),
    "purge": lambda number: ngettext(
        "%(num)d blocked sign-up was deleted, with everything that was stored about it.",
        "%(num)d blocked sign-ups were deleted, with everything that was stored about them.",
        number,
    ),
    "deliver": lambda number: ngettext("%(num)d mail was sent.", "%(num)d mails were sent.", number),
}


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)
    app.before_request(_follow_clock)


def _follow_clock() -> None:
    """The clock where the time machine has put it; without a database /healthz lives and /readyz says why (O-01)."""
    if request.endpoint not in ("health.healthz", "static"):
        with suppress(Unavailable, Contention):
            parts().follow_clock()


@pages.get("/")
def index() -> str:
    joined = parts()
    now = joined.clock.now()
    with reading() as session:
        mails = [_line(one) for one in mailbox.newest(session)]
        counts = chapters.counts(session, now)
    return render_template(
        "pages/mailbox.html",
        mails=mails,
        now=language.words(now),
        moved=_moved(joined.clock.ahead),
        clock_action=url_for("mailbox.move_clock"),
        steps=[{"value": value, "label": gettext(label)} for value, (label, _) in STEPS.items()],
        jobs=_ran(now),
        lists_counts=[{"name": one.name, **counts[one.id]} for one in joined.catalogue.configured],
    )


def _ran(now: datetime) -> list[dict[str, Any]]:
    """What the jobs did at the last move, as the address of the page tells."""
    counts = [(name, request.args.get(name, type=int)) for name in _SAYS]
    return [
        {"name": name, "ran": language.words(now), "count": count, "sentence": _SAYS[name](count)}
        for name, count in counts
        if count is not None
    ]


def _moved(ahead: timedelta) -> str | None:
    days, hours = divmod(round(ahead.total_seconds() / 3600), 24)
    in_days = ngettext("%(num)d day", "%(num)d days", days)
    in_hours = ngettext("%(num)d hour", "%(num)d hours", hours)
    if days and hours:
        return str(gettext("%(days)s and %(hours)s", days=in_days, hours=in_hours))
    return (in_days if days else in_hours) if days or hours else None


def _line(one: Captured) -> dict[str, Any]:
    parsed = _parsed(one)
    url = url_for("mailbox.show", id_=one.id)
    return {
        "url": url,
        "to": parsed["To"],
        "subject": parsed["Subject"],
        "when": language.words(one.at),
        "kind": one.mail,
    }


def _parsed(one: Captured) -> EmailMessage:
    return message_from_bytes(one.source, policy=policy.default)


def _mail(id_: int) -> Captured:
    with reading() as session:
        found = mailbox.find(session, id_)
        if found is None:
            abort(404)
        session.expunge_all()
        return found


@pages.get(ONE)
def show(id_: int) -> str:
    one = _mail(id_)
    parsed = _parsed(one)
    text = parsed.get_body(("plain",))
    shown = {
        "from": parsed["From"],
        "to": parsed["To"],
        "subject": parsed["Subject"],
        "when": language.words(one.at),
        "text": text.get_content() if text else "",
        "body_url": url_for("mailbox.body", id_=id_),
        "source_url": url_for("mailbox.source", id_=id_),
        "headers": list(parsed.items()),
        "one_click": urlsplit(str(parsed.get("List-Unsubscribe", "")).strip("<>")).path or None,
    }
    response = Response(render_template("pages/mail.html", mail=shown))
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    return response  # type: ignore[return-value]


@pages.get(f"{ONE}/body")
def body(id_: int) -> Response:
    """The HTML part as a mail program shows it: its own styles by their hashes, nothing else."""
    mail = _parsed(_mail(id_))
    part = mail.get_body(("html",))
    html = part.get_content() if part else ""
    html = html.replace("\r\n", "\n")  # browsers hash a style after this
    html = html.replace("<head>", '<head><base target="_top">', 1)
    styles = re.findall(r"<style[^>]*>(.*?)</style>", html, re.S) + re.findall(r'\sstyle="([^"]*)"', html)
    hashes = " ".join(sorted({f"'sha256-{_sha256(style)}'" for style in styles}))
    response = Response(html, mimetype="text/html")
    response.headers["Content-Language"] = mail.get("Content-Language", language.current())
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'unsafe-hashes' {hashes}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'"
    )
    return response


def _sha256(style: str) -> str:
    plain = style.replace("&#39;", "'").replace("&quot;", '"').replace("&amp;", "&")
    return base64.b64encode(hashlib.sha256(plain.encode()).digest()).decode()


@pages.get(f"{ONE}/source")
def source(id_: int) -> Response:
    return Response(_mail(id_).source, mimetype="text/plain")


@pages.post("/clock")
def move_clock() -> BaseResponse:
    """Move the app's clock ahead and run the jobs, so that anyone can watch block and purge."""
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        abort(403)
    joined = parts()
    step = STEPS.get(request.form.get("forward", ""))
    if step is None:
        return redirect(url_for("mailbox.index"), 303)
    now = joined.clock.now()
    joined.clock.ahead += step[1](now) - now
    with transaction() as session:
        meta.put(session, "clock_ahead", str(joined.clock.ahead.total_seconds()))
    counts = {name: _run(name) for name in ("deliver", "block", "purge")}
    _run("tidy")
    return redirect(url_for("mailbox.index", _anchor="machine", **counts), 303)  # type: ignore[arg-type]


def _run(name: str) -> int:
    joined = parts()
    now = joined.clock.now()
    job = jobs(joined.sender, joined.policy, joined.clock, asked=True)[name]
    if name == "deliver":
        return job(now, lambda: True)
    try:
        return lease.run(name, job, joined.clock, asked=True, confirmed=True) or 0
    except lease.Running:
        return 0
