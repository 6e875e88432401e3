"""The form, and the way from it to the inbox."""

import hashlib
from dataclasses import replace
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, abort, g, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from subscriptions.actions.subscribe import Ask, Choice, Limited, Origin
from subscriptions.domain.evidence import Channel
from subscriptions.parts import parts
from subscriptions.settings import Settings
from subscriptions.store.models import List
from subscriptions.web import language, place
from subscriptions.web.forms import HONEYPOT, Chosen, Problem, SignUp, from_form
from subscriptions.web.limits import origin
from subscriptions.web.options import shown_fields
from subscriptions.web.problems import answer
from subscriptions.web.voluntary import keys_of
from subscriptions.web.vouched import Vouched

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
    wrong = [*(asked if isinstance(asked, list) else []), *place.wrong_return([row])]
    if isinstance(asked, list) or wrong:
        return _form(row, request.form, wrong), 422
    if request.form.get(HONEYPOT):
        return _one_more_step(row), 422
    return take(asked, Channel.FORM)


@pages.get("/subscribe/<slug>/check-inbox")
def check_inbox(slug: str) -> str:
    row = the_list(slug)
    names = language.listed([row, *_also()])
    subject = render_template("email/confirm/subject.txt", list_name=names).strip()
    sender = parts().settings.mail.sender
    return render_template("pages/check_inbox.html", list=row, names=names, sender=sender, subject=subject, footer=row)


def _also() -> list[List]:
    """The further lists of a form of several, as far as they exist."""
    slugs = dict.fromkeys(request.args.get("also", "").split(","))
    return [row for row in map(parts().catalogue.by_slug, slugs) if row]


def the_list(slug: str) -> List:
    """The list of that name that takes sign-ups, or 404."""
    row = parts().catalogue.by_slug(slug)
    if row is None:
        abort(404)
    language.of_list(row)
    return row


def _shown(row: List) -> dict[str, Any]:
    wording = parts().catalogue.wordings[row.wording_id]
    back = place.return_url([row])
    place.may_lead_to(back, row.thank_you_url)
    return {
        "list": row,
        "wording": wording,
        "action": place.here("subscribe", row),
        "return_url": back,
        "fields": shown_fields([row], request.args),
        "locale": language.to_store(row),
    }


def _form(row: List, values: Any, wrong: list[Problem]) -> str:
    return render_template(
        "pages/subscribe.html", **_shown(row), values=values, problems=language.in_words(wrong), footer=row
    )


def _one_more_step(row: List) -> str:
    """Suspicion gets one more page with one button; nothing is stored before it is pressed (B-07, B-09)."""
    values = {name: request.form.get(name, "") for name in ("email", "wording", *keys_of([row]))}
    values |= {"locale": request.form.get("locale") or language.to_store(row), place.RETURN: place.return_url([row])}
    return render_template(
        "pages/one_more_step.html",
        **_shown(row),
        values=values,
        names=row.name,
        carried=list(values.items()),
        footer=row,
    )


def take(asked: SignUp, channel: Channel) -> BaseResponse:
    """Subscribe and lead to the inbox; the same for everyone."""
    handle = submit(asked, channel, None)
    if isinstance(handle, Limited):
        return too_many(handle)
    return place.after_sign_up(asked, handle, by_form=channel is Channel.FORM)


def submit(asked: SignUp, channel: Channel, actor: str | None, spoken_for: Vouched | None = None) -> str | Limited:
    """Hand a sign-up to the batch that is being gathered; the handle of this visit, after the commit."""
    joined = parts()
    handle = joined.links.new_handle()
    where = origin(request)
    if channel is Channel.BUTTON or actor:  # pressing a button of a mail is never limited; a client vouches
        where = replace(where, network=None)
    if spoken_for and spoken_for.ip:
        where = Origin(spoken_for.ip, "client", None)
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
        wording_sha256=_sha256(asked.wording_id),
        fields=asked.fields,
        also=tuple(_choice(handle, one) for one in asked.also),
        vouched=spoken_for.details if spoken_for else None,
    )
    limited = joined.sign_ups.submit(ask)
    joined.wake_sender()
    return limited or handle


def _choice(handle: str, one: Chosen) -> Choice:
    ref = parts().links.ref(f"{handle} {one.list.id}")
    return Choice(ref, one.list.id, one.wording_id, _sha256(one.wording_id))


def _sha256(wording_id: str | None) -> str | None:
    wording = parts().catalogue.wordings.get(wording_id or "")
    return wording.sha256 if wording else None


def too_many(limited: Limited) -> Response:
    wait = max(1, round((limited.until - parts().clock.now()).total_seconds()))
    return answer(429, headers={"Retry-After": str(wait)})
