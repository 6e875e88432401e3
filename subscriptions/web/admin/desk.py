"""The rooms of the desk, joined."""

from typing import Any

from flask import Flask, g, request, url_for
from flask_babel import gettext

from subscriptions.web.admin import (
    abuse,
    account,
    back,
    coming_in,
    cookies,
    correct_many,
    exports,
    go_live,
    guard,
    health,
    holds,
    imports,
    letters,
    links,
    list_editor,
    list_previews,
    list_site,
    lists,
    numbers,
    pages,
    people,
    people_acts,
    people_help,
    policies,
    proof,
    record,
    records,
    requests,
    service,
    sign_up,
    start,
)
from subscriptions.web.http import language

_OF_PEOPLE = people, people_acts, people_help, proof, holds, sign_up, correct_many, exports, back, requests, imports
_OF_LISTS = lists, list_editor, list_previews, list_site, go_live, policies, record
_OF_SERVICE = abuse, health, numbers, records, service, account, coming_in, links
_ROOMS = (start, letters, *_OF_PEOPLE, *_OF_LISTS, *_OF_SERVICE)  # each adds its pages, imported


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)
    app.jinja_env.globals["desk_csrf"] = cookies.csrf  # macros see it as well


@pages.context_processor
def _context() -> dict[str, Any]:
    who = g.desk if guard.is_signed_in() else None
    return {"who": who, "menu": _menu() if who else (), "words": language.words,
            "translated": language.translated}  # fmt: skip


def _menu() -> list[dict[str, Any]]:
    """What somebody may open, by the rows of the routes."""
    labels = {
        "desk.start": gettext("Start"), "desk.people": gettext("People"), "desk.requests_page": requests.label(),
        "desk.mail_to_read": gettext("Mail to read"),
        "desk.all_lists": gettext("Lists"), "desk.imports_page": gettext("Import"),
        "desk.exports": gettext("Export"), "desk.record": gettext("Record"),
        "desk.all_holds": gettext("Legal holds"), "desk.health": gettext("Health"),
        "desk.abuse_page": gettext("Limits and abuse"), "desk.audit_page": gettext("Audit"),
        "desk.all_tokens": gettext("Tokens"), "desk.all_accounts": gettext("Accounts"),
        "desk.account": gettext("Your account"),
    }  # fmt: skip
    may = [name for name in labels if guard.may(name) and (letters.is_on() or name != "desk.mail_to_read")]
    return [{"url": url_for(name), "label": labels[name], "here": _here(url_for(name))} for name in may]


def _here(url: str) -> str:
    """As aria-current says it: the page at hand, or one below it; the start page is above none."""
    if request.path == url:
        return "page"
    return "true" if request.path.startswith(f"{url}/") and url != url_for("desk.start") else ""
