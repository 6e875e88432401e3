"""From an owed mail and the state it is about to the message that leaves."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from flask_babel import force_locale
from jinja2 import Environment

from subscriptions.domain.address import wire_form
from subscriptions.domain.breaker import Excess
from subscriptions.domain.codes import for_reading
from subscriptions.domain.fields import addressed_as
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.policy import LINK_LIFE
from subscriptions.languages import SOURCE, Languages, direction, listed, locale_of, one_line, words
from subscriptions.links import Links
from subscriptions.mail import alarm, style
from subscriptions.mail.compiled_mails import Letter, compile_letter, folded, mark, sender_line
from subscriptions.mail.message import OutMessage
from subscriptions.mail.phrases import Phrases
from subscriptions.settings import Settings
from subscriptions.store.lists import Catalogue, read_catalogue
from subscriptions.store.models import List, Wording
from subscriptions.store.outbox import Due

LINKS = {  # as the templates name them: page, and the value in the letter; the letter itself keeps the base_url
    "confirm_url": ("confirm", "confirm_token"),
    "not_me_url": ("not-me", "not_me_token"),
    "unsubscribe_url": ("unsubscribe", "leave_token"),
    "preferences_url": ("preferences", "preferences_token"),
}
Entry = tuple[List, Wording | None]
VALUES = "greeting registered_at confirm_by code confirmed_at erased_keeps kept_until owed_at".split() + alarm.VALUES


@dataclass(frozen=True, slots=True)
class Composed:
    """A message, and what the evidence keeps of it: enough to rebuild it, no live link."""

    message: OutMessage
    letter: Letter
    details: dict[str, object]


class Composer:
    """Writes mails; keeps the letters that it has compiled."""

    def __init__(
        self, templates: Environment, settings: Settings, links: Links, catalogue: Callable[[], Catalogue],
        languages: Languages,
    ) -> None:  # fmt: skip
        self._templates, self._settings, self._languages = templates, settings, languages
        self.links, self._catalogue = links, catalogue
        self.name_cause: Callable[[Excess], str] = lambda excess: excess.name  # the watch knows better
        self._newer = Catalogue({}, {})
        self._letters: dict[tuple[object, ...], Letter] = {}
        self._phrases = Phrases()
        sender = parseaddr(settings.mail.sender)
        self._service, self._sender = sender[0] or sender[1], wire_form(sender[1])
        self._domain = self._sender.rpartition("@")[2]

    def compose(self, due: Due, now: datetime) -> Composed:
        """The mail that is due, written at `now`."""
        mail = MailKind(due.mail)
        if mail.row.to_operator:
            return self._to_operator(mail, due, now)
        entries = self._entries(due)
        tag = self._language(due, entries)
        values = self.values(mail, due, now, self.links, tag)
        letter = self._letter(mail, entries, tag)
        message = OutMessage(mail.value, self._settings.mail.sender, values["to"], letter.fill(values))
        message.registration_id, message.key = due.registration_id, due.key
        details = self._details(mail, values, letter, message.octets)
        details["locale"] = tag
        if mail.row.says_when:
            details["owed_at"] = due.owed_at.isoformat()
        if len(entries) > 1:
            details["lists"] = [row.slug for row, _ in entries]
        return Composed(message, letter, details)

    def test_mail(self, to: str, mid: str, now: datetime) -> OutMessage:
        """A mail that only shows whether the relay takes one."""
        values = self.bare_values(to, mid, now)
        octets = self.operator_letter(MailKind.TEST).fill(values)
        return OutMessage(MailKind.TEST.value, self._settings.mail.sender, values["to"], octets)

    def operator_letter(self, mail: MailKind) -> Letter:
        """A letter to the operator: about no list, in English as the commands are."""
        return self._compile(mail, [(_nobody(self._service), None)], SOURCE)

    def bare_values(self, to: str, mid: str, now: datetime) -> dict[str, str]:
        """The values of a mail that is about nobody."""
        values = dict.fromkeys(VALUES, "") | {"to": wire_form(to), "mid": f"<{mid}@{self._domain}>"}
        return values | {"date": format_datetime(now.replace(microsecond=0))}

    def _to_operator(self, mail: MailKind, due: Due, now: datetime) -> Composed:
        """What it tells is read as it is now."""
        values = self.bare_values(self._settings.abuse.alarm_to, due.mid, now) | alarm.values(now, self.name_cause)
        letter = self.operator_letter(mail)
        message = OutMessage(mail.value, self._settings.mail.sender, values["to"], letter.fill(values))
        return Composed(message, letter, {})

    def values(self, mail: MailKind, due: Due, now: datetime, links: Links, tag: str) -> dict[str, str]:
        """What is filled into a letter."""
        values = dict.fromkeys(VALUES, "")
        values["to"] = wire_form(due.address or "")
        values["date"] = _date(now.replace(microsecond=0))
        values["mid"] = f"<{due.mid}@{self._domain}>"
        values["greeting"] = self._phrases.greeting(addressed_as(due.name, due.fields), tag)
        values["registered_at"] = words(due.registered_at, tag)
        if due.ref and due.lead.confirm_by:
            values["confirm_by"] = words(due.lead.confirm_by, tag)
            values["confirm_token"] = links.confirm_token(due.ref)
            values["code"] = for_reading(links.codes.code(due.ref))
            values["not_me_token"] = links.not_me_token(due.ref, due.lead.list_id, due.key)
        if due.confirmed_at:
            values["confirmed_at"] = words(due.confirmed_at, tag)
            values["leave_token"] = links.leave_token(due.lead.list_id, due.key)
        if mail.row.says_when:
            values["owed_at"] = words(due.owed_at, tag)
            values["preferences_token"] = links.preferences_token(bytes.fromhex(due.mid), due.key)
        return values | (self._phrases.what_stays(due.proof_until, tag) if mail is MailKind.ERASED else {})

    def language(self, due: Due) -> str:
        """That of the registration or subscription; the list's, where there is no such language."""
        return self._language(due, self._entries(due))

    def letter(self, mail: MailKind, due: Due, tag: str) -> Letter:
        """The letter that a mail is filled into, compiled at its first use."""
        return self._letter(mail, self._entries(due), tag)

    def _language(self, due: Due, entries: Sequence[Entry]) -> str:
        return self._languages.best(due.locale, (), entries[0][0].locale)

    def _letter(self, mail: MailKind, entries: Sequence[Entry], tag: str) -> Letter:
        key = (mail, tag, *entries)  # a catalogue that is read anew has new rows
        letter = self._letters.get(key)
        if letter is None:
            letter = self._letters[key] = self._compile(mail, entries, tag)
        return letter

    def _entries(self, due: Due) -> list[Entry]:
        """By the catalogue; read anew where a process that started later has added this list or wording."""
        for known in (self._catalogue(), self._newer):
            with suppress(KeyError):
                return _entries(known, due)
        self._newer = read_catalogue()
        return _entries(self._newer, due)

    def _compile(self, mail: MailKind, entries: Sequence[Entry], tag: str) -> Letter:
        row, wording = entries[0]
        context: dict[str, Any] = {name: mark(name) for name in VALUES} | self._marked_links()
        context |= {name: getattr(row, name) for name in ("controller", "postal_address", "privacy_contact")}
        context |= {"entries": [{"list": each, "wording": text} for each, text in entries]}
        context |= {"list_name": listed([each.name for each, _ in entries], tag), "service_name": self._service}
        context |= {"lang": tag, "dir": direction(tag)}
        context |= {"wording": wording.text if wording else "", "policy_url": wording.policy_url if wording else ""}
        context |= {"hours": self._settings.lifecycle.confirm_within_hours, "minutes": LINK_LIFE.seconds // 60}
        context |= style.look(mail, row, self._settings)
        context["preferences_page_url"] = self.links.url("preferences")
        with force_locale(locale_of(tag)):
            subject, text, html = (
                self._templates.get_template(f"email/{mail}/{part}").render(context)
                for part in ("subject.txt", "body.txt", "body.html")
            )
        html = style.inlined(html)
        headers = {"From": sender_line(self._settings.mail.sender, self._sender)}
        headers["Subject"] = folded("Subject", one_line(subject))
        headers |= {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "Content-Language": tag}
        return compile_letter(headers, self._slots(mail, row), text, html)

    def _marked_links(self) -> dict[str, str]:
        return {name: self.links.url(page, mark(token)) for name, (page, token) in LINKS.items()}

    def _slots(self, mail: MailKind, row: List) -> dict[str, str]:
        slots = {"To": mark("to"), "Date": mark("date"), "Message-ID": mark("mid")}
        if mail.row.leaves_by:
            host = urlsplit(self._settings.server.base_url).hostname or "localhost"
            slots["List-Id"] = f"<{row.slug}.{host}>"
            slots |= self.links.one_click_headers(self._marked_links()[mail.row.leaves_by])
        return slots

    def _details(self, mail: MailKind, values: dict[str, str], letter: Letter, octets: bytes) -> dict[str, object]:
        used = [(name, page, values[token]) for name, (page, token) in LINKS.items() if token in letter.uses]
        links = {name: hashlib.sha256(self.links.url(page, token).encode()).hexdigest() for name, page, token in used}
        return {
            "mail": mail.value, "message_id": values["mid"], "date": values["date"], "template": letter.id,
            "sha256": hashlib.sha256(octets).hexdigest(), "links": links,
        }  # fmt: skip


def _entries(catalogue: Catalogue, due: Due) -> list[Entry]:
    """Raises KeyError."""
    return [_entry(catalogue, member.list_id, member.wording_id) for member in due.members]


def _entry(catalogue: Catalogue, list_id: int, wording_id: str | None) -> Entry:
    row = catalogue.lists[list_id] if list_id else catalogue.configured[0]  # no row names one: the first
    return row, catalogue.wordings[wording_id] if wording_id else catalogue.wordings.get(row.wording_id or "")


@lru_cache(16)
def _date(now: datetime) -> str:
    return format_datetime(now)


def _nobody(service: str) -> List:
    nothing = dict.fromkeys(("controller", "postal_address", "privacy_contact"), "")
    return List(id=0, slug="test", name=service, locale="en", **nothing)
