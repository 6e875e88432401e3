"""The page after the form: what to look for, a code to type, another mail. It never depends on what is stored."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import ceil
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as BaseResponse

from subscriptions.actions.confirm import BY_PAGE
from subscriptions.actions.gate import Limited
from subscriptions.domain import codes
from subscriptions.domain.address import named, wire_form
from subscriptions.domain.mail_domains import webmail
from subscriptions.languages import one_line
from subscriptions.links import Visit
from subscriptions.mail.responsible import sender_of
from subscriptions.parts import current_parts
from subscriptions.store.models import List
from subscriptions.web.http import headers, language, open_tab, urls
from subscriptions.web.http.adapter import incoming, now
from subscriptions.web.http.lists import the_list, there_are
from subscriptions.web.http.problems import too_many, visit_of
from subscriptions.web.intake.submit import ask_again, enter
from subscriptions.web.pages.confirm import confirm_page_of
from subscriptions.web.pages.signup import form_of

pages = Blueprint("inbox", __name__)


@pages.get("/subscribe/<slug>/check-inbox")
def check_inbox(slug: str) -> BaseResponse:
    row, vouches = _the_list(slug), open_tab.may_vouch()
    if open_tab.is_stamped() and not vouches:
        return redirect(urls.here("check_inbox", row, **open_tab.unstamped()), 303)
    return _page(row, _visit(request.args), again="again" in request.args, vouches=vouches)


@pages.post("/subscribe/<slug>/check-inbox")
def again(slug: str) -> BaseResponse:
    """Another mail, if the budget allows one. The page keeps its handle as long as codes can be typed on it."""
    row = _the_list(slug)
    visit = _visit(request.form)
    limited, visit = ask_again(visit, incoming(), current_parts()) if visit else (None, None)
    if isinstance(limited, Limited):
        return too_many(limited)
    told = {"r": visit.handle, "a": _of_address(visit).get("sealed")} if visit else {}
    return redirect(urls.here("check_inbox", row, **told, also=_also(), again=1), 303)


@pages.post("/subscribe/<slug>/correct")
def correct(slug: str) -> str:
    """The form once more, with the address in it, which so stands in no URL."""
    rows, visit = [the_list(slug), *_beside()], _visit(request.form)
    told = _of_address(visit).get("address", "") if visit else ""
    return form_of(rows, {"email": told}, [row.slug for row in rows])


@pages.post("/subscribe/<slug>/code")
def code(slug: str) -> Response:
    row, typed = _the_list(slug), request.form.get("code", "")
    visit, plain = _visit(request.form), codes.read(typed)
    if visit and plain is None:
        return _page(row, visit, 422, wrong=no_code(), typed=typed)
    entered = enter(visit, plain or "", BY_PAGE, incoming(), current_parts())
    if entered.status:
        return confirm_page_of(entered.status)
    wrong = too_late() if visit and _is_over(visit) else wrong_code(entered.left)
    return _page(row, visit, 422, wrong=wrong, typed=typed, closed=not entered.left)


def _the_list(slug: str) -> List:
    row = the_list(slug)
    language.of_list(row, *_beside())
    return row


def _is_over(visit: Visit) -> bool:
    return codes.is_over(visit.at, now(), current_parts().policy)


def _visit(told: Mapping[str, str]) -> Visit | None:
    return visit_of(told.get("r", ""))


def _of_address(visit: Visit) -> dict[str, str]:
    """What was typed, and how it travels on; nothing if it is not of this visit, or the time to confirm is over."""
    sealed = request.values.get("a", "")
    address = current_parts().links.addresses.open(visit.handle, sealed) if not _is_over(visit) else None
    return {"address": address, "sealed": sealed} if address else {}


def subject(names: str) -> str:
    """Of the mail to look for, as it will stand in the inbox."""
    return one_line(render_template("email/confirm/subject.txt", list_name=names))


def no_code() -> str:
    return str(gettext("A code has eight letters and digits, such as K7QM-2XWD. Please look at the email again."))


def wrong_code(left: int) -> str:
    if not left:
        return str(gettext("You can no longer enter a code here. The link in the email still works: please open it."))
    said = ngettext(
        "This code is not right. You have %(num)d more try. You can also use the link in the email.",
        "This code is not right. You have %(num)d more tries. You can also use the link in the email.",
        left,
    )
    return str(said)


def too_late() -> str:
    return str(
        gettext("It is too late to enter a code here. Please open the link in our newest email, or sign up again.")
    )


def pause() -> int | None:
    """Between two mails to one address, in minutes, where there is such a rule."""
    shortest = min(current_parts().policy.mails, key=lambda rate: rate.period, default=None)
    return ceil(shortest.period / timedelta(minutes=1)) if shortest and shortest.count == 1 else None


def _page(
    row: List, visit: Visit | None, status: int = 200, *, again: bool = False, wrong: str = "", typed: str = "",
    closed: bool = False, vouches: bool = False,
) -> Response:  # fmt: skip
    rows = [row, *language.told_of(_beside())]
    names = language.listed(rows)
    can_type = visit is not None and not closed and not _is_over(visit)
    shown = {"list": row, "names": names, "also": _also(), "again": again, "pause": pause(), "wrong": wrong,
             "typed": typed, "can_type": can_type, "subject": subject(names), "footer": rows}  # fmt: skip
    shown |= _whom_to_look_for(rows, visit) | _of_visit(visit, again=again, vouches=vouches, wrong=wrong)
    headers.allow(script_src="'self'")
    return Response(render_template("pages/check_inbox.html", **shown), status)


def _also() -> str | None:
    return ",".join(row.slug for row in _beside()) or None


def _beside() -> list[List]:
    return there_are(request.args.get("also", "").split(","))


def _whom_to_look_for(rows: Sequence[List], visit: Visit | None) -> dict[str, Any]:
    sender = sender_of(rows, current_parts().settings.mail.sender)
    known = webmail(visit.webmail) if visit else None
    url = known.open(wire_form(named(sender)[1])) if known else None
    return {"sender": sender, "webmail": known, "webmail_url": url}


def _of_visit(visit: Visit | None, *, again: bool, vouches: bool, wrong: str) -> dict[str, Any]:
    """What the page can do for a visit of ours, and until when its first mail can be confirmed."""
    if visit is None:
        return {}
    by, is_over = current_parts().policy.confirm_by(visit.at), _is_over(visit)
    deadline = language.words(by) if not again and not is_over else None
    tabs = " ".join(map(current_parts().links.tab, visit.refs)) if vouches else None
    told = {"handle": visit.handle, "deadline": deadline, "tabs": tabs, "is_over": is_over and not again and not wrong}
    return told | _of_address(visit)
