"""Every mail of every list in every language, written to an invented person with links that lead nowhere."""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from subscriptions.clock import StoppedClock
from subscriptions.domain.breaker import Excess, Opening, Scope
from subscriptions.domain.lifecycle import Mail
from subscriptions.links import Links
from subscriptions.links.sessions import Sessions
from subscriptions.mail import alarm
from subscriptions.mail.compose import Composer
from subscriptions.mail.lint import Expected, problems
from subscriptions.settings import Settings
from subscriptions.store.lists import Catalogue
from subscriptions.store.models import List
from subscriptions.store.outbox import Due

ADDRESS, NAME = "ada.example@example.org", "Ada Example"
TOKEN = "this-is-only-an-example"  # noqa: S105
_AGO = timedelta(hours=1)
_SAID = {  # the values that a mail must say, by the names of the templates (C-02, C-07)
    Mail.CONFIRM: {
        "registered_at": "when it was asked for",
        "confirm_by": "how long there is time",
        "code": "the code",
    },
    Mail.WELCOME: {"confirmed_at": "when it was confirmed"},
    Mail.PREFERENCES: {"owed_at": "when it was asked for"},
    Mail.ADDRESS_CHANGED: {"owed_at": "when it was changed"},
    Mail.ERASED: {"erased_keeps": "what stays", "kept_until": "until when it stays"},
}
_AGREED = {Mail.CONFIRM, Mail.WELCOME}
_NAMES_NO_LIST = {Mail.ERASED, Mail.TEST, Mail.ALARM, Mail.PREFERENCES, Mail.ADDRESS_CHANGED}
_ABOUT_NOBODY = {Mail.TEST, Mail.ALARM}


class ExampleLinks(Links):
    """Links that look like ours and open nothing."""

    def confirm_token(self, ref: bytes) -> str:
        return TOKEN

    def not_me_token(self, ref: bytes, list_id: int, key: bytes) -> str:
        return TOKEN

    def leave_token(self, list_id: int, key: bytes) -> str:
        return TOKEN


class _ExampleSessions(Sessions):
    def link_token(self, nonce: bytes, key: bytes) -> str:
        return TOKEN


@dataclass(frozen=True, slots=True)
class Preview:
    """One mail as it would leave."""

    mail: Mail
    row: List
    tag: str
    octets: bytes
    problems: list[str]


class Previews:
    """Writes mails like the composer that it was made from, to nobody."""

    def __init__(self, composer: Composer, settings: Settings, catalogue: Catalogue, now: datetime) -> None:
        self._settings, self._catalogue, self._now = settings, catalogue, now
        life = timedelta(hours=settings.lifecycle.confirm_within_hours)
        keys = [b"a key that signs nothing but examples"]
        links = ExampleLinks(settings.server.base_url, keys, b"examples", StoppedClock(now), life)
        links.sessions = _ExampleSessions(keys, StoppedClock(now))
        self._composer = copy(composer)
        self._composer.links = links

    def all_of(self, mails: list[Mail], lists: list[List], tags: list[str]) -> Iterator[Preview]:
        for row in lists:
            for mail in mails:
                yield from (self.one(mail, row, tag) for tag in tags)

    def one(self, mail: Mail, row: List, tag: str) -> Preview:
        due = self._due(mail, row, tag)
        octets = self._octets(mail, due)
        return Preview(mail, row, tag, octets, list(problems(mail, octets, self._expected(mail, row, due))))

    def _octets(self, mail: Mail, due: Due) -> bytes:
        if mail is Mail.TEST:
            return self._composer.test_mail(ADDRESS, due.mid, self._now, due.locale).octets
        if mail is Mail.ALARM:
            return self._composer.alarm_mail(ADDRESS, due.mid, self._now, self._flood(), due.locale)[0].octets
        return self._composer.compose(due, self._now).message.octets

    def _flood(self) -> dict[str, str]:
        """As if the breaker had opened an hour ago."""
        excess = Excess(Scope.ALL, "", 1200, self._settings.abuse.signups_per_minute)
        return alarm.told([Opening(excess, self._now - _AGO, self._now + _AGO)], self._now, lambda one: one.name)

    def _due(self, mail: Mail, row: List, tag: str) -> Due:
        """As if all had happened that a mail could be about."""
        began = self._now - _AGO
        known: dict[str, Any] = {
            "id": 0, "mail": mail.value, "mid": "0" * 32, "tries": 0, "drop_at": self._now + _AGO, "list_id": row.id,
            "key": bytes(16), "address": ADDRESS, "name": NAME, "locale": tag, "registered_at": began,
            "owed_at": began, "group": (),
            "wording_id": row.wording_id, "ref": bytes(16), "confirmed_at": self._now, "restricted": False,
            "confirm_by": began + timedelta(hours=self._settings.lifecycle.confirm_within_hours),
            "proof_until": datetime(self._now.year + self._settings.lifecycle.keep_proof_years + 1, 1, 1,
                                    tzinfo=self._now.tzinfo),
        }  # fmt: skip
        fields: dict[str, Any] = {name: known.get(name) for name in Due._fields}
        return Due(**fields)

    def _expected(self, mail: Mail, row: List, due: Due) -> Expected:
        wording = self._catalogue.wordings[row.wording_id]
        policy_url = wording.policy_url
        if mail in _ABOUT_NOBODY:
            return Expected(self._origin, "", {})
        values = self._composer.values(mail, due, self._now, self._composer.links, due.locale)
        facts = {name: values[key] for key, name in _SAID.get(mail, {}).items()} | _legal(row)
        if mail in _AGREED:
            facts["what is agreed to"] = wording.text
        if mail not in _NAMES_NO_LIST:
            facts["which list"] = row.name
        return Expected(self._origin, policy_url, facts)

    @property
    def _origin(self) -> str:
        return self._settings.server.base_url.rstrip("/")


def _legal(row: List) -> dict[str, str]:
    said = {"who is responsible": row.controller, "where": row.postal_address, "whom to ask": row.privacy_contact}
    return {name: value for name, value in said.items() if value}
