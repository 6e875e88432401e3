"""From an owed mail and the state it is about to the message that leaves."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from flask_babel import force_locale
from jinja2 import Environment

from subscriptions.domain.address import named, wire_form
from subscriptions.domain.breaker import Excess
from subscriptions.domain.codes import for_reading
from subscriptions.domain.fields import greeted_by, told_by
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.policy import LINK_LIFE, Policy
from subscriptions.languages import SOURCE, Languages, direction, listed, locale_of, one_line, words
from subscriptions.links import Links
from subscriptions.mail import alarm, phrases, style
from subscriptions.mail.compiled_mails import Letter, compile_letter, folded, mark, sender_line, wrapped
from subscriptions.mail.lines import OutMessage
from subscriptions.settings import Settings
from subscriptions.store.kept import Kept
from subscriptions.store.lists import Catalogue, read_catalogue
from subscriptions.store.models import List, Wording
from subscriptions.store.outbox import Due, Member

LINKS = {  # as the templates name them: page, and the value in the letter; the letter itself keeps the base_url
    "confirm_url": ("confirm", "confirm_token"),
    "not_me_url": ("not-me", "not_me_token"),
    "unsubscribe_url": ("unsubscribe", "leave_token"),
    "preferences_url": ("preferences", "preferences_token"),
}
COMPILED_AT_MOST = 200  # in memory, some 40 KiB each: visitors choose the lists, and so what there is to compile
Entry = tuple[List, Wording | None]
VALUES = "greeting registered_at confirm_by code confirmed_at erased_keeps erased_text owed_at".split() + alarm.VALUES


class Composer:
    """Writes mails; keeps the letters that it has compiled."""

    def __init__(
        self, templates: Environment, settings: Settings, links: Links, catalogue: Callable[[], Catalogue],
        languages: Languages,
    ) -> None:  # fmt: skip
        self._templates, self._settings = templates, settings
        self.links, self._catalogue = links, catalogue
        self.name_cause: Callable[[Excess], str] = lambda excess: excess.name  # the watch knows better
        self._newer = Catalogue({}, {})
        self._language = lru_cache(256)(languages.best)
        self._compiled = lru_cache(COMPILED_AT_MOST)(self._compile)  # a catalogue that is read anew has new rows
        self._marked_links = {name: links.url(page, mark(token)) for name, (page, token) in LINKS.items()}
        name, address = named(settings.mail.sender)
        self._service, self._sender = name or address, wire_form(address)
        self._from = sender_line(name, self._sender)
        self._domain = self._sender.rpartition("@")[2]

    @property
    def policy(self) -> Policy:
        return self._settings.policy

    def compose(self, due: Due, now: datetime) -> OutMessage:
        """The mail that is due, written at `now`."""
        mail = MailKind(due.mail)
        if mail.row.to_operator:  # what it tells is read as it is now
            values = self.bare_values(self._settings.abuse.alarm_to, due.mid, now) | alarm.values(now, self.name_cause)
            return self._message(mail, self.operator_letter(mail), values)
        entries = self.entries(due)
        tag = self.language(due, entries)
        values, letter = self.values(mail, due, now, tag), self.letter(mail, entries, tag)
        hashed = hashes(values, letter.secrets)
        octets, redacted = letter.fill_twice(in_person(values, due.name, due.fields), hashed)
        message = OutMessage(mail.value, self._settings.mail.sender, letter, values["to"], octets)
        message.registration_id, message.key = due.registration_id, due.key
        message.details = _details(message, values, redacted) | {"hashes": hashed, "locale": tag}
        if mail.row.repeats_wording:
            message.details["wordings"] = {agreed.id: agreed.sha256 for _, agreed in entries if agreed}
        if len(entries) > 1:
            message.details["lists"] = [row.slug for row, _ in entries]
        return message

    def test_mail(self, to: str, mid: str, now: datetime) -> OutMessage:
        """A mail that only shows whether the relay takes one."""
        return self._message(MailKind.TEST, self.operator_letter(MailKind.TEST), self.bare_values(to, mid, now))

    def operator_letter(self, mail: MailKind) -> Letter:
        """A letter to the operator: about no list, in English as the commands are."""
        nothing = dict.fromkeys(("controller", "postal_address", "privacy_contact"), "")
        nobody = List(id=0, slug="test", name=self._service, locale="en", **nothing)
        return self._compile(mail, [(nobody, None)], SOURCE)

    def bare_values(self, to: str, mid: str, now: datetime) -> dict[str, str]:
        """The values of a mail that is about nobody."""
        head = {"to": wire_form(to), "mid": f"<{mid}@{self._domain}>", "date": _date(now.replace(microsecond=0))}
        return dict.fromkeys(VALUES, "") | head

    def values(self, mail: MailKind, due: Due, now: datetime, tag: str) -> dict[str, str]:
        """What is filled into a letter, the greeting without the name: `in_person` puts that in."""
        values = self.bare_values(due.address or "", due.mid, now) | secrets(mail, due, self.links)
        values["greeting"] = phrases.greeting(greeted_by(told_by(due.name, due.fields)), tag)
        values["registered_at"] = words(due.registered_at, tag)
        if due.ref and due.lead.confirm_by:
            values["confirm_by"] = words(due.lead.confirm_by, tag)
        if due.confirmed_at:
            values["confirmed_at"] = words(due.confirmed_at, tag)
        if mail.row.says_when:
            values["owed_at"] = words(due.owed_at, tag)
        if due.kept:
            stays = self.what_stays(due.kept, tag)
            values["erased_keeps"], values["erased_text"] = "\n".join(stays), "\n\n".join(map(wrapped, stays))
        return values

    def what_stays(self, kept: Kept, tag: str = SOURCE) -> list[str]:
        """After an erasure: a sentence or two for each thing."""
        lists = self._catalogue().lists
        return phrases.what_stays(kept, tag, lambda list_id: lists[list_id].name if list_id in lists else "")

    def language(self, due: Due, entries: Sequence[Entry]) -> str:
        """That of the registration or subscription; the list's, where there is no such language."""
        return self._language(due.locale, (), entries[0][0].locale)

    def letter(self, mail: MailKind, entries: Sequence[Entry], tag: str) -> Letter:
        """The letter that a mail is filled into, compiled at its first use."""
        return self._compiled(mail, tuple(entries), tag)

    def entries(self, due: Due) -> list[Entry]:
        """What a mail is about, by the catalogue; read anew where a later process has added this list or wording."""
        for known in (self._catalogue(), self._newer):
            with suppress(KeyError):
                return [_entry(known, member) for member in due.members]
        self._newer = read_catalogue()
        return [_entry(self._newer, member) for member in due.members]

    def _message(self, mail: MailKind, letter: Letter, values: dict[str, str]) -> OutMessage:
        return OutMessage(mail.value, self._settings.mail.sender, letter, values["to"], letter.fill(values))

    def _compile(self, mail: MailKind, entries: Sequence[Entry], tag: str) -> Letter:
        entries = [(each.said_in(tag), text) for each, text in entries]
        row, wording = entries[0]
        context: dict[str, Any] = {name: mark(name) for name in VALUES} | self._marked_links
        context |= {name: getattr(row, name) for name in ("controller", "postal_address", "privacy_contact")}
        said = [{"list": each, "wording": text, "lang": _foreign(text, tag)} for each, text in entries]
        context |= {"entries": said, "wording_lang": said[0]["lang"]}
        context |= {"list_name": listed([each.name for each, _ in entries], tag), "service_name": self._service}
        context |= {"wording": wording.text if wording else "", "policy_url": wording.policy_url if wording else ""}
        context |= {"hours": self._settings.lifecycle.confirm_within_hours, "minutes": LINK_LIFE.seconds // 60}
        context |= {"lang": tag, "dir": direction(tag), "preferences_page_url": self.links.url("preferences")}
        context |= style.look(mail, row, self._settings)
        with force_locale(locale_of(tag)):
            subject, text, html = (
                self._templates.get_template(f"email/{mail}/{part}").render(context)
                for part in ("subject.txt", "body.txt", "body.html")
            )
        headers = {"From": self._from}
        headers["Subject"] = folded("Subject", one_line(subject))
        headers |= {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "Content-Language": tag}
        return compile_letter(headers, self._slots(mail, row), text, style.inlined(html))

    def _slots(self, mail: MailKind, row: List) -> dict[str, str]:
        slots = {"To": mark("to"), "Date": mark("date"), "Message-ID": mark("mid")}
        if mail.row.leaves_by:
            host = urlsplit(self._settings.server.base_url).hostname or "localhost"
            slots["List-Id"] = f"<{row.slug}.{host}>"
            slots |= self.links.one_click_headers(self._marked_links[mail.row.leaves_by])
        return slots


def secrets(mail: MailKind, due: Due, links: Links) -> dict[str, str]:
    """What opens something, as those links write it: tokens, and the code."""
    values = {}
    if due.ref and due.lead.confirm_by:
        values["confirm_token"] = links.confirm_token(due.ref)
        values["code"] = for_reading(links.codes.code(due.ref))
        values["not_me_token"] = links.not_me_token(due.ref, due.lead.list_id, due.key, due.mailbox)
    if due.confirmed_at:
        values["leave_token"] = links.leave_token(due.lead.list_id, due.key)
    if mail.row.says_when:
        values["preferences_token"] = links.preferences_token(bytes.fromhex(due.mid), due.key, due.mailbox)
    return values


def in_person(values: Mapping[str, str], name: str | None, fields: Mapping[str, str] | None) -> dict[str, str]:
    """The values with the greeting filled in. Raises KeyError where what it names is no longer known."""
    return {**values, "greeting": values["greeting"] % told_by(name, fields)}


def hashes(values: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """What evidence keeps of each value that opens something.

    A token holds a signature, which nobody can guess. The code has 39 bits: whoever had its plain hash would try them
    all in an hour, so it is hashed together with the token of the link beside it.
    """
    beside = values.get("confirm_token", "")
    return {name: sha256((f"{values[name]} {beside}" if name == "code" else values[name]).encode()) for name in names}


def _details(message: OutMessage, values: Mapping[str, str], redacted: bytes) -> dict[str, object]:
    """For evidence: all that the mail can be made again from but the person, and no key to anything."""
    kept = {name: values[name] for name in message.letter.kept}
    return {"mail": message.mail, "message_id": values["mid"], "date": values["date"], "template": message.letter.id,
            "sha256": sha256(message.octets), "redacted_sha256": sha256(redacted), "values": kept}  # fmt: skip


def _entry(catalogue: Catalogue, member: Member) -> Entry:
    """Raises KeyError."""
    row = catalogue.lists[member.list_id] if member.list_id else catalogue.configured[0]  # no row names one: the first
    agreed = member.wording_id
    return row, catalogue.wordings[agreed] if agreed else catalogue.wordings.get(row.wording_id or "")


def _foreign(wording: Wording | None, tag: str) -> str:
    """The language of a wording, where it is not the mail's."""
    return wording.language if wording and wording.language != tag else ""


def sha256(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()


@lru_cache(16)
def _date(now: datetime) -> str:
    return format_datetime(now)
