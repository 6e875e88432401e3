"""From trying things out to a live service: what is still to do, and the people removed who were made up."""

from dataclasses import replace
from typing import Any

from flask import g, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from subscriptions.actions import accounts, sessions
from subscriptions.actions import go_live as clearing
from subscriptions.parts import current_parts
from subscriptions.store import lists, mode
from subscriptions.store.engine import reading
from subscriptions.web.admin import Answer, cookies, door, guard, pages

_LINES = """[server]
base_url = "https://news.example.org"

[mail]
transport = "smtp"
host = "mail.example.org"
port = 587
security = "starttls"
username = "yestwice"
password = ""
sender = "Example Society <letters@example.org>"
"""


@pages.get("/go-live")
def go_live_page() -> str:
    return _page()


@pages.post("/go-live")
def go_live() -> Answer:
    """Remove what was made up, sessions too. Configuration and restart are the operator's: the desk writes no file.

    Whoever is here without an account stays, or could not make one next.
    """
    parts = current_parts()
    if not _is_tried():
        return _page(problem=gettext("This service is live already. Nothing was changed.")), 409
    if request.form.get("sure") != "yes":
        return _page(problem=gettext("Please tick the box first.")), 422
    act = replace(guard.act("go-live"), at=parts.clock.real_now())
    counts = clearing.clear(act, is_live=False)
    parts.follow()
    if guard.who().account is not None:
        return _page(removed=counts["persons"])
    g.begun = sessions.begin(None, door.agent(), parts.clock.now())
    return cookies.keep(Response(_page(removed=counts["persons"]), mimetype="text/html"), g.begun)


def _is_tried() -> bool:
    return current_parts().settings.mail.transport == "mailbox"


def _page(**said: Any) -> str:
    with reading() as session:
        counts = mode.counts(session)
    todo = [(row, lists.lacks(row)) for row in current_parts().catalogue.kept if lists.lacks(row)]
    return render_template("desk/go_live.html", counts=counts, todo=todo, is_tried=_is_tried(), lines=_LINES,
                           is_new=accounts.is_nobody_in(), **said)  # fmt: skip
