"""The pages to leave and "this was not me", behind mailed links: a GET shows and changes nothing, a POST acts."""

from flask import Blueprint, render_template, request, url_for

from subscriptions.actions import disown as disowning
from subscriptions.actions import leave as leaving
from subscriptions.actions import profile
from subscriptions.actions import suppress as suppressing
from subscriptions.actions.leave import Withdrawal
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Event
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.links import Leave, NotMe
from subscriptions.parts import current_parts
from subscriptions.store import registrations, subscriptions
from subscriptions.store.engine import reading
from subscriptions.store.models import List
from subscriptions.web.http import language

pages = Blueprint("leave", __name__)
ONE_CLICK = ("List-Unsubscribe", "One-Click")


@pages.get("/unsubscribe/<token>")
def unsubscribe_page(token: str) -> str:
    row = _about_leave(current_parts().links.read_leave(token))
    return render_template(
        "pages/unsubscribe.html", list=row, footer=row, action=url_for("leave.unsubscribe", token=token)
    )


@pages.post("/unsubscribe/<token>")
def unsubscribe(token: str) -> str:
    """By button or by RFC 8058: no cookie, no Origin, no redirect; success whether or not anything was open."""
    parts = current_parts()
    link = parts.links.read_leave(token)
    one_click = _is_one_click()
    how = Withdrawal(
        Event.UNSUBSCRIBE,
        Channel.ONE_CLICK if one_click else Channel.BUTTON,
        "one-click of the mail program (RFC 8058)" if one_click else "button on the unsubscribe page",
    )
    leaving.leave(link.key, link.list_id, how, parts.clock.now(), parts.policy)
    row, never = _about_leave(link), profile.never(link.key, parts.clock.now())
    return render_template(
        "pages/unsubscribed.html",
        list=row,
        footer=row,
        subscribe_url=None if never else _sign_up(row),
        lift_action=url_for("leave.lift", token=token) if never else None,
    )


@pages.post("/unsubscribe/<token>/lift")
def lift(token: str) -> str:
    """Write to me again: whoever has kept a newsletter owns the mailbox that it came to."""
    link = current_parts().links.read_leave(token)
    suppressing.lift(link.key, SuppressionScope.ALL)
    row = _about_leave(link)
    return render_template("pages/lifted.html", list=row, footer=row, subscribe_url=_sign_up(row))


@pages.get("/not-me/<token>")
def not_me_page(token: str) -> str:
    row, names = _about_not_me(current_parts().links.read_not_me(token))
    action = url_for("leave.not_me", token=token)
    return render_template("pages/not_me.html", list=row, names=names, footer=row, action=action)


@pages.post("/not-me/<token>")
def not_me(token: str) -> str:
    """The button, or a mail program's one-click on the confirmation mail (B-05, C-08)."""
    parts = current_parts()
    link = parts.links.read_not_me(token)
    row, names = _about_not_me(link)  # before it is erased
    event = Event.ONE_CLICK if _is_one_click() else Event.DISOWN
    disowning.disown(link, event, parts.clock.now(), parts.policy)
    undo_action = url_for("leave.undo", token=token)
    return render_template("pages/not_me_done.html", list=row, names=names, footer=row, undo_action=undo_action)


@pages.post("/not-me/<token>/undo")
def undo(token: str) -> str:
    link = current_parts().links.read_not_me(token)
    disowning.undo(link)
    row, _ = _about_not_me(link)
    return render_template("pages/not_me_undone.html", list=row, footer=row, subscribe_url=_sign_up(row))


def _is_one_click() -> bool:
    name, value = ONE_CLICK
    return request.form.get(name) == value


def _list(id_: int) -> List | None:
    return current_parts().catalogue.lists.get(id_)


def _about_not_me(link: NotMe) -> tuple[List | None, str]:
    """The list that it names, and the names of all that its mail named."""
    row = _list(link.list_id)
    with reading() as session:
        found = registrations.of_form(session, link.ref)
        language.of_row(found[0].locale if found else None, row)
        rows = [one for one in map(_list, dict.fromkeys(one.list_id for one in found)) if one]
    return row, language.listed(rows or [row for row in (row,) if row])


def _about_leave(link: Leave) -> List | None:
    row = _list(link.list_id)
    with reading() as session:
        language.of_row(subscriptions.locale_of(session, link.key, link.list_id), row)
    return row


def _sign_up(row: List | None) -> str:
    if row is None or row.position is None:
        return url_for("pages.index")
    return url_for("pages.form", slug=row.slug)
