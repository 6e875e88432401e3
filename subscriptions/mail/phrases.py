"""Sentences of mails that depend on the person: looked up once for each language, since mails leave by the hundred."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from flask_babel import force_locale, gettext

from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.domain.texts import filled
from subscriptions.languages import locale_of, marked
from subscriptions.settings import USUAL_WORDING, ListSettings
from subscriptions.store.kept import Kept


@lru_cache(256)
def greeting(place: str, tag: str, form: str = "") -> str:
    """With the places of the name left open, for `%`; `place`: of `greeted_by`."""
    if place:
        return _said(marked("Hello %(name)s,"), tag, form).replace("%(name)s", place)
    return _said(marked("Hello,"), tag, form).replace("%", "%%")


def on_site(time: str, site: str, tag: str) -> str:
    """When something was entered, and where."""
    return _said(marked("%(time)s, on %(site)s"), tag) % {"time": time, "site": site}


def wording(tag: str, name: str, controller: str, often: str, about: str) -> str:
    """A consent text from its parts, the last three of which may be missing: what, of whom, how often, about what."""
    values = {"name": name, "controller": controller}
    values["often"] = _said(marked(", %(often)s"), tag) % {"often": often} if often else ""
    values["about"] = _said(marked(", about %(about)s"), tag) % {"about": about} if about else ""
    return filled(_said(_WHOLE if controller else _UNNAMED, tag), values)


def reworded(tag: str, before: ListSettings, name: str, controller: str, text: str) -> str:
    """A consent text for another name or controller, where it was the usual one until now; else that text."""
    usual = wording(tag, before.name, before.controller, "", ""), replace(before, wording=USUAL_WORDING).wording
    is_renamed = (name, controller) != (before.name, before.controller)
    return wording(tag, name, controller, "", "") if is_renamed and text in usual else text


_WHOLE = marked(
    "Please send me “%(name)s” of %(controller)s by email%(often)s%(about)s. I can unsubscribe at any time."
)
_UNNAMED = marked("Please send me “%(name)s” by email%(often)s%(about)s. I can unsubscribe at any time.")


def what_stays(
    kept: Kept, tag: str, when: Callable[[datetime], str], name_of: Callable[[int], str], form: str = ""
) -> list[str]:
    """All that stays after an erasure, with why and until when; "nothing" where that is so.

    In HTML, where `when` writes a time so.
    """

    def said(text: str) -> str:
        return _said(text, tag, form)

    def timed(text: str, until: datetime, **more: str) -> str:
        time = when(until)
        return filled(type(time)(said(text)), {"time": time, **more})

    found = []
    if kept.proof_until:
        found.append(timed(_PROOF, kept.proof_until))
    if kept.mails_until:
        found.append(timed(_MAILS, kept.mails_until))
    for no in dict.fromkeys(kept.suppressions):
        if no.scope is SuppressionScope.ALL and no.list_id is not None:
            found.append(filled(said(_NO_MAIL_FOR), {"list": name_of(no.list_id)}))
        elif no.scope is SuppressionScope.ALL:
            found.append(said(_NO_MAIL))
        elif no.until is None:
            found.append(said(_NOT_ASKED))
        elif no.list_id is None:
            found.append(timed(_NOT_ASKED_UNTIL, no.until))
        else:
            found.append(timed(_NOT_ASKED_FOR, no.until, list=name_of(no.list_id)))
    if kept.has_asked:
        found.append(said(_REQUESTS))
    if found and kept.is_audited:
        found.append(said(_AUDITED))
    held = [said(_HELD)] if kept.is_held else []  # the one thing of all this that is not under a hash
    return [*found, *([said(_BY_HASH)] if found else []), *held] or [said(_NOTHING)]


_NOTHING = marked("We keep nothing about you.")
_PROOF = marked(
    "Until %(time)s we keep the proof of your consent: what you agreed to and in which language, when and how you "
    "signed up, confirmed and unsubscribed, and which emails we sent. It contains no address, name or IP address. "
    "We may have to show it in court (Article 17(3)(e) GDPR)."
)
_HELD = marked(
    "We cannot delete everything yet: some of your data is needed in a legal dispute (Article 17(3)(e) GDPR). "
    "We keep it until the dispute is over, use it for nothing else, send you nothing, and then delete it."
)
_MAILS = marked(
    "Until %(time)s we keep the times of our last emails, so that nobody can use our forms to flood your mailbox."
)
_NO_MAIL = marked(
    "No list here emails your address any more. "
    "To make sure of that, we keep the reason and the date until this is lifted."
)
_NO_MAIL_FOR = marked(
    "%(list)s does not email your address any more. "
    "To make sure of that, we keep the reason and the date until this is lifted."
)
_NOT_ASKED = marked(
    "We send no more confirmation emails to your address. "
    "To make sure of that, we keep the reason and the date until this is lifted."
)
_NOT_ASKED_UNTIL = marked(
    "Until %(time)s we send no confirmation emails to your address. "
    "To make sure of that, we keep the reason and the date until then."
)
_NOT_ASKED_FOR = marked(
    "Until %(time)s we send no confirmation emails for %(list)s to your address. "
    "To make sure of that, we keep the reason and the date until then."
)
_REQUESTS = marked(
    "We keep your requests, with your address and your words, only until they are answered. "
    "After that we keep only their type, dates and outcome, for as long as we keep proof of consent."
)
_AUDITED = marked(
    "Until all of this is gone, we also keep a record of who looked at or changed your data here, when and why."
)
_BY_HASH = marked(
    "All of this is stored under a keyed hash: a number made from your address, "
    "from which nobody can read the address. We use it for nothing else."
)


@lru_cache(256)
def _said(text: str, tag: str, form: str = "") -> str:
    with force_locale(locale_of(tag, form)):
        return str(gettext(text))
