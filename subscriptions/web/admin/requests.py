"""Requests of people about their data: the list, one of them, letters and calls, and answers that are ready."""

from datetime import datetime
from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask_babel import force_locale, gettext, ngettext
from werkzeug.datastructures import ImmutableMultiDict

from subscriptions import clock
from subscriptions.actions import Refused, requests
from subscriptions.actions.requests import Asked
from subscriptions.domain import reasons
from subscriptions.domain.evidence import Channel
from subscriptions.domain.requests import LONGEST, RequestKind, Step
from subscriptions.inbound.to_read import ToRead
from subscriptions.languages import locale_of, marked
from subscriptions.mail import responsible
from subscriptions.parts import current_parts
from subscriptions.store import audit
from subscriptions.store import requests as rows
from subscriptions.store.engine import reading
from subscriptions.store.models import List, Request
from subscriptions.store.person import NOT_SHOWN
from subscriptions.web.admin import Answer, door, guard, letters, pages, telling
from subscriptions.web.admin.act_form import CHANNELS, begins, day
from subscriptions.web.admin.people import the_person
from subscriptions.web.http import language
from subscriptions.web.http.adapter import now
from subscriptions.web.http.telling import periods, recipients, unsure_ips_hidden

KINDS = {
    RequestKind.ACCESS: marked("Access"), RequestKind.CORRECTION: marked("Correction"),
    RequestKind.ERASURE: marked("Erasure"), RequestKind.RESTRICTION: marked("Restriction"),
    RequestKind.OBJECTION: marked("Objection"), RequestKind.COMPLAINT: marked("Complaint"),
    RequestKind.OTHER: marked("Something else"),
}  # fmt: skip
SETTLED_SHOWN = 50
_ID = f"<int(max={2**63 - 1}):id_>"  # no database counts further
_EMPTY = marked("Please write why, or what was answered.")


def label() -> str:
    """In the menu, with how many are due."""
    if not guard.may("desk.requests_page"):
        return ""
    with reading() as session:
        due, _ = rows.number_due(session, now().date(), guard.who().lists)
    return f"{gettext('Requests')} ({due})" if due else str(gettext("Requests"))


@pages.get("/requests")
def requests_page() -> str:
    lists = guard.who().lists
    with reading() as session:
        waiting, settled = rows.waiting(session, lists), rows.settled(session, lists, SETTLED_SHOWN)
    audit.note(guard.act("requests show").of(len(waiting) + len(settled)))
    told = {"waiting": [_told(row) for row in waiting], "settled": [_told(row) for row in settled]}
    return render_template("desk/requests.html", **told)


def _told(row: Request) -> dict[str, Any]:
    return {"row": row, "kind": gettext(KINDS[row.kind]), "due": _due(row), "until": language.day(row.until),
            "who": row.person or row.address or gettext("somebody without an address"),
            "list": _list_of(row.list_id), "received": _received(row)}  # fmt: skip


def _received(row: Request) -> str:
    """Of a letter of last week only the day is known, which is kept as its beginning."""
    of = _list_of(row.list_id) or current_parts().catalogue.configured[0]
    here = row.received_at.astimezone(clock.zone_of(of.timezone))
    is_day = row.channel != Channel.PREFERENCES and here == begins(here.date(), of)
    return language.day(here.date()) if is_day else language.words(row.received_at, of)


def _list_of(id_: int | None) -> List | None:
    return telling.list_of(id_) if id_ is not None else None


def _due(row: Request) -> str:
    if row.outcome:
        return ""
    left = (row.until - now().date()).days
    if left < 0:
        return str(ngettext("overdue by %(num)d day", "overdue by %(num)d days", -left))
    return str(ngettext("due in %(num)d day", "due in %(num)d days", left) if left else gettext("due today"))


# One that came another way


@pages.route("/requests/new", methods=["GET", "POST"])
def enter_request() -> Answer:
    """Of an email that waits to be read, what is known of it is filled in; once it is entered, it is dealt with."""
    asked, received, problem = _entered() if request.method == "POST" else (None, None, "")
    letter = request.args.get("letter", "")
    if asked is None or received is None:
        return _form(problem, letters.find(letter) if letter and request.method == "GET" else None)
    act = guard.act("requests enter", asked.key, channel=asked.channel, kind=asked.kind)
    id_ = requests.enter(asked, received if received.date() < act.at.date() else act.at, act)
    current_parts().wake_sender()
    if letter:
        letters.close_after(letter, "entered")
    return redirect(url_for("desk.show_request", id_=id_, done="enter"), 303)


def _form(problem: str, letter: ToRead | None = None) -> Answer:
    typed = request.form
    if letter:
        known = {"person": letter.sender, "email": letter.address, "words": letter.words[:LONGEST]}
        typed = ImmutableMultiDict(known | {"kind": RequestKind.ERASURE, "channel": Channel.EMAIL})
    shown = {"kinds": KINDS, "lists": guard.lists(), "typed": typed, "problem": problem, "longest": LONGEST}
    page = render_template("desk/request_new.html", sees_all=guard.who().sees_all, today=now().date(), **shown)
    return (page, 422) if problem else page


