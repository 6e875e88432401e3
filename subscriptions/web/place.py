"""Where a visitor is: on our own pages, or in a frame on a listed site; and where a form may lead (X-03)."""

from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from subscriptions.domain.sites import origin_of
from subscriptions.languages import marked
from subscriptions.parts import parts
from subscriptions.store.models import List
from subscriptions.web import headers
from subscriptions.web.forms import Problem

RETURN = "return_url"
LONGEST = 2000  # characters
_NOT_OURS = marked(
    "The form that you came from wants to lead you back to a page that is not of this list. "
    "You can sign up here; please tell whoever runs that site."
)


def is_framed() -> bool:
    return bool(request.blueprint == "frame")


def here(name: str, row: List, **values: Any) -> str:
    """The address of the form or of what follows it, in the frame for whoever is in it."""
    return url_for(f"{'frame' if is_framed() else 'pages'}.{name}", slug=row.slug, **values)


def public(path: str) -> str:
    """An address for other sites: under base_url, whatever name this request came by."""
    return parts().settings.server.base_url.rstrip("/") + path


def wrong_return(row: List) -> list[Problem]:
    """What is wrong with the page that the form wants to lead back to."""
    return [] if all(_is_on(url, row) for url in request.form.getlist(RETURN) if url) else [Problem("", _NOT_OURS)]


def return_url(row: List) -> str:
    """The page that the form leads back to, if it names one that may be."""
    url = request.form.get(RETURN, "")
    return url if _is_on(url, row) else ""


def _is_on(url: str, row: List) -> bool:
    return len(url) <= LONGEST and origin_of(url) in row.origins


def after_sign_up(row: List, handle: str, *, by_form: bool) -> BaseResponse:
    """To the page that the form names, or the list; else, and in a frame, to ours. Nothing about anybody is in it."""
    away = return_url(row) or row.thank_you_url if by_form and not is_framed() else ""
    return redirect(away or here("check_inbox", row, r=handle), 303)


def may_lead_to(*urls: str) -> None:
    """Let the forms of this page lead there: browsers hold a redirect after a form against the page's policy, too."""
    origins = {origin_of(url) for url in urls} - {None}
    if origins:
        headers.allow(form_action=" ".join(sorted(filter(None, origins))))
