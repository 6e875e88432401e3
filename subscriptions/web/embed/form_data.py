"""What the script needs to build the form of a list on a listed site: its fields, its wording, all its texts."""

import json
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext, ngettext

from subscriptions import languages
from subscriptions.domain.codes import LONGEST_TYPED, TRIES_A_VISIT
from subscriptions.domain.fields import LONGEST
from subscriptions.look.shades import shades
from subscriptions.parts import current_parts
from subscriptions.store.models import List
from subscriptions.web.embed.options import Options, read
from subscriptions.web.http import cors, language, urls
from subscriptions.web.intake.fields import shown
from subscriptions.web.intake.parse import HONEYPOT
from subscriptions.web.pages.inbox import no_code, subject, wrong_code
from subscriptions.web.pages.signup import the_list

pages = Blueprint("form_data", __name__, url_prefix="/api/v1/lists")
LONGEST_ADDRESS = 254  # RFC 5321 4.5.3.1


@pages.get("/<slug>/form")
def form(slug: str) -> Response:
    """In the language that `lang` asks for."""
    options = read(the_list(slug), request.args)
    return cors.refused(options.rows) or _answer(data(options))


def _answer(found: dict[str, Any]) -> Response:
    response = Response(json.dumps(found, ensure_ascii=False), mimetype="application/json")
    response.headers["Content-Language"] = found["lang"]
    return response


@pages.after_request
def readable(response: Response) -> Response:
    """The script asks once more, blindly, to tell a site that is not listed from a service that is away."""
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def data(options: Options) -> dict[str, Any]:
    """The form as data: for the script, and for the snippets of the page for owners."""
    here, row = language.current(), options.rows[0]
    return {
        "list": row.slug,
        "lang": here,
        "dir": languages.direction(here),
        "action": urls.public("/subscribe" if options.is_choice else f"/subscribe/{row.slug}"),
        "frame": urls.public(f"/embed/{row.slug}/frame"),
        "fields": [_address(), *_voluntary(options)],
        "lists": [_list(one) for one in options.rows],
        "honeypot": HONEYPOT,
        "hidden": {"locale": language.to_store(row)},
        "texts": _texts(options),
        "colours": _colours(options),
        "inbox": _inbox(options),
    }


def _field(name: str, label: str, **what: Any) -> dict[str, Any]:
    plain = {"need": "", "hint": "", "type": "text", "autocomplete": "off", "longest": LONGEST, "required": False}
    return {"name": name, "label": label, **plain, **what}


def _address() -> dict[str, Any]:
    need, label = gettext("required"), gettext("E-mail address")
    return _field("email", label, need=need, type="email", autocomplete="email", longest=LONGEST_ADDRESS, required=True)


def _voluntary(options: Options) -> Iterator[dict[str, Any]]:
    for one in shown(options.fields, gettext):
        yield _field(
            one["key"], one["label"], need=gettext("optional"), hint=one["hint"], autocomplete=one["autocomplete"]
        )


def _list(row: List) -> dict[str, Any]:
    wording = current_parts().catalogue.wordings[row.wording_id]
    purpose = gettext("Your address is used to send you %(list)s, and for nothing else.", list=row.name)
    if row.controller:
        purpose = gettext("Responsible: %(who)s.", who=row.controller.rstrip(".")) + " " + purpose
    return {
        "list": row.slug,
        "name": row.name,
        "description": row.description,
        "lang": row.locale,
        "wording": wording.id,
        "text": wording.text,
        "purpose": purpose,
        "policy_url": wording.policy_url,
    }


def _colours(options: Options) -> dict[str, str]:
    """Of the button, by day and at night: the wished one or the list's own, in shades that can be read."""
    colour = options.colour or options.rows[0].colour
    made = {scheme: shades(colour, scheme) for scheme in ("light", "dark")}
    return {f"accent-{scheme}": one.accent for scheme, one in made.items()} | {
        f"on-accent-{scheme}": one.on_accent for scheme, one in made.items()
    }


def _texts(options: Options) -> dict[str, Any]:
    if options.is_choice:
        title = gettext("Choose what you would like to read")
    else:
        title = gettext("Subscribe to %(list)s", list=options.rows[0].name)
    return {
        "title": title,
        "subscribe": gettext("Subscribe"),
        "about": gettext("All of this is optional. We use it to address you, and for nothing else.")
        if len(options.fields) > 1
        else "",
        "agree": gettext("What you agree to"),
        "policy": gettext("Privacy policy"),
        "fine": _fine_print(),
        "trap": gettext("Leave this empty"),
        "working": gettext("One moment: your browser is showing that it is no robot."),
        "later": gettext("Many people have signed up from your network. Please try again later."),
        "trouble": gettext("We cannot answer just now, and nothing was changed. Please try again in a few seconds."),
        "wrong": {
            "email": gettext("This is not a complete e-mail address. Please check it for a typing mistake."),
            "wording": gettext("This consent text is not one of this list. Please load the form again."),
            "lists": gettext("Please choose at least one list."),
        },
    }


def _fine_print() -> str:
    """What stands below the wording: what is stored, and until when."""
    hours = current_parts().settings.lifecycle.confirm_within_hours
    stored = gettext("We store the time and the IP address of your sign-up and of your confirmation, as proof.")
    until = ngettext(
        "A sign-up that is not confirmed is blocked after %(num)d hour and deleted after a month.",
        "A sign-up that is not confirmed is blocked after %(num)d hours and deleted after a month.",
        hours,
    )
    return " ".join([stored, until, gettext("You can leave at any time.")])


def _inbox(options: Options) -> dict[str, Any]:
    """What comes after the form; the subject names the list, which of several are chosen nobody knows yet."""
    names = language.listed(options.rows)
    hours = current_parts().settings.lifecycle.confirm_within_hours
    time = ngettext("%(num)d hour, counted from your sign-up", "%(num)d hours, counted from your sign-up", hours)
    facts = [[gettext("Sender"), current_parts().settings.mail.sender], [gettext("Time to confirm"), time]]
    if not options.is_choice:
        facts.insert(1, [gettext("Subject"), subject(names)])
    return {
        "heading": gettext("Now check your inbox"),
        "lead": gettext(
            "If the address can be subscribed to %(list)s, a mail is on its way to it. "
            "Open it, follow its link and press the button there.",
            list=names,
        ),
        "facts": facts,
        "code": _code(),
        "hint": gettext(
            "Look in the spam folder, and under promotions or other tabs. "
            "Some mail systems also hold a first mail back for a quarter of an hour."
        ),
        "more": gettext("Find the mail, or have another one sent"),
        "correct": gettext("Wrong address?") + " " + gettext("Correct it"),
    }


def _code() -> dict[str, Any]:
    """The mailed code, typed where the form was."""
    hint = gettext(
        "Eight letters and digits. To type them here subscribes the address, like the button behind the link."
    )
    return {
        "heading": gettext("Or type the code from the mail"),
        "field": _field("code", gettext("Code"), hint=hint, autocomplete="one-time-code", longest=LONGEST_TYPED),
        "confirm": gettext("Confirm"),
        "unread": no_code(),
        "wrong": [wrong_code(left) for left in range(TRIES_A_VISIT)],
        "late": gettext("This sign-up can no longer be confirmed. Sign up again for a fresh mail."),
        "done": gettext("You are subscribed"),
    }
