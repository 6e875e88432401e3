"""The form, and the way from it to the inbox."""

from dataclasses import replace
from email.utils import parseaddr
from typing import Any

from flask import Blueprint, Flask, Response, abort, g, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from subscriptions.actions.gate import Asked, Limited, Need, Pass, Refusal
from subscriptions.actions.subscribe import Ask, Choice, Origin
from subscriptions.domain import webmail
from subscriptions.domain.address import Address
from subscriptions.domain.evidence import Channel
from subscriptions.domain.mailable import is_within
from subscriptions.parts import parts
from subscriptions.settings import Settings
from subscriptions.store.models import List
from subscriptions.web import asking, guard, hints, language, place
from subscriptions.web.forms import Chosen, Problem, SignUp, from_form
from subscriptions.web.hints import Hint
from subscriptions.web.limits import origin
from subscriptions.web.options import shown_fields
from subscriptions.web.problems import answer
from subscriptions.web.vouched import Vouched

pages = Blueprint("pages", __name__)


def init_app(app: Flask, settings: Settings) -> None:
    sender = parseaddr(settings.mail.sender)

    @app.context_processor
    def always() -> dict[str, Any]:
        trying = settings.mail.transport == "mailbox"
        return {
            "title_suffix": sender[0] or sender[1],
            "footer": None,
            "framed": g.get("framed"),
            "here": place.here,
            "mailbox_url": url_for("mailbox.index") if trying else None,
            "hours": settings.lifecycle.confirm_within_hours,
        }


@pages.get("/")
def index() -> str:
    rows = [one for one in parts().catalogue.configured if one.public]
    only = rows[0] if len(rows) == 1 else None  # the page is that list's own then: its look, its legal notice
    return render_template("pages/index.html", lists=[_shown(one) for one in rows], footer=only)


@pages.get("/subscribe/<slug>")
def form(slug: str) -> str:
    return _form(the_list(slug), {}, [])


@pages.post("/subscribe/<slug>")
def subscribe(slug: str) -> BaseResponse | tuple[str, int]:
    row, form = the_list(slug), hints.chosen(request.form)
    asked = from_form(form, row, parts().catalogue, language.to_store(row))
    wrong = [*(asked if isinstance(asked, list) else []), *place.wrong_return([row])]
    if isinstance(asked, list) or wrong:
        return _form(row, form, wrong), 422
    verdict = guard.judge(form, asked)
    if isinstance(verdict, guard.Step):
        return guard.page(asked, verdict)
    hint = guard.hint(form, asked)
    if hint:
        return _form(row, form, [], hint), 422
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
    back = place.return_url([row])
    place.may_lead_to(back, row.thank_you_url)
    return {
        "list": row,
        "wording": wording,
        "action": place.here("subscribe", row),
        "return_url": back,
        "fields": shown_fields([row], request.args),
        "locale": language.to_store(row),
        "computes": asking.is_asked_here(row),
    }


def _form(row: List, values: Any, wrong: list[Problem], hint: Hint | None = None) -> str:
    return render_template(
        "pages/subscribe.html", **_shown(row), values=values, problems=language.in_words(wrong), hint=hint, footer=row
    )


def take(asked: SignUp, channel: Channel, brings: Pass | None = None) -> BaseResponse:
    """Subscribe and lead to the inbox; the same for everyone."""
    handle = submit(asked, channel, None, brings=brings)
    if isinstance(handle, Limited):
        return too_many(handle)
    if isinstance(handle, Asked):
        return guard.page(asked, guard.refused(asked, brings))
    return place.after_sign_up(asked, handle, by_form=channel is Channel.FORM)


def submit(
    asked: SignUp, channel: Channel, actor: str | None, spoken_for: Vouched | None = None, brings: Pass | None = None
) -> str | Refusal:
    """A sign-up of a new visit; its handle, after the commit."""
    links = parts().links
    handle = links.new_handle(webmail.number_of(asked.address.folded.rpartition("@")[2]))
    return hand_in(asked, links.ref(handle), channel, actor, spoken_for, brings) or handle


def hand_in(
    asked: SignUp,
    ref: bytes,
    channel: Channel,
    actor: str | None,
    spoken_for: Vouched | None = None,
    brings: Pass | None = None,
) -> Refusal | None:
    """Hand a sign-up to the batch that is being gathered; returns after the commit."""
    joined = parts()
    where = origin(request)
    if channel is Channel.BUTTON or actor:  # pressing a button of a mail is never limited; a client vouches
        where = replace(where, network=None)
    if spoken_for and spoken_for.ip:
        where = Origin(spoken_for.ip, "client", None)
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
        wording_sha256=_sha256(asked.wording_id),
        fields=asked.fields,
        also=tuple(_choice(ref, one) for one in asked.also),
        vouched=spoken_for.details if spoken_for else None,
        mailable=joined.mailable.why_not(asked.address) is None,
        flags=flags_of(asked.address),
        brings=Pass(Need.NEVER) if actor else brings or Pass(),  # who has a token is known
    )
    refused = joined.sign_ups.submit(ask)
    if isinstance(refused, Asked):
        asking.remember(where, refused)
    joined.wake_sender()
    if not refused and not actor:  # a client may well bring hundreds at once
        joined.watch.note(asked.list.id, asked.address.ascii_domain, [one.list.id for one in asked.also])
    return refused


def flags_of(address: Address) -> tuple[str, ...]:
    return ("disposable",) if is_within(address.ascii_domain, parts().disposable) else ()


def _choice(first: bytes, one: Chosen) -> Choice:
    ref = parts().links.ref_beside(first, one.list.id)
    return Choice(ref, one.list.id, one.wording_id, _sha256(one.wording_id))


def _sha256(wording_id: str | None) -> str | None:
    wording = parts().catalogue.wordings.get(wording_id or "")
    return wording.sha256 if wording else None


def too_many(limited: Limited) -> Response:
    wait = max(1, round((limited.until - parts().clock.now()).total_seconds()))
    return answer(429, headers={"Retry-After": str(wait)})
