"""The sign-up form, described once: our pages show it, the script on other sites builds it, owners paste it.

It is written by templates/pages/_form.html, _snippets.html, and embed/form_data.py; tests/test_one_form.py walks it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext, ngettext
from markupsafe import Markup, escape

from subscriptions.languages import marked
from subscriptions.parts import current_parts
from subscriptions.store.models import List, Wording
from subscriptions.web.http import language, urls
from subscriptions.web.intake.fields import Input, address_input, keys_in, texts_of, voluntary_inputs
from subscriptions.web.intake.parse import HONEYPOT, wording_field


@dataclass(frozen=True, slots=True)
class Agreement:
    """What is agreed to for one list."""

    list: List
    wording: Wording
    field: str  # the hidden one that names the wording
    purpose: Markup  # who asks, and what for (Article 13 GDPR)


@dataclass(frozen=True, slots=True)
class SignUpForm:
    """The form of one list, or with a choice among several, which may be none; all texts in the page's language."""

    title: str
    action: str
    is_choice: bool
    fields: Sequence[Input]  # the address, then what is voluntary
    about: str  # what several fields to be addressed by share: what they are for
    trap: Input  # no person sees or fills it
    agree: str
    agreements: Sequence[Agreement]
    policy: str
    kept: str  # what is stored, in one sentence
    rest: str  # and until when
    yours: str  # where people see it
    more: str  # opens the voluntary fields
    hidden: Mapping[str, str]
    button: str
    computes: bool = False  # a proof of work will be asked for, so that the form brings it at once

    @property
    def fine(self) -> str:
        """What is stored, where it stands in one piece."""
        return f"{self.kept} {self.rest}"

    @property
    def slug(self) -> str:
        """What tells its ids from those of another form on the same page."""
        return "several" if self.is_choice else self.agreements[0].list.slug

    @property
    def unseen(self) -> dict[str, str]:
        """All that is sent without being seen."""
        return {**{one.field: one.wording.id for one in self.agreements}, **self.hidden}


def describe(
    rows: Sequence[List], texts: Sequence[str], action: str, return_url: str = "", *, is_choice: bool,
    computes: bool = False, wordings: Mapping[str, Wording] | None = None,
) -> SignUpForm:  # fmt: skip
    """The form of these lists, with the fields that the configuration names so; as the page's language tells them.

    `wordings`: of lists that are not in the catalogue yet.
    """
    wordings = current_parts().catalogue.wordings if wordings is None else wordings
    rows, keys = [language.said(row) for row in rows], keys_in(texts)
    texts = [text for text in texts_of(rows) if keys_in([text])[0] in keys]
    choose = gettext("Choose what you would like to read")
    about = gettext("Your name is optional. We use it to address you, and for nothing else.")
    voluntary = voluntary_inputs(texts, gettext, rows, language.current())
    back = {urls.RETURN: return_url} if return_url else {}
    return SignUpForm(
        action=action, is_choice=is_choice, computes=computes,
        title=choose if is_choice else gettext("Subscribe to %(list)s", list=rows[0].name),
        fields=(address_input(gettext), *voluntary),
        about=about if sum(not one.is_own for one in voluntary) > 1 else "",
        trap=Input(HONEYPOT, gettext("Leave this empty")),
        agree=gettext("What you agree to"), policy=gettext("Privacy policy"),
        kept=gettext("We keep time and IP address as proof."), rest=_fine_print(), more=_more(voluntary),
        yours=urls.public("/my-data"),
        agreements=[_agreement(row, wordings, is_choice=is_choice) for row in rows],
        hidden={"locale": language.to_store(rows[0]) if rows else "", **back},
        button=gettext("Subscribe"),
    )  # fmt: skip


def _agreement(row: List, wordings: Mapping[str, Wording], *, is_choice: bool) -> Agreement:
    purpose = language.in_markup(_PURPOSE, list=language.named(row))
    if row.controller:
        responsible = gettext("Responsible: %(who)s", who=row.controller)
        purpose = escape(f"{responsible}{'' if responsible.endswith('.') else '.'} ") + purpose  # a legal name stays
    return Agreement(row, wordings[row.wording_id], wording_field(row, is_choice=is_choice), purpose)


_PURPOSE = marked("Your address is used to send you %(list)s, and for nothing else.")


def _fine_print() -> str:
    hours = current_parts().settings.lifecycle.confirm_within_hours
    stored = gettext("That is the time and the IP address of your sign-up and of your confirmation.")
    until = ngettext(
        "A sign-up that is not confirmed is blocked after %(num)d hour and deleted after a month.",
        "A sign-up that is not confirmed is blocked after %(num)d hours and deleted after a month.",
        hours,
    )
    return " ".join([stored, until, gettext("You can leave at any time.")])


def _more(voluntary: Sequence[Input]) -> str:
    is_more = any(one.is_own for one in voluntary)
    return str(gettext("Tell us more (optional)") if is_more else gettext("Add your name (optional)"))
