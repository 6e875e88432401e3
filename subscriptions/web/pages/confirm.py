"""The page of a confirm link: a button for all that waits, and for each of several; nothing is ticked beforehand."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from subscriptions.actions import confirm as confirming
from subscriptions.actions.confirm import ConfirmStatus, LinkState
from subscriptions.domain.evidence import Channel
from subscriptions.links import OldLink
from subscriptions.parts import current_parts
from subscriptions.store.models import List, Registration
from subscriptions.web.http import headers, language, urls
from subscriptions.web.http.adapter import incoming, now
from subscriptions.web.http.client_ip import origin
from subscriptions.web.intake.submit import sign_up_like
from subscriptions.web.pages.signup import take

pages = Blueprint("confirm", __name__)
NO_LIST = 0  # whoever makes up a button confirms nothing with it
_ASKED_AGAIN = (LinkState.LATE, LinkState.ENDED)


@pages.get("/confirm/<token>")
def show(token: str) -> Response:
    return _page(token, _look(token))


def _look(token: str) -> ConfirmStatus:
    try:
        return confirming.look(current_parts().links.read_confirm(token), now())
    except OldLink as old:
        status = confirming.look(old.ref, now())
        return ConfirmStatus() if status.state is LinkState.WAITING else status


@pages.post("/confirm/<token>")
def confirm(token: str) -> BaseResponse:
    parts = current_parts()
    try:
        ref = parts.links.read_confirm(token)
    except OldLink:
        return _page(token, _look(token))
    tab, method, only = request.form.get("tab"), confirming.BY_BUTTON, None
    if tab:
        if not _may_vouch(tab, ref):
            return _page(token, _look(token), may_ask=False)
        method = confirming.BY_OPEN_TAB
    if "list" in request.form:
        only = _named(_look(token), request.form["list"])
    status = confirming.confirm(ref, now(), parts.policy, origin(incoming(), parts), method, only)
    if status.welcomed:
        parts.wake_sender()
    return _led_away(status) or _page(token, status)


def _may_vouch(handle: str, ref: bytes) -> bool:
    """Whether the page that vouches is the one of this sign-up, still open in the same browser; never for several."""
    visit = current_parts().links.visit(handle)
    return visit is not None and ref in visit.refs and len(confirming.look(ref, now()).lists) < 2


def _named(status: ConfirmStatus, slug: str) -> int:
    ids = (found.registration.list_id for found in status.lists)
    return next((id_ for id_ in ids if current_parts().catalogue.lists[id_].slug == slug), NO_LIST)


def _led_away(status: ConfirmStatus) -> BaseResponse | None:
    is_one = status.state is LinkState.SUBSCRIBED and len(status.lists) == 1 and not status.moved
    row = _list(status.lead) if is_one else None
    return redirect(row.confirmed_url, 303) if row and row.confirmed_url else None


@pages.post("/confirm/<token>/again")
def again(token: str) -> BaseResponse:
    """A fresh sign-up, with today's wordings, within the budget, for what is no more; the rest is left alone."""
    status = _look(token)
    _about(status)
    rows = status.those(*_ASKED_AGAIN) or [found.registration for found in status.lists[:1]]
    sign_up = sign_up_like(rows, current_parts())
    return take(sign_up, Channel.BUTTON) if sign_up else _page(token, ConfirmStatus())


def confirm_page_of(status: ConfirmStatus) -> Response:
    """The page of a confirm link, for who has come another way."""
    return _page(current_parts().links.confirm_token(status.lead.ref if status.lead else b""), status)


def _page(token: str, status: ConfirmStatus, *, may_ask: bool = True) -> Response:
    row = _about(status)
    if status.state not in (LinkState.WAITING, LinkState.SUBSCRIBED):
        return Response(_gone(token, status, row), 410)
    tab, waits = None, status.state is LinkState.WAITING
    if len(status.lists) == 1:
        tab = current_parts().links.tab(status.lists[0].registration.ref) if may_ask else None
        headers.allow(script_src="'self'")
        urls.may_lead_to(row.confirmed_url if row and waits else "")
    moves, pages = (_moves(status), ("confirm", "move")) if waits else (status.moved, ("confirmed", "moved"))
    page = pages[moves]
    return Response(render_template(f"pages/{page}.html", **_shown(token, status), tab=tab))


def _moves(status: ConfirmStatus) -> bool:
    """Whether all of it takes the place of another address's."""
    return all(found.registration.replaces for found in status.lists)


def _shown(token: str, status: ConfirmStatus) -> dict[str, Any]:
    """What waits, what is subscribed, and what is too late, each with what can be done about it."""
    first, subscribed = status.lists[0].registration, status.those(LinkState.SUBSCRIBED)
    waiting = status.those(LinkState.WAITING)
    not_me = current_parts().links.not_me_token(first.ref, first.list_id, first.key, first.mailbox)
    return {
        "is_one": len(status.lists) == 1,
        "waiting": [_entry(row) | {"others": _names([one for one in waiting if one is not row])} for row in waiting],
        "subscribed": [_entry(row) for row in subscribed], "subscribed_names": _names(subscribed),
        "names": _names(waiting), "late_names": _names(status.those(*_ASKED_AGAIN)),
        "address": first.address, "deadline": language.words(first.confirm_by),
        "action": url_for("confirm.confirm", token=token),
        "again_action": url_for("confirm.again", token=token),
        "not_me_url": url_for("leave.not_me_page", token=not_me),
        "footer": _lists(_all(status)),
    }  # fmt: skip


def _entry(row: Registration) -> dict[str, Any]:
    leave = current_parts().links.leave_token(row.list_id, row.key)
    wording = current_parts().catalogue.wordings.get(row.wording_id or "")
    url = url_for("leave.unsubscribe_page", token=leave)
    return {"list": _list(row), "wording": wording, "unsubscribe_url": url}


def _gone(token: str, status: ConfirmStatus, row: List | None) -> str:
    moves = status.state is LinkState.LATE and _moves(status)
    takes, names = row is not None and current_parts().catalogue.takes(row), _names(_all(status))
    again = url_for("confirm.again", token=token) if takes and not moves and status.state in _ASKED_AGAIN else None
    about = _lists(_all(status)) or None
    shown = {"names": names, "reason": status.state.value, "again_action": again, "moves": moves}
    shown |= {"subscribe_url": urls.sign_up(row)}
    return render_template("pages/gone.html", list=row, footer=about, **shown)


def _all(status: ConfirmStatus) -> list[Registration]:
    return [found.registration for found in status.lists]


def _names(rows: Sequence[Registration]) -> str:
    return language.listed(_lists(rows))


def _lists(rows: Sequence[Registration]) -> list[List]:
    return [of for of in map(_list, rows) if of]


def _list(registration: Registration | None) -> List | None:
    row = current_parts().catalogue.lists.get(registration.list_id) if registration else None
    return row and language.said(row)


def _about(status: ConfirmStatus) -> List | None:
    row = _list(status.lead)
    language.of_row(status.lead.locale if status.lead else None, row, *_lists(_all(status)))
    return row and language.said(row)
