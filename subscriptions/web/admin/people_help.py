"""What a list manager does for somebody who asked: each with a look at what it changes, and a row in the audit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import redirect, request, url_for
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from subscriptions import languages
from subscriptions.actions import correct, leave, move, on_behalf
from subscriptions.actions.gate import Limited
from subscriptions.actions.leave import Withdrawal
from subscriptions.actions.on_behalf import ACTOR
from subscriptions.actions.preferences import Outcome
from subscriptions.actions.subscribe import SignUp
from subscriptions.domain.address import Address
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Event
from subscriptions.languages import marked
from subscriptions.parts import current_parts
from subscriptions.store.models import List, Registration
from subscriptions.web.admin import Answer, guard, pages, telling
from subscriptions.web.admin.act_form import (
    NOT_SENT,
    chosen,
    done,
    form,
    how_it_came,
    no_list,
    reason,
    to_fill_in,
    today,
    unchanged,
)
from subscriptions.web.admin.people import Person, shown, the_person
from subscriptions.web.admin.sign_up import by_desk
from subscriptions.web.http import language
from subscriptions.web.http.adapter import now
from subscriptions.web.http.problem import Problem
from subscriptions.web.intake import fields
from subscriptions.web.intake.parse import Named, address_in, choice


def _lists(rows: list[Any]) -> list[List]:
    return [telling.list_of(row.list_id) for row in rows]


# Unsubscribe


@pages.route("/people/<key>/unsubscribe", methods=["GET", "POST"])
def unsubscribe_person(key: str) -> Answer:
    """For somebody who said so by email, phone or letter."""
    return unsubscribe(the_person(key))


def unsubscribe(found: Person, known: Mapping[str, str] | None = None, more: Mapping[str, str] | None = None) -> Answer:
    """`known`: what is filled in already; `more`: for the evidence."""
    if not found.open:
        return unchanged("unsubscribe", found)
    lists = _lists(found.open)
    rows, (channel, received, problem) = chosen(lists), how_it_came(lists[0])
    if not rows:
        problem = problem or gettext("Please choose at least one list they are still subscribed to.")
    filled = MultiDict([*(known or {}).items(), *(("lists", row.slug) for row in lists)])
    typed = {"typed": filled} if known and request.method == "GET" else {}
    if page := to_fill_in("unsubscribe", found, problem, choices=lists, today=today(lists[0]).isoformat(), **typed):
        return page
    how = Withdrawal(Event.UNSUBSCRIBE, Channel(channel), f"revoked by {channel}", ACTOR, received, more or {})
    policy, at = current_parts().policy, now()
    ended = 0
    for row in rows:
        act = guard.act("people unsubscribe", found.key, list=row.slug, channel=channel)
        ended += leave.leave(found.key, row.id, how, at, policy, act)
    return done("unsubscribe", found) if ended else unchanged("unsubscribe", the_person(found.key.hex()))


# What waits to be confirmed: its email once more, and its end


@pages.route("/people/<key>/send-again", methods=["GET", "POST"])
def send_again_person(key: str) -> Answer:
    found = the_person(key)
    forms = [*{row.ref: row for row in found.waiting}.values()]
    if not forms:
        return unchanged("send_again", found)
    more: dict[str, Any] = {"forms": forms, "list_of": telling.list_of}
    why, problem = reason()
    row = forms[0] if len(forms) == 1 else next((one for one in forms if str(one.id) == request.form.get("of")), None)
    problem = problem or ("" if row else gettext("Please choose which sign-up."))
    if (page := to_fill_in("send_again", found, problem, **more)) or row is None:
        return page or unchanged("send_again", found)
    act = guard.act("people send again", found.key, reason=why, list=telling.list_of(row.list_id).slug)
    became = on_behalf.send_again(row.ref, act.at, current_parts().policy, act)
    if became is None:
        return unchanged("send_again", the_person(key))
    if became[0] is not Outcome.MAILED:
        return form("send_again", found, _not_sent(*became, row), **more)
    current_parts().wake_sender()
    return done("send_again", found)


def _not_sent(outcome: Outcome, at: datetime, row: Registration) -> str:
    of = telling.list_of(row.list_id)
    said = language.in_markup(NOT_SENT[outcome], time=language.words(at, of))
    return said + " " + gettext(_TOO_LATE) if outcome is Outcome.CLOSED and at >= row.confirm_by else said


_TOO_LATE = marked("The time to confirm is over by then: sign them up again.")


@pages.route("/people/<key>/cancel", methods=["GET", "POST"])
def cancel_person(key: str) -> Answer:
    """It leaves nothing of the person that was not there before, so there may be no page to come back to."""
    found = the_person(key)
    lists = _lists(found.waiting)
    if not lists:
        return unchanged("cancel", found)
    (why, problem), rows = reason(), chosen(lists)
    if page := to_fill_in("cancel", found, problem or no_list(rows), choices=lists):
        return page
    act = guard.act("people cancel", found.key, reason=why, lists=[row.slug for row in rows])
    gone = on_behalf.cancel(found.key, {row.id for row in rows}, act.at, act)
    return redirect(url_for("desk.people", done="cancel"), 303) if gone else unchanged("cancel", found)


# Correct (GDPR 16)


@pages.route("/people/<key>/correct", methods=["GET", "POST"])
def correct_person(key: str) -> Answer:
    """Details at once; another address once it has confirmed, since no consent moves by hand."""
    found, parts = the_person(key), current_parts()
    if not found.open:
        return unchanged("correct", found)
    rows = [language.said(row) for row in _lists(found.open)]
    told = fields.stored_in(found.open, parts.languages) | {"email": found.address or ""}
    asked = fields.of_subscriptions(found.open, rows)
    typed = ("email", *(field.key for field in asked))
    told |= {name: request.form[name].strip() for name in typed if name in request.form}
    more: dict[str, Any] = {
        "inputs": fields.inputs_of(found.open, gettext, rows, language.current()),
        "locales": [(tag, languages.own_name(tag)) for tag in parts.languages.tags],
    }
    if request.method != "POST":
        return form("correct", found, told=told, **more)
    told["locale"] = parts.languages.known(request.form.get("their_locale", "")) or told["locale"]
    (why, problem), address = reason(), address_in(told, special=parts.settings.takes_special)
    wrong = [Problem(*one) for field in asked for one in fields.wrong_in(field, told.get(field.key, ""))]
    wrong += [address] if isinstance(address, Problem) else []
    if wrong or problem or isinstance(address, Problem):
        return form("correct", found, language.sentence(wrong[0]) if wrong else problem, told=told, **more)
    return _corrected(found, address, told, why)


def _corrected(found: Person, address: Address, told: dict[str, str], why: str) -> Answer:
    """What has changed of the details; and then the way to another address."""
    del told["email"]
    locale, lists = told.pop("locale"), _lists(found.open)
    act = guard.act("people correct", found.key, reason=why)
    may = {row.id: fields.keys_of([row]) for row in lists}
    changed = correct.correct(found.key, told, locale, may, act.at, Channel.DESK, ACTOR, act)
    if current_parts().links.key(address.folded) == found.key:
        return done("correct", found) if changed else unchanged("correct", the_person(found.key.hex()))
    return _moved(found, address, told | {"locale": locale}, why)


def _moved(found: Person, address: Address, told: Mapping[str, str], why: str) -> Answer:
    catalogue, parts = current_parts().catalogue, current_parts()
    lists = catalogue.by_slugs(catalogue.lists[row.list_id].slug for row in found.open if not row.restricted)
    if not lists:
        return shown(found, problem=gettext("A restricted subscription cannot move to another address.")), 409
    own = {name: text for name, text in told.items() if name in fields.keys_of(lists)}
    name, choices = own.pop("name", None), tuple(choice(Named(row, None), told["locale"], catalogue) for row in lists)
    asked = by_desk(SignUp(address, choices, name, told["locale"], own or None), {})
    act = guard.act("people move", found.key, reason=why)
    mark = parts.links.try_key(b"moves" + (found.mailbox or found.key))
    refused = move.begin(asked, found.key, mark, act.at, parts.policy, act)
    if isinstance(refused, datetime):
        said = language.in_markup(NOT_SENT[Outcome.CLOSED], time=language.words(refused, lists[0]))
        return shown(found, problem=said), 409
    assert not isinstance(refused, Limited)
    parts.wake_sender()
    return done("move", found)
