"""What a visitor may want to look at again before it is too late: offered, never applied (A-11, A-12)."""

from dataclasses import dataclass

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from subscriptions.domain.address import Address
from subscriptions.domain.typos import is_well_known, meant_by
from subscriptions.languages import marked
from subscriptions.parts import parts

SEEN, CHOSEN = "hint_seen", "use"  # fields of the form: the address that a hint was about, and the one chosen instead
_SLIP = marked("Did you mean %(address)s?")
_NO_MAIL = marked("No mail can arrive at %(domain)s. Please look at the part behind the @-sign.")
Form = MultiDict[str, str]


@dataclass(frozen=True, slots=True)
class Hint:
    """About an address that is not wrong and looks so; `suggestion`: another one, to be chosen by a button."""

    text: str
    values: dict[str, str]
    address: str
    suggestion: str | None = None

    def __str__(self) -> str:
        """In the language of the page."""
        return str(gettext(self.text, **self.values))

    @property
    def in_english(self) -> str:
        return self.text % self.values


def of(address: Address) -> Hint | None:
    """The hint that this address deserves; by itself alone, whatever is known of it."""
    settings = parts().settings
    if not settings.abuse.hints:
        return None
    meant = meant_by(address.ascii_domain)
    if meant:
        better = f"{address.mailed.rpartition('@')[0]}@{meant}"
        return Hint(_SLIP, {"address": better}, address.typed, better)
    if settings.mail.transport == "smtp" and _takes_no_mail(address.ascii_domain):  # in try-out mode no mail leaves
        return Hint(_NO_MAIL, {"domain": address.domain}, address.typed)
    return None


def _takes_no_mail(domain: str) -> bool:
    return not is_well_known(domain) and parts().lookup.takes_no_mail(domain)


def unseen(form: Form, address: Address) -> Hint | None:
    """The hint for the address of a form, unless its visitor has seen it and keeps the address."""
    return None if was_seen(form) else of(address)


def was_seen(form: Form) -> bool:
    """Whether the visitor has seen the hint about exactly this address, and keeps it."""
    return form.get(SEEN, "") == form.get("email", "").strip() != ""


def chosen(form: Form) -> Form:
    """The form, with the suggested address where its button was pressed: unless another was typed meanwhile."""
    if CHOSEN not in form or not was_seen(form):
        return form
    changed = form.copy()
    changed["email"] = changed[SEEN] = form[CHOSEN]
    return changed
