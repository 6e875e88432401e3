"""The pages behind mailed links: a GET shows and changes nothing, a POST acts."""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from subscriptions.actions import confirm as confirming
from subscriptions.actions import disown as disowning
from subscriptions.actions import leave as leaving
from subscriptions.actions import mine
from subscriptions.actions import suppress as suppressing
from subscriptions.actions.confirm import Standing, View
from subscriptions.actions.leave import Withdrawal
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Event
from subscriptions.links import Leave, NotMe, OldLink
from subscriptions.parts import parts
from subscriptions.store import chapters, registrations
from subscriptions.store.engine import reading
from subscriptions.store.models import List, Registration
from subscriptions.web import headers, language, place, several_confirm
from subscriptions.web.limits import origin
from subscriptions.web.pages import take

pages = Blueprint("tokens", __name__)
ONE_CLICK = ("List-Unsubscribe", "One-Click")


@pages.get("/confirm/<token>")
def confirm_page(token: str) -> Response:
    return _confirm_page(token, _look(token))


def _look(token: str) -> View:
    now = parts().clock.now()
    try:
        return confirming.look(parts().links.read_confirm(token), now)
    except OldLink as old:
        view = confirming.look(old.ref, now)
        return View(Standing.GONE) if view.standing is Standing.WAITING else view


@pages.post("/confirm/<token>")
def confirm(token: str) -> BaseResponse:
    joined = parts()
    try:
        ref = joined.links.read_confirm(token)
    except OldLink:
        return _confirm_page(token, _look(token))
    tab = request.form.get("tab")
    if tab and not _is_of_sign_up(tab, ref):
        return _confirm_page(token, _look(token), may_ask=False)
    only = several_confirm.chosen(_look(token), request.form["list"]) if "list" in request.form else None
    way = confirming.BY_OPEN_TAB if tab else confirming.BY_BUTTON
    view = confirming.confirm(ref, joined.clock.now(), joined.policy, origin(request), way, only)
    if view.welcomed:
        joined.wake_sender()
    return _led_away(view) or _confirm_page(token, view)


def _led_away(view: View) -> BaseResponse | None:
    """To the page that the list's owner has for the newly subscribed, if there is one."""
    is_one = view.standing is Standing.SUBSCRIBED and not view.several
    row = _list(view.registration.list_id) if view.registration and is_one else None
    return redirect(row.confirmed_url, 303) if row and row.confirmed_url else None


def _is_of_sign_up(handle: str, ref: bytes) -> bool:
    """Whether the page that vouches is the one of this sign-up, still open in the same browser."""
    visit = parts().links.visit(handle)
    return visit is not None and ref in visit.refs


@pages.post("/confirm/<token>/again")
def again(token: str) -> BaseResponse:
    """A fresh registration, with today's wording, within the budget."""
    view = _look(token)
    _about(view.registration)
    asked = several_confirm.asked_again(view)
    return take(asked, Channel.BUTTON) if asked else _confirm_page(token, View(Standing.GONE))


def confirm_page_of(view: View) -> Response:
    """The page of a confirm link, for who has come another way."""
    ref = view.registration.link_ref if view.registration else b""
    return _confirm_page(parts().links.confirm_token(ref), view)


def _confirm_page(token: str, view: View, *, may_ask: bool = True) -> Response:
    """`may_ask`: the page may look for the open one of its sign-up."""
    registration = view.registration
    if registration is None or view.standing in (Standing.GONE, Standing.LATE, Standing.ENDED):
        return Response(*_gone(token, view))
    row = _about(registration)
    if view.several:
        return Response(several_confirm.page(token, view.several))
    common: dict[str, Any] = {"list": row, "address": registration.address, "footer": row}
    common["tab"] = parts().links.tab(registration.link_ref) if may_ask else None
    if view.standing is Standing.WAITING:
        place.may_lead_to(row.confirmed_url if row else "")
        page = render_template("pages/confirm.html", **common, **_to_confirm(token, registration))
    else:
        page = render_template("pages/confirmed.html", **common, unsubscribe_url=_way_out(registration))
    headers.allow(script_src="'self'")
    return Response(page)


def _to_confirm(token: str, registration: Registration) -> dict[str, Any]:
    not_me = parts().links.not_me_token(registration.link_ref, registration.list_id, registration.key)
    return {
        "wording": parts().catalogue.wordings.get(registration.wording_id or ""),
        "deadline": language.words(registration.confirm_by),
        "action": url_for("tokens.confirm", token=token),
        "not_me_url": url_for("tokens.not_me_page", token=not_me),
    }


