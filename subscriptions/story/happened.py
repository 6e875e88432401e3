"""One event of the evidence as a sentence."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from subscriptions.domain.bounces import Weight
from subscriptions.domain.evidence import ANOTHER_SITE, Channel, Fact
from subscriptions.domain.mail_kinds import noun
from subscriptions.domain.texts import marked
from subscriptions.store.models import Evidence
from subscriptions.story.said import FieldNames, Said

_WAYS = {
    Channel.FORM: marked("by the form"), Channel.BUTTON: marked("by the button"),
    Channel.API: marked("by a website’s own form or a program"),
    Channel.PREFERENCES: marked("on their own page"), Channel.ONE_CLICK: marked("by the button of their mail program"),
    Channel.EMAIL: marked("by email"), Channel.LETTER: marked("by letter"), Channel.PHONE: marked("by phone"),
    Channel.COMMAND: marked("by a command on the server"), Channel.DESK: marked("at the desk"),
    Channel.RELAY: marked("by the mail server"), Channel.BOUNCE: marked("by an email that came back"),
    Channel.COMPLAINT: marked("by a spam report"), Channel.IMPORT: marked("by an import"),
    "paper": marked("on paper"), "in person": marked("in person"),
    "the page's form": marked("by the form of the page"),
    "one-click of the mail program": marked("by the button of their mail program"), "an email": marked("by email"),
}  # fmt: skip
_METHODS = {
    "button on the confirmation page": marked("confirmed by the button on the confirmation page"),
    "code typed on the page of the sign-up": marked(
        "confirmed by the code from the email, typed on the page after the form"
    ),
    "code sent by the client of the sign-up": marked(
        "confirmed by the code from the email, typed on the website of the sign-up"
    ),
    "confirmed in the browser of the sign-up, whose page was still open": marked(
        "confirmed in the browser of the sign-up, whose page was still open"
    ),
}
_REASONS = {
    text: text for text in (
        marked("this was not me"), marked("revoked by email"),
        marked("revoked by letter"), marked("revoked by phone"), marked("left in the newsletter program"),
        marked("erasure asked for"), marked("erasure"),
        marked("never write to me again"), marked("moved to another address"),
        marked("the form of the unsubscribe page"),
        marked("left on the preferences page"), marked("left all lists on the preferences page"),
    )
} | {
    "spam report": marked("they marked an email as spam"),
    "one-click on the confirmation mail": marked("their mail program cancelled the sign-up"),
    "one-click of the mail program (RFC 8058)": marked("their mail program unsubscribed them (RFC 8058)"),
}  # fmt: skip

_WEIGHTS: Mapping[str, str] = {
    Weight.HARD: marked("there is no such mailbox"), Weight.SOFT: marked("the mailbox is full or cannot be reached"),
    Weight.OTHER: marked("the mail server refused it for another reason"),
}  # fmt: skip

_REPLY, _IP = frozenset({"reply"}), frozenset({"ip"})


def reason(text: object) -> object:
    """Why, as we have put it, or as somebody has written it."""
    return Said(_REASONS[str(text)]) if str(text) in _REASONS else text


def sentence(event: Evidence) -> Said:
    details = event.details
    mail, why = Said(noun(details.get("mail"))), reason(details.get("reason"))
    is_form = event.channel is Channel.API and "site" in details  # a program that names its site is the form on it
    how = {"way": way(Channel.FORM if is_form else event.channel), "by": _by(event)}
    reply = Said(': "%(reply)s"', {"reply": details.get("reply")})
    refused = Said(marked('; the mail server said "%(reply)s"'), {"reply": details.get("reply")})
    told = {
        Fact.MAILED: Said(marked("the mail server took the %(mail)s%(reply)s."),
                          {"mail": mail, "reply": reply}, _REPLY),
        Fact.MAIL_GIVEN_UP: Said(marked("the %(mail)s was given up%(reply)s.%(aside)s"),
                                 {"mail": mail, "reply": refused, "aside": _set_aside(details)}, _REPLY),
        Fact.CONFIRMED: Said("%(how)s%(ip)s.", {"how": _confirmed(details), "ip": _ip(event)}, _IP),
        Fact.IMPORTED: Said(
            marked("imported from %(source)s: signed up on %(registered)s, confirmed on "
                   "%(confirmed)s%(ip)s%(document)s; row %(row)s of the file %(sha256)s."),
            {"source": details.get("source"), "registered": _time(details.get("registered_at")),
             "confirmed": _time(details.get("confirmed_at")), "ip": _ip(event), "row": details.get("row"),
             "sha256": str(details.get("file_sha256"))[:16],
             "document": Said(marked("; document: %(document)s"), details) if details.get("document") else ""}, _IP),
        Fact.ASKED_AGAIN: Said(marked("somebody signed this address up again %(way)s%(by)s."), how),
        Fact.DISOWNED: Said(marked('"this was not me", %(way)s.'), {"way": way(details.get("by", event.channel))}),
        Fact.UNSUBSCRIBED: Said(marked("unsubscribed %(way)s%(by)s: %(reason)s."), how | {"reason": why}),
        Fact.CORRECTED: Said(marked("changed at the desk: %(fields)s.") if event.channel is Channel.DESK
                             else marked("changed on their own page: %(fields)s."),
                             {"fields": FieldNames(tuple(details.get("changed", ())))}),
        Fact.BOUNCED: Said(marked("an email to this address came back: %(reply)s."), {"reply": details.get("reply")}),
        Fact.RETURNED: Said(marked("an email to this address came back, which ends nothing: %(why)s (%(reply)s)."),
                            {"why": Said(_WEIGHTS.get(details.get("weight", ""), "%(weight)s"), details),
                             "reply": details.get("reply")}),
        Fact.RESTRICTED: Said(marked("restricted: %(reason)s."), {"reason": why}),
        Fact.UNRESTRICTED: Said(marked("no longer restricted; they were told before, %(way)s on %(day)s."),
                                {"way": way(details.get("told")), "day": _day(details.get("told_on"))}),
        Fact.ERASED: Said(marked("the person was erased from this record.")),
        Fact.HELD: Said(marked("held for legal reasons, to be reviewed on %(day)s: %(reason)s."),
                        {"day": _day(details.get("review_on")), "reason": why}),
        Fact.RELEASED: Said(marked("no longer held: %(reason)s."), {"reason": why}),
    }  # fmt: skip
    return told.get(event.fact) or _registered(event, how)


def _registered(event: Evidence, how: Mapping[str, object]) -> Said:
    if event.channel is Channel.IMPORT:
        invited = marked("invited to confirm, from a list that was imported; consent text %(wording)s.")
        return Said(invited, {"wording": event.details.get("wording")})
    details, flags = event.details, event.details.get("flags", ())
    unsaid = Said(marked(" (the one in use then: the form did not say which one it showed)"))
    vouched = "" if details.get("vouched", True) else unsaid
    agreed = {"wording": details.get("wording"), "vouched": vouched}
    return Said(
        marked("signed up %(way)s%(site)s%(by)s%(ip)s%(own)s%(agreed)s.%(throwaway)s%(elsewhere)s"),
        {
            **how, "ip": _ip(event), "own": _by_its_own_account(details),
            "agreed": Said(marked("; consent text %(wording)s%(vouched)s"), agreed),
            "site": Said(marked(" on %(site)s"), {"site": details["site"]}) if "site" in details else "",
            "throwaway": Said(marked(" Its domain offers throw-away addresses.")) if "disposable" in flags else "",
            "elsewhere": Said(marked(" The form stood on another site.")) if ANOTHER_SITE in flags else "",
        },
        frozenset({"ip", "agreed"}),
    )  # fmt: skip


def way(by: object) -> Said:
    """How an act reached us."""
    found = _WAYS.get(str(by))
    return Said(found) if found else Said(marked("by %(way)s"), {"way": by})


def _day(text: object) -> object:
    return date.fromisoformat(str(text)) if text else ""


def _time(text: object) -> object:
    """As it was kept; a time that cannot be read stands as it is."""
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return text


def _by(event: Evidence) -> object:
    return f" ({event.actor})" if event.actor and event.actor != event.channel else ""


def _ip(event: Evidence) -> object:
    return Said(marked(" from %(ip)s"), {"ip": event.ip}) if event.ip else ""


def _confirmed(details: Mapping[str, Any]) -> Said:
    method = str(details.get("method"))
    if method.startswith("confirmed"):
        return Said(_METHODS.get(method, "%(method)s"), {"method": method})
    return Said(_METHODS.get(method, marked("confirmed by the %(method)s")), {"method": method})


def _by_its_own_account(details: Mapping[str, Any]) -> object:
    """Where and when, as the client says that vouches."""
    page, at = details.get("page"), details.get("submitted_at")
    if "asked" in details:
        asked = {"way": way(details["asked"]), "day": _day(details.get("asked_on"))}
        return Said(marked(", as they asked %(way)s on %(day)s"), asked)
    if not page and not at:
        return ""
    on = Said(marked(" on %(page)s"), {"page": page}) if page else ""
    return Said(
        marked(", as the website says,%(on)s%(at)s"),
        {"on": on, "at": Said(marked(" at %(time)s"), {"time": at}) if at else ""},
    )


def _set_aside(details: Mapping[str, Any]) -> object:
    """Why a mail that everybody's refusal had stopped did not leave later."""
    if not details.get("set_aside"):
        return ""
    over = marked("its time was over before the mail server took any")
    what = marked("a later sign-up has its own email") if details.get("superseded") else over
    why = marked(" It had been set aside, because the mail server refused every email; %(what)s.")
    return Said(why, {"what": Said(what)})
