"""What is done about a person at the desk: each with a reason, a look at what it changes, and a row in the audit."""

from datetime import date, datetime
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from subscriptions import clock
from subscriptions.actions import erase, leave, suppress
from subscriptions.actions.leave import Withdrawal
from subscriptions.domain import reasons
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Event
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.languages import marked
from subscriptions.parts import current_parts
from subscriptions.store import addresses, kept
from subscriptions.store.engine import reading
from subscriptions.store.models import Subscription
from subscriptions.web.admin import guard, pages, telling
from subscriptions.web.admin.people import Person, shown, the_person
from subscriptions.web.http import language
from subscriptions.web.http.adapter import now
from subscriptions.web.http.problems import answer

ACTOR = "desk"  # for the evidence: no more than that; the audit knows who
CHANNELS = (Channel.EMAIL, Channel.PHONE, Channel.LETTER)
Answer = str | Response | tuple[str, int]

_EVERY_LIST = marked("This concerns every list, and you see only some. Please ask somebody who sees them all.")
_UNCHANGED = {
    "unsubscribe": marked("They were unsubscribed already. Nothing was changed."),
    "suppress": marked("Emails to this person were stopped already. Nothing was changed."),
    "lift": marked("Nothing stands against emails to this person. Nothing was changed."),
    "erase": marked("This person is being erased already, or there is nothing to erase. Nothing was changed."),
}


def _form(what: str, found: Person, problem: str = "", **more: Any) -> Answer:
    page = render_template("desk/act.html", what=what, person=found, problem=problem, typed=request.form,
                           list_of=telling.list_of, **more)  # fmt: skip
    return (page, 422) if problem else page


def _done(what: str, found: Person) -> Response:
    return redirect(url_for("desk.person", key=found.key.hex(), done=what), 303)


def _unchanged(what: str, found: Person) -> Answer:
    """Somebody was faster, or the button was pressed twice."""
    return shown(found, problem=gettext(_UNCHANGED[what])), 409


def _refused(found: Person) -> Response | None:
    """An act that concerns every list is not for who sees some."""
    return answer(403, _EVERY_LIST) if guard.who().lists is not None else None


def _reason() -> tuple[str, str]:
    """What was written, or what is wrong with it."""
    try:
        return reasons.one_line(request.form.get("reason", "")), ""
    except reasons.BadReason as error:
        return "", gettext(error.sentence, **error.values)


# Unsubscribe


@pages.route("/people/<key>/unsubscribe", methods=["GET", "POST"])
def unsubscribe_person(key: str) -> Answer:
    """For somebody who said so by email, phone or letter."""
    found = the_person(key)
    if not found.open:
        return _unchanged("unsubscribe", found)
    more: dict[str, Any] = {"channels": CHANNELS, "today": _today(found.open[0]).isoformat()}
    if request.method == "GET":
        return _form("unsubscribe", found, **more)
    slugs = request.form.getlist("lists")
    lists = [telling.list_of(row.list_id) for row in found.open]
    chosen = [row for row in lists if row.slug in slugs] if len(lists) > 1 or slugs else lists
    channel, received, problem = _how_it_came(found.open[0])
    if problem or not chosen:
        missing = gettext("Please choose at least one list they are still subscribed to.")
        return _form("unsubscribe", found, problem or missing, **more)
    how = Withdrawal(Event.UNSUBSCRIBE, Channel(channel), f"revoked by {channel}", ACTOR, received)
    policy, at = current_parts().policy, now()
    ended = 0
    for row in chosen:
        act = guard.act("people unsubscribe", found.key, list=row.slug, channel=channel)
        ended += leave.leave(found.key, row.id, how, at, policy, act)
    return _done("unsubscribe", found) if ended else _unchanged("unsubscribe", the_person(key))


def _today(row: Subscription) -> date:
    return now().astimezone(clock.zone_of(telling.list_of(row.list_id).timezone)).date()


def _how_it_came(row: Subscription) -> tuple[str, datetime | None, str]:
    """By which way and when it came, or what is wrong with that; a day begins in the zone of the list."""
    channel, day = request.form.get("channel", ""), request.form.get("received", "")
    if channel not in CHANNELS:
        return "", None, gettext("Please say how they told you.")
    if not day:
        return channel, None, ""
    try:
        read = date.fromisoformat(day)
    except ValueError:
        return "", None, gettext("Please write the date as in the example.")
    if read > _today(row):
        return "", None, gettext("That date is in the future.")
    zone = clock.zone_of(telling.list_of(row.list_id).timezone)
    return channel, datetime(read.year, read.month, read.day, tzinfo=zone), ""


# Stop emails, and allow them again


@pages.route("/people/<key>/suppress", methods=["GET", "POST"])
def suppress_person(key: str) -> Answer:
    found = the_person(key)
    if no := _refused(found):
        return no
    if telling.is_silent(found.told):
        return _unchanged("suppress", found)
    if request.method == "GET":
        return _form("suppress", found)
    reason, problem = _reason()
    named = request.form.get("scope", "")
    if problem or named not in [*SuppressionScope]:
        return _form("suppress", found, problem or gettext("Please choose which emails to stop."))
    scope = SuppressionScope(named)
    if scope is SuppressionScope.CONFIRMATIONS and any(
        one.scope is scope and one.list_id is None and one.until is None for one in found.told.against
    ):
        return _unchanged("suppress", found)
    act = guard.act("people suppress", found.key, reason=reason, scope=str(scope))
    policy = current_parts().policy
    suppress.suppress(found.key, scope, reason, act.at, policy, ACTOR, Channel.DESK, act, found.mailbox)
    return _done("suppress", found)


@pages.route("/people/<key>/lift", methods=["GET", "POST"])
def lift_person(key: str) -> Answer:
    found = the_person(key)
    if no := _refused(found):
        return no
    if not found.told.against:
        return _unchanged("lift", found)
    if request.method == "GET":
        return _form("lift", found, against=[telling.sentence(one) for one in found.told.said_no])
    reason, problem = _reason()
    if problem:
        return _form("lift", found, problem, against=[telling.sentence(one) for one in found.told.said_no])
    act = guard.act("people lift", found.key, reason=reason)
    lifted = suppress.lift(found.key, mailbox=found.mailbox, act=act)
    return _done("lift", found) if lifted else _unchanged("lift", the_person(key))


# Erase


@pages.route("/people/<key>/erase", methods=["GET", "POST"])
def erase_person(key: str) -> Answer:
    found, parts = the_person(key), current_parts()
    if no := _refused(found):
        return no
    with reading() as session:
        row = addresses.find(session, found.key)
        stays = kept.after_erasure(session, found.key, now(), parts.policy, found.mailbox)
    if (row and row.erase_by) or found.address is None:
        return _unchanged("erase", found)
    more: dict[str, Any] = {"stays": parts.sender.composer.what_stays(stays, language.current(), language.words)}
    if request.method == "GET":
        return _form("erase", found, **more)
    reason, problem = _reason()
    if problem:
        return _form("erase", found, problem, **more)
    act = guard.act("people erase", found.key, reason=reason)
    asked = erase.ask(found.key, act.at, parts.policy, ACTOR, act, found.mailbox, Channel.DESK)
    if not asked.is_asked:
        return _unchanged("erase", found)
    parts.wake_sender()
    return _done("erase", found)