def _way_out(registration: Registration) -> str:
    token = parts().links.leave_token(registration.list_id, registration.key)
    return url_for("tokens.unsubscribe_page", token=token)


def _gone(token: str, view: View) -> tuple[str, int]:
    row = _about(view.registration)
    takes = row is not None and row.position is not None
    can_ask = takes and view.standing in (Standing.LATE, Standing.ENDED)
    page = render_template(
        "pages/gone.html",
        list=row,
        names=several_confirm.names(view.several) if view.several else row and row.name,
        footer=row,
        reason=view.standing.value,
        again_action=url_for("tokens.again", token=token) if can_ask else None,
        subscribe_url=url_for("pages.form", slug=row.slug) if row and takes else url_for("pages.index"),
    )
    return page, 410


@pages.get("/unsubscribe/<token>")
def unsubscribe_page(token: str) -> str:
    row = _about_leave(parts().links.read_leave(token))
    return render_template(
        "pages/unsubscribe.html", list=row, footer=row, action=url_for("tokens.unsubscribe", token=token)
    )


@pages.post("/unsubscribe/<token>")
def unsubscribe(token: str) -> str:
    """By button or by RFC 8058: no cookie, no Origin, no redirect; success whether or not anything was open."""
    joined = parts()
    link = joined.links.read_leave(token)
    one_click = _is_one_click()
    how = Withdrawal(
        Event.UNSUBSCRIBE,
        Channel.ONE_CLICK if one_click else Channel.BUTTON,
        "one-click of the mail program (RFC 8058)" if one_click else "button on the unsubscribe page",
    )
    leaving.leave(link.key, link.list_id, how, joined.clock.now(), joined.policy)
    row, never = _about_leave(link), mine.never(link.key, joined.clock.now())
    return render_template(
        "pages/unsubscribed.html",
        list=row,
        footer=row,
        subscribe_url=None if never else _sign_up(row),
        lift_action=url_for("tokens.lift", token=token) if never else None,
    )


@pages.post("/unsubscribe/<token>/lift")
def lift(token: str) -> str:
    """Write to me again: whoever has kept a newsletter owns the mailbox that it came to."""
    link = parts().links.read_leave(token)
    suppressing.lift(link.key, "all")
    row = _about_leave(link)
    return render_template("pages/lifted.html", list=row, footer=row, subscribe_url=_sign_up(row))


@pages.get("/not-me/<token>")
def not_me_page(token: str) -> str:
    row, names = _about_not_me(parts().links.read_not_me(token))
    action = url_for("tokens.not_me", token=token)
    return render_template("pages/not_me.html", list=row, names=names, footer=row, action=action)


@pages.post("/not-me/<token>")
def not_me(token: str) -> str:
    """The button, or a mail program's one-click on the confirmation mail (B-05, C-08)."""
    joined = parts()
    link = joined.links.read_not_me(token)
    row, names = _about_not_me(link)  # before it is erased
    event = Event.ONE_CLICK if _is_one_click() else Event.DISOWN
    disowning.disown(link, event, joined.clock.now(), joined.policy)
    undo_action = url_for("tokens.undo", token=token)
    return render_template("pages/not_me_done.html", list=row, names=names, footer=row, undo_action=undo_action)


@pages.post("/not-me/<token>/undo")
def undo(token: str) -> str:
    link = parts().links.read_not_me(token)
    disowning.undo(link)
    row, _ = _about_not_me(link)
    return render_template("pages/not_me_undone.html", list=row, footer=row, subscribe_url=_sign_up(row))


def _is_one_click() -> bool:
    name, value = ONE_CLICK
    return request.form.get(name) == value


def _list(id_: int) -> List | None:
    return parts().catalogue.lists.get(id_)


def _about(registration: Registration | None) -> List | None:
    """Its list; the page speaks its language."""
    row = _list(registration.list_id) if registration else None
    language.of_row(registration.locale if registration else None, row)
    return row


def _about_not_me(link: NotMe) -> tuple[List | None, str]:
    """The list that it names, and the names of all that its mail named."""
    row = _list(link.list_id)
    with reading() as session:
        found = registrations.of_link(session, link.ref)
        language.of_row(found[0].locale if found else None, row)
        rows = [one for one in map(_list, dict.fromkeys(one.list_id for one in found)) if one]
    return row, language.listed(rows or [row for row in (row,) if row])


def _about_leave(link: Leave) -> List | None:
    row = _list(link.list_id)
    with reading() as session:
        language.of_row(chapters.locale_of(session, link.key, link.list_id), row)
    return row


def _sign_up(row: List | None) -> str:
    if row is None or row.position is None:
        return url_for("pages.index")
    return url_for("pages.form", slug=row.slug)
