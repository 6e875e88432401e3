"""Which page vouches for a sign-up: the one that its own redirect leads to, in the browser that sent the form.

While that page is open, the mailed link opened in the same browser confirms without the button (static/open-tab.js),
and the evidence says so. Whoever signs a stranger up knows the address of that page and could bring it into the
stranger's browser; to look at the mailed link would then confirm. Nothing written in an address keeps them out. So two
things hold together, and a page that lacks either leaves the button:

- The browser says that a page of ours led here, the whole way (`Sec-Fetch-Site: same-origin`), to a tab, not a frame.
  No mail, bookmark, other site or sibling domain can make that up. The request that signed up is held to the same.
- The address carries a stamp, which only the redirect after a sign-up sets: no link, form or redirect hands it on.

A stamped address that was reached in any other way leads at once to the same without the stamp, so that nothing is left
to be loaded again: of a page that loads itself Chromium says "same-origin", and Firefox forgets on a reload that the
way went over another site.

Firefox says "none" after a redirect if the request had no referrer. So the pages with the form, and the redirect, send
one to ourselves (`Referrer-Policy: same-origin`); in the address of the form is no token. All other pages send none,
since the address of the page that vouches holds the handle.
"""

from typing import Any
from urllib.parse import unquote, urlsplit

from flask import g, request

from subscriptions.web.http import headers
from subscriptions.web.http.adapter import incoming
from subscriptions.web.http.incoming import Incoming

STAMP = "new"
TO_OURSELVES = "same-origin"


def stamp() -> dict[str, Any]:
    """For the redirect after a sign-up, if a page of ours has sent it."""
    if not _is_led_by_us():
        return {}
    comes_from_form()
    return {STAMP: 1}


def comes_from_form() -> None:
    """The answer at hand is a form that signs up, or the redirect after one: it tells ourselves where it was sent."""
    if not _is_framed():
        headers.refer(TO_OURSELVES)


def is_stamped() -> bool:
    return STAMP in request.args


def may_vouch() -> bool:
    return is_stamped() and _is_led_by_us()


def unstamped() -> dict[str, str]:
    """What the page at hand is asked with, but for the stamp."""
    return {name: request.args[name] for name in ("r", "a", "also", "again", "lang") if name in request.args}


def is_inbox_page(url: str) -> bool:
    """Where a list names our own host as a site, a form could lead back to a page that somebody else made vouch."""
    return urlsplit(url).hostname == urlsplit(request.host_url).hostname and "check-inbox" in unquote(url)


def _is_led_by_us() -> bool:
    return is_led_by_us(incoming()) and not _is_framed()


def is_led_by_us(incoming: Incoming) -> bool:
    """Whether a page of ours led here, the whole way, to a tab."""
    told = incoming.headers.get("sec-fetch-site"), incoming.headers.get("sec-fetch-dest")
    return told == ("same-origin", "document")


def _is_framed() -> bool:
    return "framed" in g
