"""What the script needs to build the form of a list on a listed site: its fields, its wording, all its texts."""

import json
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext, ngettext

from subscriptions import languages
from subscriptions.parts import parts
from subscriptions.store.models import List, Wording
from subscriptions.web import cors, language, place
from subscriptions.web.forms import HONEYPOT, LONGEST_NAME
from subscriptions.web.options import Options, read
from subscriptions.web.pages import the_list

pages = Blueprint("form_data", __name__, url_prefix="/api/v1/lists")
LONGEST_ADDRESS = 254


@pages.get("/<slug>/form")
def form(slug: str) -> Response:
    """In the language that `lang` asks for."""
    row = the_list(slug)
    return cors.refused([row]) or _answer(data(row, read(row, request.args)))


def _answer(found: dict[str, Any]) -> Response:
    response = Response(json.dumps(found, ensure_ascii=False), mimetype="application/json")
    response.headers["Content-Language"] = found["lang"]
    return response


@pages.after_request
def readable(response: Response) -> Response:
    """The script asks once more, blindly, to tell a site that is not listed from a service that is away."""
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def data(row: List, options: Options) -> dict[str, Any]:
    """The form as data: for the script, and for the snippets of the embed page."""
    here = language.current()
    return {
        "list": row.slug,
        "lang": here,
        "dir": languages.direction(here),
        "action": place.public(f"/subscribe/{row.slug}"),
        "frame": place.public(f"/embed/{row.slug}/frame"),
        "fields": fields(options),
        "wording": _wording(row, parts().catalogue.wordings[row.wording_id]),
        "honeypot": HONEYPOT,
        "hidden": {"locale": language.to_store(row)},
        "texts": _texts(row),
        "inbox": _inbox(row),
    }


def fields(options: Options) -> list[dict[str, Any]]:
    needed, optional = gettext("required"), gettext("optional")
    address = {
        "name": "email", "label": gettext("E-mail address"), "type": "email", "autocomplete": "email",
        "longest": LONGEST_ADDRESS, "required": True, "need": needed, "hint": "",
    }  # fmt: skip
    usual = {"type": "text", "longest": LONGEST_NAME, "required": False, "need": optional}
    hint = gettext("We use it to greet you, and for nothing else.")
    return [address] + [
        {"name": "name", "label": gettext("Name"), "autocomplete": "name", "hint": hint, **usual}
        for key in options.fields
        if key == "name"
    ]


def _wording(row: List, wording: Wording) -> dict[str, str]:
    return {"id": wording.id, "text": wording.text, "lang": row.locale, "policy_url": wording.policy_url}


def _texts(row: List) -> dict[str, Any]:
    return {
        "title": gettext("Subscribe to %(list)s", list=row.name),
        "subscribe": gettext("Subscribe"),
        "agree": gettext("What you agree to"),
        "policy": gettext("Privacy policy"),
        "fine": fine_print(),
        "trap": gettext("Leave this empty"),
        "working": gettext("One moment: your browser is showing that it is no robot."),
        "later": gettext("Many people have signed up from your network. Please try again later."),
        "trouble": gettext("We cannot answer just now, and nothing was changed. Please try again in a few seconds."),
        "wrong": {
            "email": gettext("This is not a complete e-mail address. Please check it for a typing mistake."),
            "wording": gettext("This consent text is not one of this list. Please load the form again."),
        },
    }


def fine_print() -> str:
    """What stands below the wording: what is stored, and until when."""
    hours = parts().settings.lifecycle.confirm_within_hours
    return " ".join(
        [
            gettext("We store the time and the IP address of your sign-up and of your confirmation, as proof."),
            ngettext(
                "A sign-up that is not confirmed is blocked after %(num)d hour and deleted after a month.",
                "A sign-up that is not confirmed is blocked after %(num)d hours and deleted after a month.",
                hours,
            ),
            gettext("You can leave at any time."),
        ]
    )


def _inbox(row: List) -> dict[str, Any]:
    hours = parts().settings.lifecycle.confirm_within_hours
    subject = render_template("email/confirm/subject.txt", list_name=row.name).strip()
    time = ngettext("%(num)d hour, counted from your sign-up", "%(num)d hours, counted from your sign-up", hours)
    return {
        "heading": gettext("Now check your inbox"),
        "lead": gettext(
            "If the address can be subscribed to %(list)s, a mail is on its way to it. "
            "Open it, follow its link and press the button there.",
            list=row.name,
        ),
        "facts": [
            [gettext("Sender"), parts().settings.mail.sender],
            [gettext("Subject"), subject],
            [gettext("Time to confirm"), time],
        ],
        "hint": gettext(
            "Look in the spam folder, and under promotions or other tabs. "
            "Some mail systems also hold a first mail back for a quarter of an hour."
        ),
    }
