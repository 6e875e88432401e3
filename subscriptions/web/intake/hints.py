"""What a visitor may want to look at again before it is too late: offered, never applied."""

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from subscriptions.domain.address import Address, special_ending
from subscriptions.domain.address_problems import straight, trimmed
from subscriptions.domain.mail_domains import is_well_known, meant_by
from subscriptions.languages import marked
from subscriptions.parts import Parts

SEEN, CHOSEN = "hint_seen", "use"  # fields of the form: the address that a hint was about, and the one chosen instead
_SLIP = marked("Did you mean %(address)s?")
_NO_MAIL = marked("No email can be delivered to %(domain)s. Please check the part after the @ sign.")
KEEP, USE = marked("Keep %(address)s and subscribe"), marked("Use %(address)s and subscribe")  # the two buttons
Form = MultiDict[str, str]


@dataclass(frozen=True, slots=True)
class Hint:
    """About an address that is not wrong and looks so; `suggestion`: another one, to be chosen by a button."""

    text: str
    values: dict[str, str]
    address: str
    suggestion: str | None = None

    @property
    def in_english(self) -> str:
        return self.text % self.values


def of(address: Address, parts: Parts, *, ask: bool = True) -> Hint | None:
    """The hint that this address deserves, whatever is known of it; `ask`: a name server, where that must be."""
    if not parts.settings.abuse.hints:
        return None
    better = _better(address)
    if better:
        return Hint(_SLIP, {"address": better}, address.typed, better)
    if _may_ask(address, parts) and parts.lookup.takes_no_mail(address.ascii_domain, ask=ask):
        return Hint(_NO_MAIL, {"domain": address.domain}, address.typed)
    return None


def _better(address: Address) -> str | None:
    local, _, domain = address.mailed.rpartition("@")
    meant = meant_by(address.ascii_domain)
    plain = local if local.isascii() else straight(local)
    return f"{plain}@{meant or domain}" if meant or plain != local else None


def is_quick(address: Address, parts: Parts) -> bool:
    """Whether `of` answers from memory: no name server is asked, and so nothing is waited for."""
    if not parts.settings.abuse.hints or meant_by(address.ascii_domain) or not _may_ask(address, parts):
        return True
    return parts.lookup.is_quick(address.ascii_domain)


def _may_ask(address: Address, parts: Parts) -> bool:
    """In try-out mode no mail leaves; of names of one's own network the world knows nothing."""
    domain = address.ascii_domain
    return parts.settings.mail.transport == "smtp" and not is_well_known(domain) and not special_ending(domain)


def unseen(form: Form, address: Address, parts: Parts, *, ask: bool = True) -> Hint | None:
    """The hint for the address of a form; not after a step, nor where its visitor has seen it and keeps the address."""
    return None if form.get("step") or _was_seen(form) else of(address, parts, ask=ask)


def _was_seen(form: Form) -> bool:
    return trimmed(form.get(SEEN, "")) == trimmed(form.get("email", "")) != ""


def chosen(form: Form) -> Form:
    """The form, with the suggested address where its button was pressed: unless another was typed meanwhile."""
    if CHOSEN not in form or not _was_seen(form):
        return form
    changed = form.copy()
    changed["email"] = changed[SEEN] = form[CHOSEN]
    return changed
