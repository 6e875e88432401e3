"""Every mail of every list in every language, written to an invented person with links that lead nowhere."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from subscriptions.domain import seal
from subscriptions.domain.breaker import Excess, Opening, Scope
from subscriptions.domain.budget import longest
from subscriptions.domain.lifecycle import Registration
from subscriptions.domain.mail_kinds import MailKind, SuppressionScope
from subscriptions.domain.prose import links
from subscriptions.domain.seal import Seal
from subscriptions.domain.sites import host_of
from subscriptions.languages import SOURCE
from subscriptions.mail import alarm, numbers
from subscriptions.mail.compiled_mails import Letter
from subscriptions.mail.compose import Composer, in_person
from subscriptions.mail.lines import OutMessage
from subscriptions.mail.lint import Expected, problems
from subscriptions.settings import Settings
from subscriptions.store.kept import Kept, SaidNo
from subscriptions.store.lists import Catalogue, parties
from subscriptions.store.models import List
from subscriptions.store.outbox import Due, Member

SEVERAL = "_several"  # the same kind, about several lists
ADDRESS, NAME = "ada.example@example.org", "Ada Example"
EXAMPLE = "This is only an example."
TOKEN = "this-is-only-an-example"  # noqa: S105
_AGO = timedelta(hours=1)
_LEGAL = {"who is responsible": "controller", "where": "postal_address", "whom to ask": "privacy_contact"}


def all_kinds() -> dict[str, MailKind]:
    """What can be looked at, and which kind of mail it is."""
    several = {f"{kind}{SEVERAL}": kind for kind in MailKind if kind.row.of_form}
    return {kind.value: kind for kind in MailKind} | several


@dataclass(frozen=True, slots=True)
class Preview:
    """One mail as it would leave."""

    kind: str
    mail: MailKind
    row: List
    tag: str
    octets: bytes
    problems: list[str]


class Previews:
    """Writes mails with the letters of the composer, to nobody."""

    def __init__(self, composer: Composer, settings: Settings, catalogue: Catalogue, now: datetime) -> None:
        self._composer, self._settings, self._catalogue, self._now = composer, settings, catalogue, now

    def all_of(self, kinds: Iterable[str], lists: Sequence[List], tags: Sequence[str]) -> Iterator[Preview]:
        """Mails to the operator stand with the first of the lists."""
        for row in lists:
            for kind in kinds:
                if not all_kinds()[kind].row.to_operator or row is lists[0]:
                    yield from (self.one(kind, row, tag) for tag in tags if self.is_there(kind, tag))

    def is_there(self, kind: str, tag: str) -> bool:
        """Whether such a mail is ever sent in that language."""
        if all_kinds()[kind].row.to_operator:
            return tag == SOURCE
        return not kind.endswith(SEVERAL) or len(self._catalogue.configured) > 1

    def one(self, kind: str, row: List, tag: str) -> Preview:
        mail, others = all_kinds()[kind], [other for other in self._catalogue.configured if other.id != row.id]
        rows = [row, *others[:2]] if kind.endswith(SEVERAL) else [row]
        due = self._due(mail, rows, tag)
        if mail.row.to_operator:
            letter, values = self._composer.operator_letter(mail), self._to_operator(due)
        else:
            letter = self._composer.letter(mail, self._composer.entries(due), tag)
            values = self._to_person(mail, due, tag, letter)
        octets = letter.fill(values)
        expected = self._expected(mail, [each.said_in(tag) for each in rows], tag, values)
        return Preview(kind, mail, row, tag, octets, list(problems(mail, octets, expected)))

    def sample(self, row: List, tag: str, to: str, mid: str) -> OutMessage:
        """The confirmation mail of a list for whoever works here: marked as a test, with links that lead nowhere."""
        mail, due = MailKind.CONFIRM, self._due(MailKind.CONFIRM, [row], tag)._replace(address=to, mid=mid, name=None)
        letter = self._composer.letter(mail, self._composer.entries(due), tag)
        values = self._to_person(mail, due, tag, letter)
        octets = letter.fill(values).replace(b"\r\nSubject: ", b"\r\nSubject: [Test] ", 1)
        return self._composer.message(mail, letter, values, octets)

    def _to_operator(self, due: Due) -> dict[str, str]:
        if due.mail == MailKind.HEAD:
            return self._composer.bare_values(ADDRESS, due.mid, self._now) | numbers.head({"head": self._head()})
        excess = Excess(Scope.ALL, "", 1200, self._settings.abuse.signups_per_minute)
        flood = Opening(excess, self._now - _AGO, self._now + _AGO)
        said = alarm.values(self._now, lambda excess: excess.name, [flood])
        return self._composer.bare_values(ADDRESS, due.mid, self._now) | said

    def _to_person(self, mail: MailKind, due: Due, tag: str, letter: Letter) -> dict[str, str]:
        values = in_person(self._composer.values(mail, due, self._now, tag, letter), due.name, due.fields)
        return values | {name: TOKEN for name in values if name.endswith("_token")} | {"code": "EXAM-PLE2"}

    def _due(self, mail: MailKind, rows: Sequence[List], tag: str) -> Due:
        began, life = self._now - _AGO, self._settings.lifecycle
        confirm_by = began + timedelta(hours=life.confirm_within_hours)
        members = tuple(Member(each.id, each.said_in(tag).wording_id, None, Registration.PENDING, confirm_by, None)
                        for each in rows)  # fmt: skip
        known: dict[str, Any] = dict.fromkeys(Due._fields) | {
            "id": 0, "mail": mail.value, "mid": "0" * 32, "tries": 0, "drop_at": confirm_by, "owed_at": began,
            "key": bytes(16), "address": ADDRESS, "name": NAME, "locale": tag, "ref": bytes(16), "members": members,
            "registered_at": began, "confirmed_at": self._now, "site": host_of(self._settings.server.base_url),
            "kept": self._kept() if mail is MailKind.ERASED else None,
            "told": self._numbers() if mail is MailKind.NUMBERS else self._request(),
        }  # fmt: skip
        return Due(**known)

    def _numbers(self) -> dict[str, Any]:
        says = [(row.id, 12, 3, 412) for row in self._catalogue.configured]
        return {"account": 1, "since": (self._now - _AGO).isoformat(), "says": says, "head": self._head()}

    def _head(self) -> str:
        digest = bytes(range(32))
        return seal.head(Seal(1234, 98765, 98770, 123456, digest, digest, digest, self._now, digest, bytes(64)))

    def _request(self) -> dict[str, Any]:
        left = [row.id for row in self._catalogue.configured]
        asked = {"number": 7, "due": self._now.date(), "why": EXAMPLE}
        return asked | {"answered": f"<{ADDRESS}>", "left": left}

    def _kept(self) -> Kept:
        """The longest of what there can be to say."""
        policy, said_no = self._settings.policy, (SaidNo(scope, None, None) for scope in SuppressionScope)
        return Kept(policy.proof_until(self._now), True, self._now + longest(policy.mails), tuple(said_no))

    def _expected(self, mail: MailKind, rows: Sequence[List], tag: str, values: dict[str, str]) -> Expected:
        origin = self._settings.server.base_url.rstrip("/")
        facts = {name: values[key] for key, name in mail.row.says.items()}
        if mail.row.to_operator:
            return Expected(origin, frozenset(), facts)
        wordings = [self._catalogue.wordings[each.wording_id] for each in rows]
        if mail.row.names_lists:
            facts |= {f"which list ({each.slug})": each.name for each in rows}
        if mail.row.repeats_wording:
            facts |= {f"what is agreed to ({each.id})": each.text for each in wordings}
        others = (each.said_in(tag) for each in self._catalogue.configured if mail.row.of_all)
        all_of = parties([*rows, *(each for each in others if each.id != rows[0].id)])
        for party in all_of:
            of = f" ({party.row.slug})" if len(all_of) > 1 else ""
            facts |= {f"{name}{of}": getattr(party.row, key) for name, key in _LEGAL.items() if getattr(party.row, key)}
        away = {url for party in all_of for url in (party.row.policy_url, party.row.imprint_url)}
        away |= {url for each in rows if mail is MailKind.WELCOME for url in links(each.welcome_text)}
        return Expected(origin, frozenset(away.union(each.policy_url for each in wordings)), facts)
