"""The way to one's own preferences: ask for the link by mail, open it once, and the acts of the page behind it."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from subscriptions.actions import preferences
from subscriptions.actions.preferences import Profile
from subscriptions.domain.requests import LONGEST
from subscriptions.links import Opener, Session
from subscriptions.mail.responsible import sender_of_all
from subscriptions.parts import current_parts
from subscriptions.web.http import language
from subscriptions.web.http.adapter import incoming, now
from subscriptions.web.http.client_ip import origin
from subscriptions.web.http.problem import Problem
from subscriptions.web.http.problems import too_many
from subscriptions.web.intake.fields import Input, address_input
from subscriptions.web.intake.parse import address_in
from subscriptions.web.pages.preferences.actions import ACTS
from subscriptions.web.pages.preferences.view import Said, about, known, page

pages = Blueprint("preferences", __name__)


@pages.get("/preferences")
@pages.get("/my-data")
def form() -> str:
    return _form([])


@pages.post("/preferences")
@pages.post("/my-data")
def ask() -> BaseResponse | tuple[str, int]:
    """The same answer for every address."""
    parts = current_parts()
    address = address_in(request.form, special=parts.settings.takes_special)
    if isinstance(address, Problem):
        return _form([address]), 422
    key, mailbox = parts.links.key(address.folded), parts.links.mailbox_key(address.folded)
    network = origin(incoming(), parts).network
    is_mailable = parts.mailable.why_not(address) is None
    limited = preferences.ask(key, address.mailed, network, now(), parts.policy, mailbox, is_mailable=is_mailable)
    if limited:
        return too_many(limited)
    parts.wake_sender()
    return redirect(url_for("preferences.sent"), 303)


def _form(wrong: list[Problem]) -> str:
    problems, address = language.in_words(wrong), address_input(gettext)
    shown = {"typed": request.form.get("email", ""), "address": address, "problems": problems}
    return render_template("pages/preferences_ask.html", **shown)


@pages.get("/preferences/sent")
@pages.get("/my-data/sent")
def sent() -> str:
    return render_template("pages/preferences_sent.html", sender=_sender())


def _sender() -> str:
    return sender_of_all(current_parts().catalogue, current_parts().settings.mail.sender)


@pages.get("/preferences/<token>")
@pages.get("/my-data/<token>")
def link_page(token: str) -> tuple[str, int]:
    """One button, and nothing happens before it is pressed: scanners follow every link."""
    opener = current_parts().links.read_preferences(token)
    mine = known(opener)
    footer = about(mine)
    if now() >= opener.until or preferences.is_used(opener):
        return _gone(opener, token, mine)
    action, until = url_for("preferences.open_", token=token), language.words(opener.until)
    return render_template("pages/preferences_open.html", action=action, until=until, footer=footer), 200


@pages.post("/preferences/<token>")
@pages.post("/my-data/<token>")
def open_(token: str) -> tuple[str, int]:
    parts = current_parts()
    opener = parts.links.read_preferences(token)
    if not preferences.open_(opener, now()):
        return _gone(opener, token, known(opener))
    session = parts.links.session_token(opener.key, opener.mailbox)
    return page(parts.links.read_session(session), session, Said())


def _gone(opener: Opener, token: str, mine: Profile) -> tuple[str, int]:
    """Used or too old: it still says who asks, so a fresh one takes no typing where we have the address."""
    used, footer = now() < opener.until, about(mine)
    shown = {"used": used, "action": url_for("preferences.again", token=token), "address": _to_type(mine)}
    return render_template("pages/preferences_gone.html", footer=footer, **shown), 410


def _to_type(mine: Profile) -> Input | None:
    return None if mine.address else address_input(gettext)


@pages.post("/preferences/<token>/again")
@pages.post("/my-data/<token>/again")
def again(token: str) -> str:
    return _again(current_parts().links.read_preferences(token))


def _again(whose: Opener | Session) -> str:
    parts = current_parts()
    footer = about(known(whose))
    due_at = preferences.ask_again(whose.key, now(), whose.mailbox, _typed(whose))
    parts.wake_sender()
    waits = language.words(due_at) if due_at and due_at > now() else None
    shown = {"sent": bool(due_at), "waits": waits, "sender": _sender(), "footer": footer}
    return render_template("pages/preferences_again.html", **shown)


def _typed(whose: Opener | Session) -> str | None:
    """The address in the form, where it is that of the link: another is answered like none."""
    parts = current_parts()
    address = address_in(request.form, special=parts.settings.takes_special)
    if isinstance(address, Problem) or parts.links.key(address.folded) != whose.key:
        return None
    return address.mailed


@pages.get("/preferences/my/<act>")
@pages.get("/my-data/my/<act>")
def reload(act: str) -> BaseResponse:
    """Where a browser comes that asks again for the page without its form."""
    return redirect(url_for("preferences.form"), 302)


@pages.post("/preferences/my/<act>")
@pages.post("/my-data/my/<act>")
def do(act: str) -> BaseResponse | tuple[str, int]:
    """An act of the page. Its form carries the session: no cookie, and nobody else can know it."""
    token = request.form.get("session", "")
    session = current_parts().links.read_session(token)
    if act == "again":
        return _again(session), 200
    if now() >= session.until:
        return _over(session, token)
    if act not in ACTS:
        abort(404)
    said = ACTS[act](session)
    return page(session, token, said) if isinstance(said, Said) else said


def _over(session: Session, token: str) -> tuple[str, int]:
    mine, action = known(session), url_for("preferences.do", act="again")
    words = request.form.get("words", "")[: 2 * LONGEST]  # what was typed is not lost with the visit
    shown = {
        "words": words,
        "over": True,
        "session": token,
        "action": action,
        "footer": about(mine),
        "address": _to_type(mine),
    }
    return render_template("pages/preferences_gone.html", **shown), 410
