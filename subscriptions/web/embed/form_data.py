"""What the script needs to build the form of a list on a listed site: its fields, its wording, all its texts."""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext, ngettext

from subscriptions import languages
from subscriptions.domain.address_problems import SENTENCES
from subscriptions.domain.codes import LONGEST_TYPED, TRIES_A_VISIT
from subscriptions.look.shades import shades
from subscriptions.mail.responsible import sender_of
from subscriptions.parts import current_parts
from subscriptions.web.embed.options import Options, read
from subscriptions.web.http import cors, language, urls
from subscriptions.web.http.lists import the_list
from subscriptions.web.http.problems import json_answer
from subscriptions.web.intake.fields import Input
from subscriptions.web.pages import inbox
from subscriptions.web.pages.inbox import no_code, subject, wrong_code
from subscriptions.web.pages.sign_up_form import Agreement, SignUpForm

pages = Blueprint("form_data", __name__, url_prefix="/api/v1/lists")


@pages.get("/<slug>/form")
def form(slug: str) -> Response:
    """In the language that `lang` asks for."""
    options = read(the_list(slug), request.args)
    cors.refuse_strangers(options.rows)
    language.of_list(*options.rows)
    response = json_answer(data(options))
    response.headers["Content-Language"] = language.current()
    return response


@pages.after_request
def readable(response: Response) -> Response:
    """The script asks once more, blindly, to tell a site that is not listed from a service that is away."""
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def data(options: Options) -> dict[str, Any]:
    """The form as data."""
    form, here, row = options.form(), language.current(), options.rows[0]
    return {
        "list": row.slug, "lang": here, "dir": languages.direction(here),
        "action": form.action, "frame": urls.public(f"/embed/{row.slug}/frame"),
        "fields": [asdict(field) for field in form.fields],
        "lists": [_agreement(entry) for entry in form.agreements],
        "honeypot": form.trap.name,
        "hidden": {name: value for name, value in form.hidden.items() if name != urls.RETURN},  # it leads nowhere
        "texts": _texts(form), "colours": _colours(options), "inbox": _inbox(options),
    }  # fmt: skip


def _agreement(entry: Agreement) -> dict[str, Any]:
    row, wording = entry.list, entry.wording
    return {"list": row.slug, "name": row.name, "name_lang": row.lang_of("name"),
            "description": row.description, "lang": wording.language,
            "wording": wording.id, "text": wording.text, "purpose": entry.purpose.striptags(),
            "policy_url": wording.policy_url}  # fmt: skip


def _colours(options: Options) -> dict[str, str]:
    colour = options.colour or options.rows[0].colour
    day, night = shades(colour, "light"), shades(colour, "dark")
    return {"accent-light": day.fill, "accent-dark": night.fill,
            "on-accent-light": day.on_accent, "on-accent-dark": night.on_accent}  # fmt: skip


def _texts(form: SignUpForm) -> dict[str, Any]:
    return {
        "title": form.title, "subscribe": form.button, "about": form.about, "agree": form.agree, "policy": form.policy,
        "fine": form.fine, "trap": form.trap.label,
        "working": gettext("One moment: we are checking that you are not a robot."),
        "later": gettext("Many people have signed up from your network. Please try again later."),
        "trouble": gettext("We cannot answer just now, and nothing was changed. Please try again in a few seconds."),
        "required": gettext(SENTENCES["required"]),
        "wrong": {  # of these the first version of the script says nothing else
            "wording": gettext("This consent text does not belong to this list. Please reload the form."),
            "lists": gettext("Please choose at least one list."),
        },
    }  # fmt: skip


def _inbox(options: Options) -> dict[str, Any]:
    names = language.listed(options.rows)
    hours = current_parts().settings.lifecycle.confirm_within_hours
    time = ngettext("%(num)d hour from your sign-up", "%(num)d hours from your sign-up", hours)
    facts = [[gettext("Time to confirm"), time]]
    if not options.is_choice:  # else what is chosen decides
        facts.insert(0, [gettext("Subject"), subject(names)])
    if len({row.sender for row in options.rows}) == 1:
        facts.insert(0, [gettext("Sender"), sender_of(options.rows, current_parts().settings.mail.sender)])
    return {
        "heading": gettext("Now check your inbox"), "facts": facts, "code": _code(),
        "lead": gettext("Open the email we send to the address you gave.") + " "
                + gettext("Follow its link to confirm that you want %(list)s.", list=names),
        "hint": gettext("Nothing there? It can take 15 minutes.") + " "
                + gettext("Look in the spam folder, and under promotions or other tabs."),
        "more": gettext("Find the email, or get another one"),
        "correct": gettext("Wrong address?") + " " + gettext("Correct it"),
        **_inbox_page(names),
    }  # fmt: skip


def _inbox_page(names: str) -> dict[str, Any]:
    """What the second version of the script says after the form, as our own page does."""
    pause = inbox.pause()
    never = gettext("We do not write to addresses that asked us not to.")
    seldom = ngettext(
        "We do not write to addresses that asked us not to, nor more than once in %(num)d minute.",
        "We do not write to addresses that asked us not to, nor more than once in %(num)d minutes.",
        pause or 1,
    )
    return {
        "open": gettext("Open the email we send to %(address)s.", address="\n").split("\n"),
        "follow": gettext("Follow its link to confirm that you want %(list)s.", list=names),
        "nothing": gettext("Nothing there? It can take 15 minutes.") + " " + (seldom if pause else never),
        "missing": gettext("If you cannot find it"),
        "spam": gettext("Look in the spam folder, and under promotions or other tabs."),
        "again": gettext("Send another email"),
        "sent": gettext("If we can subscribe this address, we are sending another email."),
    }


def _code() -> dict[str, Any]:
    hint = gettext("Eight letters and digits. If you enter the code here, you are subscribed and do not need the link.")
    field = Input("code", gettext("Code"), hint=hint, autocomplete="one-time-code", longest=LONGEST_TYPED)
    return {
        "heading": gettext("Or type the code from the email"), "field": asdict(field), "confirm": gettext("Confirm"),
        "unread": no_code(), "wrong": [wrong_code(left) for left in range(TRIES_A_VISIT)],
        "late": gettext("This sign-up can no longer be confirmed. Sign up again for a new email."),
        "done": gettext("You are subscribed"),
        "left": gettext("You have said yes twice. Every newsletter has a link to unsubscribe."),
        "yours": urls.public("/my-data"), "data": gettext("Your subscriptions and data"),
    }  # fmt: skip
