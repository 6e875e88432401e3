"""The pages to leave and "this was not me", behind mailed links: a GET shows and changes nothing, a POST acts."""

from flask import Blueprint, render_template, request, url_for

from subscriptions.actions import leave, preferences, suppress
from subscriptions.actions.leave import Withdrawal
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import PROTECTED, Event
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.links import Leave, NotMe
from subscriptions.parts import current_parts
from subscriptions.store import registrations, subscriptions
from subscriptions.store.engine import reading
from subscriptions.store.lists import controller_of
from subscriptions.store.models import List
from subscriptions.web.http import language, urls
from subscriptions.web.http.adapter import now

pages = Blueprint("leave", __name__)


@pages.get("/unsubscribe/<token>")
def unsubscribe_page(token: str) -> str:
    return _left("unsubscribe", _read_leave(token), action=url_for("leave.unsubscribe", token=token))


@pages.post("/unsubscribe/<token>")
def unsubscribe(token: str) -> str:
    """By button or by RFC 8058: no cookie, no Origin, no redirect; success whether or not anything was open."""
    link = _read_leave(token)
    how = Withdrawal(Event.UNSUBSCRIBE, Channel.BUTTON, "the form of the unsubscribe page")
    if _is_one_click():
        how = Withdrawal(Event.UNSUBSCRIBE, Channel.ONE_CLICK, "one-click of the mail program (RFC 8058)")
    leave.leave(link.key, link.list_id or None, how, now(), current_parts().policy)
    lift = url_for("leave.lift", token=token) if preferences.never(link.key, link.list_id, now()) else None
    return _left("unsubscribed", link, lift_action=lift)


@pages.post("/unsubscribe/<token>/lift")
def lift(token: str) -> str:
    """Write to me again: whoever has kept a newsletter owns the mailbox that it came to."""
    link = _read_leave(token)
    row = _list(link.list_id)
    for controller in [controller_of(row) if row else "", ""]:  # what was said to this one, or to all of them
        suppress.lift(link.key, SuppressionScope.ALL, controller=controller)
    return _left("lifted", link)


def _read_leave(token: str) -> Leave:
    return current_parts().links.read_leave(token)


def _left(page: str, link: Leave, **more: str | None) -> str:
    """A link without a list is of all of them: that of the email that asks who wrote to us."""
    row = _list(link.list_id)
    with reading() as session:
        language.of_row(subscriptions.locale_of(session, link.key, link.list_id), row)
    row = row and language.said(row)
    back = None if more.get("lift_action") else urls.sign_up(row)
    about = {"list": row, "every": not link.list_id, "footer": row, "subscribe_url": back}
    return render_template(f"pages/{page}.html", **about, **more)


@pages.get("/not-me/<token>")
def not_me_page(token: str) -> str:
    link = current_parts().links.read_not_me(token)
    return _disowned("not_me", *_about_not_me(link), action=url_for("leave.not_me", token=token))


@pages.post("/not-me/<token>")
def not_me(token: str) -> str:
    """The button, or a mail program's one-click on the confirmation mail."""
    link = current_parts().links.read_not_me(token)
    about = _about_not_me(link)  # before it is erased
    event = Event.ONE_CLICK if _is_one_click() else Event.DISOWN
    suppress.disown(link, event, now(), current_parts().policy)
    undo = url_for("leave.undo", token=token)
    return _disowned("not_me_done", *about, undo_action=undo, days=PROTECTED.days if event is Event.ONE_CLICK else None)


@pages.post("/not-me/<token>/undo")
def undo(token: str) -> str:
    link = current_parts().links.read_not_me(token)
    # what it ended stays ended: consent is asked for anew
    suppress.lift(link.key, set_by=link.ref, mailbox=link.mailbox)
    row, names, footer = _about_not_me(link)
    return _disowned("not_me_undone", row, names, footer, subscribe_url=urls.sign_up(row))


def _disowned(page: str, row: List | None, names: str, footer: list[List], **more: str | int | None) -> str:
    return render_template(f"pages/{page}.html", list=row, names=names, footer=footer or None, **more)


def _is_one_click() -> bool:
    """RFC 8058, in whatever shape it comes: all but the form of our own page, which says so."""
    return request.form.get("by") != "page" or "List-Unsubscribe" in request.form


def _list(id_: int) -> List | None:
    return current_parts().catalogue.lists.get(id_)


def _about_not_me(link: NotMe) -> tuple[List | None, str, list[List]]:
    row = _list(link.list_id)
    with reading() as session:
        found = registrations.of_form(session, link.ref)
        named = [of_mail.list_id for of_mail in found] or [link.list_id]
        known = [row for row in map(_list, dict.fromkeys(named)) if row]
        language.of_row(found[0].locale if found else None, row, *known)
    rows = language.told_of(known)
    return row and language.said(row), language.listed(rows), rows
