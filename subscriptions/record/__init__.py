"""What an operator has to write down: the text for the privacy policy; beside it, the record of processing.

Both are filled with what this installation is set to; what only people know stands in [brackets].
"""

import hashlib

from babel.units import format_unit
from flask_babel import force_locale, gettext

from subscriptions.domain.fields import fields_of
from subscriptions.domain.texts import filled
from subscriptions.languages import locale_of, marked
from subscriptions.mail.compiled_mails import sender_in
from subscriptions.mail.responsible import who
from subscriptions.parts import Parts
from subscriptions.store.models import List


class Words:
    """Sentences in one language, with the numbers and names of this installation."""

    def __init__(self, parts: Parts, tag: str) -> None:
        self.settings, self.tag, life = parts.settings, tag, parts.settings.lifecycle
        mail, server = parts.settings.mail, parts.settings.server
        self.values: dict[str, object] = {
            "hours": self._time(life.confirm_within_hours, "hour"), "days": self._time(life.purge_after_days, "day"),
            "months": self._time(life.keep_ip_months, "month"), "years": self._time(life.keep_proof_years, "year"),
            "host": mail.host if mail.transport == "smtp" else "[…]", "url": f"{server.base_url.rstrip('/')}/my-data",
        }  # fmt: skip

    def _time(self, number: int, unit: str) -> str:
        return format_unit(number, f"duration-{unit}", locale=locale_of(self.tag))

    def say(self, text: str, **more: object) -> str:
        with force_locale(locale_of(self.tag)):
            return filled(str(gettext(text)), self.values | more)

    def fields(self, row: List) -> str:
        """What people may fill in besides the address, and what for."""
        with force_locale(locale_of(self.tag)):
            return "; ".join(f"{gettext(one.label)} ({gettext(one.purpose)})" for one in fields_of(*row.fields))


_CLAUSE = marked(
    "After you sign up for “%(list)s”, we send an email to the address you gave and ask you to confirm. If you do not "
    "confirm within %(hours)s, your information is blocked. It is deleted automatically %(days)s after the sign-up, or "
    "one calendar month after it if that is earlier."
)
_IPS = marked(
    "We store your IP address and the time of the sign-up and of the confirmation, to be able to prove that you signed "
    "up and to clear up misuse. We delete the IP addresses %(months)s after the confirmation."
)
_NEEDED, _ONLY = (
    marked("Your email address is the only information that we need. Everything else is voluntary: %(fields)s"),
    marked("Your email address is the only information that we ask for."),
)
_BASIS = marked(
    "We do this because you agreed to it (Article 6(1)(a) GDPR). We keep the proof of your consent while you are "
    "subscribed and for %(years)s after the end of the year in which your subscription ended, because we have to be "
    "able to show it (Articles 7(1) and 17(3)(e) GDPR)."
)
_RECIPIENTS = marked(
    "Our emails come from %(sender)s and leave through the mail server %(host)s. [Name here who runs your servers and "
    "the program that sends your newsletters.]"
)
_WITHDRAW = marked(
    "You can withdraw your consent at any time, by the link in each newsletter or by an email to %(contact)s. This "
    "does not affect the lawfulness of what was done before."
)
_RIGHTS = marked(
    "You have the right to see what we store about you, to have it corrected, deleted or restricted, to receive it and "
    "to object (Articles 15 to 21 GDPR). You can do most of this yourself: %(url)s"
)
_COMPLAIN, _COMPLAIN_THERE = (
    marked("You can also complain to a supervisory authority for data protection."),
    marked("You can also complain to the supervisory authority for data protection: %(authority)s"),
)
_NO_MACHINE = marked(
    "We make no automated decisions about you, and we do not record whether you open emails or follow their links."
)


def policy_text(parts: Parts, row: List, tag: str) -> str:
    """A ready text for the privacy policy of a list, in that language."""
    words, said = Words(parts, tag), row.said_in(tag)
    ours = said.sender or parts.settings.mail.sender
    named = {"list": said.name, "sender": sender_in(ours).address, "authority": said.authority,
             "contact": said.privacy_contact or sender_in(ours).address, "fields": words.fields(said)}  # fmt: skip
    asks = (_CLAUSE, _IPS, _NEEDED if said.fields else _ONLY, _BASIS, _RECIPIENTS, _WITHDRAW, _RIGHTS)
    ends = (_COMPLAIN_THERE if said.authority else _COMPLAIN, _NO_MACHINE)
    responsible = [who(said, parts.settings.mail.sender), said.postal_address, said.privacy_contact]
    first = words.say(marked("Responsible: %(who)s"), who=", ".join(filter(None, map(in_line, responsible))))
    return "\n\n".join([first, *(words.say(text, **named) for text in (*asks, *ends))])


def in_line(text: str) -> str:
    return ", ".join(text.splitlines())


def hash_of(text: str) -> str:
    """By which one that was copied is known again."""
    return hashlib.sha256(text.encode()).hexdigest()
