"""What the forms of acts share: a look first, a reason or how it came, and an answer that says what came of it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from subscriptions import clock
from subscriptions.actions.preferences import Outcome
from subscriptions.domain import reasons
from subscriptions.domain.evidence import Channel
from subscriptions.languages import marked
from subscriptions.store.models import List
from subscriptions.web.admin import Answer
from subscriptions.web.admin.people import Person, shown
from subscriptions.web.http.adapter import now

EARLIEST = 1900  # a year; before the first of all no zone has a time of UTC
CHANNELS = (Channel.EMAIL, Channel.PHONE, Channel.LETTER)

_UNCHANGED = {
    "unsubscribe": marked("They were unsubscribed already. Nothing was changed."),
    "suppress": marked("Emails to this person were stopped already. Nothing was changed."),
    "lift": marked("Nothing stands against emails to this person. Nothing was changed."),
    "erase": marked("This person is being erased already, or there is nothing to erase. Nothing was changed."),
    "hold": marked("This was already on hold. Nothing was changed."),
    "release": marked("Nothing about this person is on hold. Nothing was changed."),
    "send_again": marked("No sign-up of theirs is waiting any more. Nothing was changed."),
    "cancel": marked("No sign-up of theirs is waiting any more. Nothing was changed."),
    "correct": marked("That is what is stored already, or they are subscribed to nothing. Nothing was changed."),
    "restrict": marked("No subscription is left to restrict. Nothing was changed."),
    "unrestrict": marked("None of their subscriptions is restricted. Nothing was changed."),
    "announce": marked("They are being told already. Nothing was changed."),
    "sign_up": marked("They are subscribed, or asked to confirm, already. Nothing was changed."),
}

NOT_SENT = {
    Outcome.WAITS: marked("The last confirmation email has not been sent yet: it goes out on %(time)s. "
                          "Nothing was changed."),
    Outcome.QUIET: marked("Confirmation emails to this address are stopped. A privacy officer can allow them again."),
    Outcome.CLOSED: marked("To protect mailboxes, only a few confirmation emails go to each address. "
                           "The next one is possible on %(time)s."),
}  # fmt: skip


def form(what: str, found: Person, problem: str = "", **more: Any) -> Answer:
    told = {"what": what, "person": found, "problem": problem, "typed": request.form} | more
    page = render_template("desk/act.html", **told)
    return (page, 422) if problem else page


def to_fill_in(what: str, found: Person, problem: str, **more: Any) -> Answer | None:
    """The form, unless it was sent and nothing is wrong with it."""
    is_sent = request.method == "POST"
    return None if is_sent and not problem else form(what, found, problem if is_sent else "", **more)


def done(what: str, found: Person) -> Response:
    return redirect(url_for("desk.person", key=found.key.hex(), done=what), 303)


def unchanged(what: str, found: Person) -> Answer:
    """Somebody was faster, or the button was pressed twice."""
    return shown(found, problem=gettext(_UNCHANGED[what])), 409


def reason() -> tuple[str, str]:
    """What was written, or what is wrong with it."""
    try:
        return reasons.one_line(request.form.get("reason", "")), ""
    except reasons.BadReason as error:
        return "", gettext(error.sentence, **error.values)


def chosen(lists: Sequence[List]) -> list[List]:
    """Those of these that were ticked; the only one needs no tick."""
    slugs = request.form.getlist("lists")
    return [row for row in lists if row.slug in slugs] if len(lists) > 1 or slugs else [*lists]


def no_list(rows: Sequence[List]) -> str:
    """What is wrong where none of them was chosen."""
    return "" if rows else str(gettext("Please choose at least one list."))


def today(of: List) -> date:
    return now().astimezone(clock.zone_of(of.timezone)).date()


def day(of: List, name: str = "received") -> tuple[date | None, str]:
    """The day that was chosen, none where it was left empty; or what is wrong with it."""
    text = request.form.get(name, "")
    try:
        read = date.fromisoformat(text) if text else None
    except ValueError:
        return None, gettext("Please write the date as in the example.")
    if read and read.year < EARLIEST:
        return None, gettext("Please write the date as in the example.")
    return read, gettext("That date is in the future.") if read and read > today(of) else ""


def how_it_came(of: List) -> tuple[str, datetime | None, str]:
    """By which way and when it came, or what is wrong with that; a day begins in the zone of the list."""
    channel = request.form.get("channel", "")
    if channel not in CHANNELS:
        return "", None, gettext("Please say how they told you.")
    read, problem = day(of)
    return channel, begins(read, of) if read else None, problem


def begins(day: date, of: List) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=clock.zone_of(of.timezone))
