"""Where a visitor is: on our own pages, or in a frame on a listed site; and where a form may lead."""

from collections.abc import Sequence
from typing import Any

from flask import Flask, g, request, url_for

from subscriptions.domain.sites import origin_of
from subscriptions.languages import marked
from subscriptions.parts import current_parts
from subscriptions.store.models import List
from subscriptions.web.http import headers, open_tab
from subscriptions.web.http.problem import Problem

RETURN = "return_url"
STOOD_ON = "stood_on"  # of a frame: on which site it was first shown, signed
LOOKS = ("scheme", "colour", "compact")  # of a frame, on every page in it
OPTIONS = ("lists", "fields")
OF_INBOX = ("check_inbox", "again", "code", "correct")
LONGEST = 2000  # characters
_NOT_OURS = marked(
    "The form that you used would send you to a page that is not allowed for this list. "
    "You can sign up here instead. Please tell the people who run that website."
)


# what stands behind a link in the text around it, and mail programs and people take along; no token of ours ends so
_TAKEN_ALONG = ("&gt;", "&quot;", "&#39;", *")].,;:!?>}'\"*’‘”“„»«›‹…")
_LONGEST_TOKEN = 300  # characters, with what was taken along; without it none has more than 200


def init_app(app: Flask) -> None:
    @app.url_value_preprocessor
    def tidy(_: str | None, values: dict[str, Any] | None) -> None:
        if values and "token" in values:
            values["token"] = _tidied(values["token"])


def _tidied(token: str) -> str:
    """The token alone, from its end on: an expression would begin anew at every sign of a stranger's long text."""
    while len(token) <= _LONGEST_TOKEN:
        token = token.rstrip()
        end = next((sign for sign in _TAKEN_ALONG if token.endswith(sign)), None)
        if end is None:
            break
        token = token.removesuffix(end)
    return token


def is_framed() -> bool:
    return bool(request.blueprint == "frame")


def here(name: str, row: List, **values: Any) -> str:
    """The address of the form or of what follows it, in the frame for whoever is in it, with the form's options."""
    if not is_framed():
        return url_for(f"{'inbox' if name in OF_INBOX else 'pages'}.{name}", slug=row.slug, **values)
    kept = LOOKS if name in OF_INBOX else (*LOOKS, *OPTIONS)
    values = {key: request.args.get(key) for key in kept} | {STOOD_ON: g.get("stood_on")} | values
    if name in OF_INBOX:
        return url_for(f"frame.{name}", slug=row.slug, **values)
    return url_for(f"frame.{name}", slug=(request.view_args or {}).get("slug", row.slug), **values)


def sign_up(row: List | None) -> str:
    """Where somebody who has left, or was too late, may sign up again."""
    takes = row is not None and current_parts().catalogue.takes(row)
    return url_for("pages.form", slug=row.slug) if row and takes else url_for("pages.index")


def public(path: str) -> str:
    """An address for other sites: under base_url, whatever name this request came by."""
    return current_parts().settings.server.base_url.rstrip("/") + path


def wrong_return(rows: Sequence[List]) -> list[Problem]:
    """What is wrong with the page that the form wants to lead back to."""
    return [] if all(_is_on(url, rows) for url in request.form.getlist(RETURN) if url) else [Problem("", _NOT_OURS)]


def return_url(rows: Sequence[List]) -> str:
    """The page that the form leads back to, if it names one that may be."""
    url = request.form.get(RETURN, "")
    return url if _is_on(url, rows) else ""


def carried_return_url(rows: Sequence[List]) -> str:
    """The same on a form on which no list is chosen yet: a page on a site of one of its lists."""
    return next((url for row in rows if (url := return_url([row]))), "")


def _is_on(url: str, rows: Sequence[List]) -> bool:
    is_theirs = len(url) <= LONGEST and all(origin_of(url) in row.origins for row in rows)
    return is_theirs and not open_tab.is_inbox_page(url)


def may_lead_to(*urls: str) -> None:
    """Let the forms of this page lead there: browsers hold a redirect after a form against the page's policy, too."""
    origins = {origin for url in urls if (origin := origin_of(url))}
    if origins:
        headers.allow(form_action=" ".join(sorted(origins)))
