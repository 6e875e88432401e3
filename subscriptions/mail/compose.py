"""From an owed mail and the state it is about to the message that leaves."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from flask_babel import force_locale
from jinja2 import Environment
from sqlalchemy.orm import Session

from subscriptions import clock
from subscriptions.domain.address import wire_form
from subscriptions.domain.breaker import Excess
from subscriptions.domain.fields import greeted_by, told_by
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.policy import Policy
from subscriptions.languages import SOURCE, Languages, direction, listed, locale_of, one_line, words
from subscriptions.links import Links
from subscriptions.links.by_mail import RETURN_OF_FORM, returning, tagged
from subscriptions.mail import alarm, answers, numbers, phrases, requests, responsible, style
from subscriptions.mail.compiled_mails import Letter, compile_letter, folded, mark, sender_in, wrapped
from subscriptions.mail.lines import OutMessage
from subscriptions.mail.opening import hashes, secrets, sha256
from subscriptions.settings import Settings
from subscriptions.store import figures
from subscriptions.store.kept import Kept
from subscriptions.store.lists import Catalogue, common, read_catalogue
from subscriptions.store.models import List, Wording
from subscriptions.store.outbox import Due, Member

LINKS = {  # as the templates name them: page, and the value in the letter; the letter itself keeps the base_url
    "confirm_url": ("confirm", "confirm_token"),
    "not_me_url": ("not-me", "not_me_token"),
    "unsubscribe_url": ("unsubscribe", "leave_token"),
    "preferences_url": ("my-data", "preferences_token"),
    "request_url": ("admin/requests", "request_number"),
    "no_numbers_url": ("admin/no-numbers", "no_numbers_token"),
    "desk_url": ("admin/come-in", "desk_token"),
}
COMPILED_AT_MOST = 200  # in memory, some 40 KiB each: visitors choose the lists, and so what there is to compile
Entry = tuple[List, Wording | None]
VALUES = "greeting registered_at confirm_by code confirmed_at erased_keeps erased_text owed_at".split()
VALUES += alarm.VALUES + numbers.VALUES + requests.VALUES + answers.VALUES


class Composer:
    """Writes mails; keeps the letters that it has compiled."""

    def __init__(
        self, templates: Environment, settings: Settings, links: Links, catalogue: Callable[[], Catalogue],
        languages: Languages,
    ) -> None:  # fmt: skip
        self._templates, self._settings = templates, settings
        self.links, self._catalogue = links, catalogue
        self._takes_token = bool(links.by_mail.returns_to) and links.by_mail.in_address
        self.name_cause: Callable[[Excess], str] = lambda excess: excess.name  # the watch knows better
        self._newer = Catalogue({}, {})
        self._language = lru_cache(256)(languages.best)
        self._compiled = lru_cache(COMPILED_AT_MOST)(self._compile)  # a catalogue that is read anew has new rows
        self._marked_links = {name: links.url(page, mark(token)) for name, (page, token) in LINKS.items()}
        self._ours, self._bounces = settings.mail.sender, sender_in(settings.mail.envelope_sender).address

    @property
    def policy(self) -> Policy:
        return self._settings.policy

    def compose(self, due: Due, now: datetime) -> OutMessage:
        """The mail that is due, written at `now`."""
        mail = MailKind(due.mail)
        if mail.row.to_operator:  # what it tells is read as it is now
            values = self.bare_values(due.address or self._settings.abuse.alarm_to, due.mid, now)
            told = due.told or alarm.values(now, self.name_cause)
            values |= numbers.head(told) if "head" in told else told
            return self.message(mail, self.operator_letter(mail), values)
        tag = self.language(due, entries := self.entries(due))
        letter = self.letter(mail, entries, tag)
        values = self.values(mail, due, now, tag, letter)
        hashed = hashes(values, letter.secrets)
        octets, redacted = letter.fill_twice(in_person(values, due.name, due.fields), hashed)
        message = self.message(mail, letter, values, octets)
        if self._takes_token:
            message.envelope_sender = self._returns_to(due) or message.envelope_sender
        message.registration_id, message.key = due.registration_id, due.key or None
        message.details = _details(message, values, redacted) | {"hashes": hashed, "locale": tag}
        if mail.row.repeats_wording:
            message.details["wordings"] = {agreed.id: agreed.sha256 for _, agreed in entries if agreed}
        if len(entries) > 1:
            message.details["lists"] = [row.slug for row, _ in entries]
        return message

    def test_mail(self, to: str, mid: str, now: datetime, row: List | None = None) -> OutMessage:
        """A mail that only shows whether the relay takes one, from the sender of that list or of the installation."""
        letter = self.operator_letter(MailKind.TEST, row)
        return self.message(MailKind.TEST, letter, self.bare_values(to, mid, now, letter.sender.domain))

    def operator_letter(self, mail: MailKind, row: List | None = None) -> Letter:
        """A letter to the operator: about no list, in English as the commands are."""
        return self._compile(mail, [(responsible.nobody(row), None)], SOURCE)

    def risen(self, session: Session, now: datetime) -> str:
        """Bounces and spam reports, for the operator."""
        return alarm.lines(f"{one}." for one in figures.risen(session, self._catalogue().slugs, now))

    def senders(self) -> set[str]:
        """All that a relay is told as senders."""
        texts = {self._ours, *(row.sender or self._ours for row in self._catalogue().configured)}
        return {self._bounces or sender_in(text).address for text in texts}

    def bare_values(self, to: str, mid: str, now: datetime, domain: str = "") -> dict[str, str]:
        """The values of a mail that is about nobody. `domain`: of its sender."""
        mid = f"<{mid}@{domain or sender_in(self._ours).domain}>"
        head = {"to": wire_form(to), "mid": mid, "date": _date(now.replace(microsecond=0))}
        return dict.fromkeys(VALUES, "") | head

    def values(self, mail: MailKind, due: Due, now: datetime, tag: str, letter: Letter) -> dict[str, str]:
        """What is filled into a letter, the greeting without the name: `in_person` puts that in."""
        values = self.bare_values(due.address or "", due.mid, now, letter.sender.domain)
        values |= secrets(mail, due, self.links)
        values["greeting"] = phrases.greeting(greeted_by(told_by(due.name, due.fields)), tag, letter.form)
        at = words(due.registered_at, tag, letter.zone)
        values["registered_at"] = phrases.on_site(at, due.site, tag) if due.site and mail.row.of_form else at
        times = {"confirm_by": due.lead.confirm_by if due.ref else None, "confirmed_at": due.confirmed_at}
        times |= {"owed_at": due.owed_at} if mail.row.says_when else {}
        values |= {name: words(time, tag, letter.zone) for name, time in times.items() if time}
        if due.told and mail.row.answers:
            values |= answers.values(due.told, tag, self._catalogue().lists)
        elif due.told:
            tells = numbers if "says" in due.told else requests
            values |= tells.values(due.told, tag, self._catalogue().lists, self.links)
        if due.kept:
            stays = self.what_stays(due.kept, tag, lambda at: words(at, tag, letter.zone), letter.form)
            values["erased_keeps"], values["erased_text"] = "\n".join(stays), "\n\n".join(map(wrapped, stays))
        return values

    def what_stays(self, kept: Kept, tag: str = SOURCE, when: Callable[[datetime], str] = clock.words,
                   form: str = "") -> list[str]:  # fmt: skip
        """After an erasure: a sentence or two for each thing. `when`: how a time is written."""
        lists = self._catalogue().lists
        return phrases.what_stays(kept, tag, when, lambda n: lists[n].said_in(tag).name if n in lists else "", form)

    def language(self, due: Due, entries: Sequence[Entry]) -> str:
        """That of the registration or subscription; the list's, where there is no such language."""
        return self._language(due.locale, (), entries[0][0].locale)

    def letter(self, mail: MailKind, entries: Sequence[Entry], tag: str) -> Letter:
        """The letter that a mail is filled into, compiled at its first use."""
        return self._compiled(mail, tuple(self.spoken_for(mail, entries)), tag)

    def spoken_for(self, mail: MailKind, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Which lists a mail is from: those that it is about, or all that there are."""
        if not mail.row.of_all:
            return entries
        return [*entries, *((row, None) for row in self._catalogue().configured if row.id != entries[0][0].id)]

    def entries(self, due: Due) -> list[Entry]:
        """What a mail is about, by the catalogue; read anew where a later process has added this list or wording."""
        for known in (self._catalogue(), self._newer):
            with suppress(KeyError):
                return [_entry(known, member) for member in due.members]
        self._newer = read_catalogue()
        return [_entry(self._newer, member) for member in due.members]

    def message(self, mail: MailKind, letter: Letter, values: dict[str, str], octets: bytes = b"") -> OutMessage:
        by = self._bounces or letter.sender.address
        return OutMessage(mail.value, by, letter, values["to"], octets or letter.fill(values))

    def _returns_to(self, due: Due) -> str:
        """The address that tells whose mail came back, where it is a confirmation mail or one to a subscriber."""
        by_mail, list_id = self.links.by_mail, due.lead.list_id
        if due.ref and due.lead.confirm_by:
            return tagged(by_mail.returns_to, by_mail.write(RETURN_OF_FORM, due.ref, list_id))
        return returning(by_mail, list_id)(due.key) if due.confirmed_at else ""

    def _compile(self, mail: MailKind, entries: Sequence[Entry], tag: str) -> Letter:
        entries = [(each.said_in(tag), text) for each, text in entries]
        rows, about = [each for each, _ in entries], entries[:1] if mail.row.of_all else entries
        named, wording = [each for each, _ in about], about[0][1]
        context: dict[str, Any] = {name: mark(name) for name in VALUES} | self._marked_links
        told = responsible.told(rows, named, self._ours, wording)
        of_one = rows[0] if len(told) == 1 else None
        context |= {"parties": told, "controller": of_one.controller if of_one else ""}
        said = [{"list": each, "wording": text, "lang": _foreign(text, tag), "who": responsible.who(each, self._ours)}
                for each, text in about]  # fmt: skip
        context |= {"entries": said, "wording_lang": said[0]["lang"], "lang": tag, "dir": direction(tag)}
        context["list_name"] = listed([each.name for each in named], tag)
        context["service_name"] = responsible.name_of(rows, self._ours)
        context |= {"wording": wording.text if wording else "", "policy_url": wording.policy_url if wording else ""}
        context |= style.look(mail, of_one, self._settings) | responsible.pages(mail, self.links)
        form = "" if mail.row.to_account else common(rows, "address_form")  # a list's is for its subscribers
        with force_locale(locale_of(tag, form)):
            subject, text, html = (
                self._templates.get_template(f"email/{mail}/{part}").render(context)
                for part in ("subject.txt", "body.txt", "body.html")
            )
        headers = responsible.headers(rows, self._ours) | {"Subject": folded("Subject", one_line(subject))}
        by = "auto-replied" if mail.row.answers else "auto-generated"
        headers |= {"Auto-Submitted": by, "X-Auto-Response-Suppress": "All", "Content-Language": tag}
        letter = compile_letter(headers, self._slots(mail, of_one), text, style.inlined(html))
        letter.sender, letter.form = sender_in(responsible.sender_of(rows, self._ours)), form
        letter.zone = clock.zone_of(rows[0].timezone)
        return letter

    def _slots(self, mail: MailKind, row: List | None) -> dict[str, str]:
        """`row`: the list that the mail is of; none: of lists of several controllers."""
        slots = {"To": mark("to"), "Date": mark("date"), "Message-ID": mark("mid")}
        if mail.row.leaves_by:
            host = urlsplit(self._settings.server.base_url).hostname or "localhost"
            slots |= {"List-Id": f"<{row.slug}.{host}>"} if row else {}
            page, token = LINKS[mail.row.leaves_by]
            mailto = self.links.by_mail.url(page, mark(token), mark("tag_token"))
            slots |= self.links.one_click_headers(self._marked_links[mail.row.leaves_by], mailto, between=",\r\n ")
        answered = ("In-Reply-To", "References") if mail.row.answers else ()
        return slots | dict.fromkeys(answered, mark("answered"))


def in_person(values: Mapping[str, str], name: str | None, fields: Mapping[str, str] | None) -> dict[str, str]:
    """The values with the greeting filled in. Raises KeyError where what it names is no longer known."""
    return {**values, "greeting": values["greeting"] % told_by(name, fields)}


def _details(message: OutMessage, values: Mapping[str, str], redacted: bytes) -> dict[str, object]:
    """For evidence: all that the mail can be made again from but the person; the template first, as its index wants."""
    kept = {name: values[name] for name in message.letter.kept}
    return {"template": message.letter.id, "mail": message.mail, "message_id": values["mid"], "date": values["date"],
            "sha256": sha256(message.octets), "redacted_sha256": sha256(redacted), "values": kept}  # fmt: skip


def _entry(catalogue: Catalogue, member: Member) -> Entry:
    row = catalogue.lists[member.list_id] if member.list_id else catalogue.configured[0]  # no row names one: the first
    texts, agreed = catalogue.wordings, member.wording_id
    return row, texts[agreed] if agreed else texts.get(row.wording_id or "")


def _foreign(wording: Wording | None, tag: str) -> str:
    """The language of a wording, where it is not the mail's."""
    return wording.language if wording and wording.language != tag else ""


@lru_cache(16)
def _date(now: datetime) -> str:
    return format_datetime(now)
