"""The form, and the way from it to the inbox."""

import hashlib
from dataclasses import replace
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, abort, g, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from subscriptions.actions.subscribe import Ask, Limited
from subscriptions.domain.evidence import Channel
from subscriptions.parts import parts
from subscriptions.settings import Settings
from subscriptions.store.models import List
from subscriptions.web import language, place
from subscriptions.web.forms import HONEYPOT, Problem, SignUp, from_form
from subscriptions.web.limits import origin
from subscriptions.web.problems import answer

pages = Blueprint("pages", __name__)


def init_app(app: Flask, settings: Settings) -> None:
    versions = _versions(Path(app.static_folder or ""))
    sender = parseaddr(settings.mail.sender)

    @app.context_processor
    def always() -> dict[str, Any]:
        trying = settings.mail.transport == "mailbox"
        return {
            "static_url": lambda name: url_for("static", filename=name, v=versions[name]),
            "title_suffix": sender[0] or sender[1],
            "footer": None,
            "framed": g.get("framed"),
            "here": place.here,
            "mailbox_url": url_for("mailbox.index") if trying else None,
            "hours": settings.lifecycle.confirm_within_hours,
        }


def _versions(folder: Path) -> dict[str, str]:
    """The hash of each static file, so that a browser keeps it until it changes."""
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest()[:12] for one in folder.iterdir() if one.is_file()}


@pages.get("/")
def index() -> str:
    lists = [_shown(one) for one in parts().catalogue.configured if one.public]
    return render_template("pages/index.html", lists=lists)


@pages.get("/subscribe/<slug>")
def form(slug: str) -> str:
    return _form(the_list(slug), {}, [])


@pages.post("/subscribe/<slug>")
def subscribe(slug: str) -> BaseResponse | tuple[str, int]:
    row = the_list(slug)
    asked = from_form(request.form, row, parts().catalogue, language.to_store(row))
    wrong = [*(asked if isinstance(asked, list) else []), *place.wrong_return(row)]
    if isinstance(asked, list) or wrong:
        return _form(row, request.form, wrong), 422
    if request.form.get(HONEYPOT):
        return _one_more_step(row), 422
    return take(asked, Channel.FORM)


@pages.get("/subscribe/<slug>/check-inbox")
def check_inbox(slug: str) -> str:
    row = the_list(slug)
    subject = render_template("email/confirm/subject.txt", list_name=row.name).strip()
    sender = parts().settings.mail.sender
    return render_template("pages/check_inbox.html", list=row, sender=sender, subject=subject, footer=row)


def the_list(slug: str) -> List:
    """The list of that name that takes sign-ups, or 404."""
    row = parts().catalogue.by_slug(slug)
    if row is None:
        abort(404)
    language.of_list(row)
    return row


def _shown(row: List) -> dict[str, Any]:
    wording = parts().catalogue.wordings[row.wording_id]
    back = place.return_url(row)
    place.may_lead_to(back, row.thank_you_url)
    return {
        "list": row,
        "wording": wording,
        "action": place.here("subscribe", row),
        "return_url": back,
        "locale": language.to_store(row),
    }


def _form(row: List, values: Any, wrong: list[Problem]) -> str:
    return render_template(
        "pages/subscribe.html", **_shown(row), values=values, problems=language.in_words(wrong), footer=row
    )


def _one_more_step(row: List) -> str:
    """Suspicion gets one more page with one button; nothing is stored before it is pressed (B-07, B-09)."""
    values = {name: request.form.get(name, "") for name in ("email", "name", "wording")}
    values["locale"] = request.form.get("locale") or language.to_store(row)
    return render_template("pages/one_more_step.html", **_shown(row), values=values, footer=row)


def take(asked: SignUp, channel: Channel) -> BaseResponse:
    """Subscribe and lead to the inbox; the same for everyone."""
    handle = submit(asked, channel, None)
    if isinstance(handle, Limited):
        return too_many(handle)
    return place.after_sign_up(asked.list, handle, by_form=channel is Channel.FORM)


def submit(asked: SignUp, channel: Channel, actor: str | None) -> str | Limited:
    """Hand a sign-up to the batch that is being gathered; the handle of this visit, after the commit."""
    joined = parts()
    handle = joined.links.new_handle()
    wording = joined.catalogue.wordings.get(asked.wording_id or "")
    where = origin(request)
    if channel is Channel.BUTTON:
        where = replace(where, network=None)  # pressing a button of a mail is never limited
    ask = Ask(
        ref=joined.links.ref(handle),
        key=joined.links.key(asked.address.folded),
        address=asked.address,
        list_id=asked.list.id,
        name=asked.name,
        locale=asked.locale,
        wording_id=asked.wording_id,
        channel=channel,
        actor=actor,
        origin=where,
        wording_sha256=wording.sha256 if wording else None,
    )
    limited = joined.sign_ups.submit(ask)
    joined.wake_sender()
    return limited or handle


def too_many(limited: Limited) -> Response:
    wait = max(1, round((limited.until - parts().clock.now()).total_seconds()))
    return answer(429, headers={"Retry-After": str(wait)})
