"""The form, and the way from it to the inbox."""

import hashlib
from dataclasses import replace
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from subscriptions.actions.gate import Asked, Limited, Need, Pass, Refusal
from subscriptions.actions.subscribe import Ask
from subscriptions.domain import webmail
from subscriptions.domain.evidence import Channel
from subscriptions.parts import parts
from subscriptions.settings import Settings
from subscriptions.store.models import List
from subscriptions.web import asking, guard, language
from subscriptions.web.forms import Problem, SignUp, carried, from_form
from subscriptions.web.limits import origin
from subscriptions.web.problems import answer

pages = Blueprint("pages", __name__)


def init_app(app: Flask, settings: Settings) -> None:
    versions = _versions(Path(app.static_folder or ""))
    sender = parseaddr(settings.mail.sender)

    # a global: macros see it as well
    app.jinja_env.globals["static_url"] = lambda name: url_for("static", filename=name, v=versions[name])

    @app.context_processor
    def always() -> dict[str, Any]:
        trying = settings.mail.transport == "mailbox"
        return {
            "title_suffix": sender[0] or sender[1],
            "footer": None,
            "mailbox_url": url_for("mailbox.index") if trying else None,
            "hours": settings.lifecycle.confirm_within_hours,
        }


def _versions(folder: Path) -> dict[str, str]:
    """The hash of each static file, so that a browser keeps it until it changes."""
    files = [one for one in folder.rglob("*") if one.is_file()]
    return {one.relative_to(folder).as_posix(): hashlib.sha256(one.read_bytes()).hexdigest()[:12] for one in files}


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
    if isinstance(asked, list):
        return _form(row, request.form, asked), 422
    verdict = guard.judge(request.form, asked)
    if isinstance(verdict, guard.Step):
        return _one_more_step(asked, verdict)
    return take(asked, Channel.FORM, verdict)


def the_list(slug: str) -> List:
    """The list of that name that takes sign-ups, or 404."""
    row = parts().catalogue.by_slug(slug)
    if row is None:
        abort(404)
    language.of_list(row)
    return row


def _shown(row: List) -> dict[str, Any]:
    wording = parts().catalogue.wordings[row.wording_id]
    return {
        "list": row,
        "wording": wording,
        "action": url_for("pages.subscribe", slug=row.slug),
        "locale": language.to_store(row),
        "computes": asking.is_asked_here(row),
    }


def _form(row: List, values: Any, wrong: list[Problem]) -> str:
    return render_template(
        "pages/subscribe.html", **_shown(row), values=values, problems=language.in_words(wrong), footer=row
    )


def _one_more_step(asked: SignUp, step: guard.Step) -> Response:
    """Suspicion gets one more page with one button; nothing is stored before it is pressed (B-07, B-09)."""
    row, fields = asked.list, carried(request.form)
    if "locale" not in dict(fields):
        fields.append(("locale", asked.locale))
    page = render_template(
        "pages/one_more_step.html",
        list=row,
        action=url_for("pages.subscribe", slug=row.slug),
        fields=[*fields, ("step", step.token)],
        address=asked.address.typed,
        why=step.why.value,
        seconds=step.seconds,
        computes=asking.computes(),
        footer=row,
    )
    return Response(page, 422)


def take(asked: SignUp, channel: Channel, brings: Pass | None = None) -> BaseResponse:
    """Subscribe and lead to the inbox; the same for everyone."""
    handle = submit(asked, channel, None, brings)
    if isinstance(handle, Limited):
        return too_many(handle)
    if isinstance(handle, Asked):
        return _one_more_step(asked, guard.refused(asked, brings))
    return redirect(url_for("inbox.check_inbox", slug=asked.list.slug, r=handle), 303)


def submit(asked: SignUp, channel: Channel, actor: str | None, brings: Pass | None = None) -> str | Refusal:
    """A sign-up of a new visit; its handle, after the commit."""
    links = parts().links
    handle = links.new_handle(webmail.number_of(asked.address.folded.rpartition("@")[2]))
    return hand_in(asked, links.ref(handle), channel, actor, brings) or handle


def hand_in(
    asked: SignUp, ref: bytes, channel: Channel, actor: str | None, brings: Pass | None = None
) -> Refusal | None:
    """Hand a sign-up to the batch that is being gathered; returns after the commit."""
    joined = parts()
    wording = joined.catalogue.wordings.get(asked.wording_id or "")
    where = origin(request)
    if channel is Channel.BUTTON:
        where = replace(where, network=None)  # pressing a button of a mail is never limited
    ask = Ask(
        ref=ref,
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
        brings=Pass(Need.NEVER) if actor else brings or Pass(),  # who has a token is known
    )
    refused = joined.sign_ups.submit(ask)
    if isinstance(refused, Asked):
        asking.remember(where, refused)
    joined.wake_sender()
    return refused


def too_many(limited: Limited) -> Response:
    wait = max(1, round((limited.until - parts().clock.now()).total_seconds()))
    return answer(429, headers={"Retry-After": str(wait)})