def _entered() -> tuple[Asked | None, datetime | None, str]:
    """What was filled in and when it came, or what is wrong with it."""
    form, slug = request.form, request.form.get("list", "")
    row = guard.the_list(slug) if slug or not guard.who().sees_all else None
    zone_of = row or current_parts().catalogue.configured[0]
    (received, problem), kind = day(zone_of), form.get("kind", "")
    identity, problem_of_identity = _line(form.get("identity", ""))
    address, problem_of_address = door.address(form["email"]) if form.get("email", "").strip() else ("", "")
    words, problem_of_words = _words(form.get("words", ""))
    if kind not in [*KINDS]:
        problem = gettext("Please choose what it is about.")
    if form.get("channel") not in CHANNELS:
        problem = problem or gettext("Please say how they told you.")
    if not (address or form.get("person", "").strip()):
        problem = problem or gettext("Please say who asks: a name, an email address, or both.")
    problem = problem or problem_of_identity or problem_of_address or problem_of_words
    if problem:
        return None, None, problem
    asked = Asked(
        RequestKind(kind), next(way for way in CHANNELS if way == form["channel"]), words, row.id if row else None,
        zone_of.timezone, current_parts().links.key(address) if address else None, address or None,
        _one_line(form.get("person", "")), zone_of.locale, identity,
    )  # fmt: skip
    return asked, begins(received, zone_of) if received else now(), ""


def _line(text: str) -> tuple[str, str]:
    try:
        return reasons.one_line(text), ""
    except reasons.BadReason as error:
        return "", gettext(error.sentence, **error.values)


def _one_line(text: str) -> str | None:
    return "".join(filter(str.isprintable, text.strip()))[: reasons.LONGEST] or None


def _words(text: str) -> tuple[str, str]:
    """What was written, or what is wrong with it."""
    try:
        words = reasons.lines(text, LONGEST)
    except reasons.BadReason as error:
        return "", gettext(error.sentence, **error.values)
    return words, "" if words else gettext(_EMPTY)


# One of them


@pages.get(f"/requests/{_ID}")
def show_request(id_: int) -> str:
    row = _find(id_)
    audit.note(guard.act("requests open", about=row.key, request=id_))
    return _shown(row)


def _find(id_: int) -> Request:
    with reading() as session:
        return rows.find(session, id_, guard.who().lists) or abort(404)


_DONE = {
    "enter": marked("The request is entered."), "answer": marked("The request is answered."),
    "extend": marked("The request is extended."), "refuse": marked("The request is refused."),
}  # fmt: skip


def _shown(row: Request, problem: str = "", step: str = "") -> str:
    done = _DONE.get(request.args.get("done", ""))
    is_known = bool(row.key and row.address)
    shown = {"problem": problem, "step": step, "typed": request.form, "longest": LONGEST, "is_known": is_known}
    return render_template("desk/request.html", one=_told(row), done=gettext(done) if done else "", **shown)


@pages.post(f"/requests/{_ID}/<step>")
def settle_request(id_: int, step: str) -> Answer:
    """A form that is older than what somebody else has done meanwhile is told so."""
    row = _find(id_)
    if step not in [*Step]:
        abort(404)
    words, problem = _words(request.form.get("words", ""))
    if problem:
        return _shown(row, problem, step), 422
    of = _list_of(row.list_id) or current_parts().catalogue.configured[0]
    try:
        requests.settle(id_, Step(step), words, of.timezone, guard.act(f"requests {step}", row.key, request=id_))
    except Refused as error:
        return _shown(_find(id_), gettext(str(error)), step), 409
    current_parts().wake_sender()
    return redirect(url_for("desk.show_request", id_=id_, done=step), 303)


# Answers that are ready


@pages.get("/people/<key>/answers")
def answers_person(key: str) -> str:
    """In the person's language, to copy or print: what we know, and where from."""
    found = the_person(key)
    audit.note(guard.act("people answers", about=found.key))
    locales = [record.row.locale for record in (*found.told.sign_ups, *found.told.subscriptions)]
    tag = current_parts().languages.known(locales[-1] if locales else "") or language.current()
    with force_locale(locale_of(tag)):
        parts = [unsure_ips_hidden(part) for part in telling.parts_of(found.told)]
        lists = [part.row for part in parts]
        told = {
            "person": found, "parts": parts, "periods": [*periods()], "tag": tag, "recipients": [*recipients(lists)],
            "not_shown": NOT_SHOWN, "my_data": current_parts().links.url("my-data"), "sentence": telling.sentence,
            "responsible": responsible.told(lists, lists, current_parts().settings.mail.sender),
        }  # fmt: skip
        answers = [render_template(f"desk/answer_{which}.txt", **told) for which in ("known", "source")]
    return render_template("desk/answers.html", person=found, answers=answers, tag=tag)
