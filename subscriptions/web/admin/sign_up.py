"""Sign up for somebody who asked on paper, by phone or in person: a mail asks them, as it would of a form."""

from collections.abc import Mapping
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from subscriptions import languages, story
from subscriptions.actions import on_behalf, preferences
from subscriptions.actions.on_behalf import ACTOR
from subscriptions.actions.preferences import Outcome
from subscriptions.actions.subscribe import NOWHERE, SignUp
from subscriptions.domain.evidence import Channel
from subscriptions.languages import marked
from subscriptions.parts import current_parts
from subscriptions.store.engine import reading
from subscriptions.store.models import List
from subscriptions.web.admin import Answer, guard, pages
from subscriptions.web.admin.act_form import NOT_SENT, chosen, day, no_list, today, unchanged
from subscriptions.web.admin.people import sight, the_person
from subscriptions.web.http import language
from subscriptions.web.http.adapter import incoming, now
from subscriptions.web.intake import fields, hints
from subscriptions.web.intake.on_behalf import Vouched
from subscriptions.web.intake.parse import from_form
from subscriptions.web.intake.submit import complete

ASKED = {"paper": marked("On paper"), "phone": marked("By phone"), "in person": marked("In person")}
_NEVER = marked("This address is never sent email: the settings of the service exclude it.")


def by_desk(sign_up: SignUp, asked: Mapping[str, str]) -> SignUp:
    """Complete, without an IP address: whoever typed it is not whom it is about."""
    parts = current_parts()
    ref = parts.links.ref(parts.links.new_handle())
    whole = complete(sign_up, ref, Channel.DESK, incoming(), parts, actor=ACTOR, spoken_for=Vouched(None, asked))
    return whole._replace(origin=NOWHERE, site="")


@pages.route("/people/sign-up", methods=["GET", "POST"])
def sign_up_person() -> Answer:
    """A POST that brings nothing but the address shows the form: no address stands in a URL."""
    rows = guard.lists()
    if not rows:
        return _page(rows, gettext("There is no list that takes sign-ups."))
    if request.method != "POST" or "filled" not in request.form:
        return _page(rows)
    for slug in request.form.getlist("lists"):
        guard.the_list(slug)
    which = chosen(rows)
    how, (asked_on, problem) = request.form.get("how", ""), day(which[0] if which else rows[0], "asked_on")
    if not which or how not in ASKED or problem:
        return _page(rows, problem or no_list(which) or gettext("Please say how they asked."))
    form = MultiDict(
        (name, text) for name, text in request.form.items(multi=True)
        if name not in ("lists", "locale") and not name.startswith("wording")  # today's holds, whatever was shown
    )  # fmt: skip
    form["locale"] = request.form.get("their_locale", "")
    form.setlist("lists", [row.slug for row in which])
    found = from_form(form, None, current_parts().catalogue, special=current_parts().settings.takes_special)
    if isinstance(found, list):
        return _page(rows, language.sentence(found[0]))
    if problem := _second_look(found):
        return _page(rows, problem, seen=found.address.typed)
    return _sign_up(rows, found, {"asked": how, "asked_on": (asked_on or today(which[0])).isoformat()})


def _second_look(found: SignUp) -> str:
    if current_parts().mailable.why_not(found.address):
        return str(gettext(_NEVER))
    hint = hints.unseen(request.form, found.address, current_parts())
    return language.told(hint.text, hint.values) if hint else ""


def _sign_up(rows: list[List], found: SignUp, how: Mapping[str, str]) -> Answer:
    asked, policy = by_desk(found, how), current_parts().policy
    if _is_there(asked):
        return unchanged("sign_up", the_person(asked.key.hex()))
    act = guard.act("people sign up", asked.key, lists=[row.slug for row in asked.rows], **how)
    on_behalf.sign_up(asked, act.at, policy, act)
    outcome, at = preferences.became(asked.ref, asked.key, asked.rows[0].id, now(), policy, asked.mailbox)
    if outcome in NOT_SENT and outcome is not Outcome.WAITS:
        said = language.in_markup(NOT_SENT[outcome], time=language.words(at, asked.rows[0]))
        return _page(rows, said)
    current_parts().wake_sender()
    return redirect(url_for("desk.person", key=asked.key.hex(), done="sign_up"), 303)


def _is_there(asked: SignUp) -> bool:
    """Whether all of these lists are subscribed or waiting; of what is out of sight it is not known."""
    with reading() as session:
        if not story.is_known(session, asked.key, now(), sight()):
            return False
    return {row.id for row in asked.rows} <= the_person(asked.key.hex()).lists


def _page(rows: list[List], problem: str = "", seen: str = "") -> Answer:
    parts, typed = current_parts(), request.form
    asked = [row for row in rows if len(rows) == 1 or row.slug in typed.getlist("lists")]
    shown: dict[str, Any] = {
        "rows": rows, "problem": problem, "typed": typed, "asked": ASKED, "seen": seen,
        "inputs": fields.voluntary_inputs(fields.texts_of(rows), gettext, rows, language.current()),
        "locales": [(tag, languages.own_name(tag)) for tag in parts.languages.tags],
        "locale": parts.languages.known(typed.get("their_locale") or (asked or rows)[0].locale) if rows else "",
        "today": today(rows[0]).isoformat() if rows else "",
    }  # fmt: skip
    page = render_template("desk/sign_up.html", **shown)
    return (page, 422) if problem else page
