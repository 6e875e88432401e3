"""The record of processing activities (GDPR 30) with the sheet of measures (GDPR 32), as this installation is set."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from subscriptions import languages
from subscriptions.domain import retention
from subscriptions.domain.policy import Policy
from subscriptions.languages import marked
from subscriptions.mail.compiled_mails import sender_in
from subscriptions.mail.responsible import who
from subscriptions.parts import Parts
from subscriptions.record import Words, in_line
from subscriptions.settings import Settings
from subscriptions.settings.check import is_loopback
from subscriptions.store.lists import parties
from subscriptions.store.models import List


class Section(NamedTuple):
    """`rows`: each a label and what is said there."""

    title: str
    rows: list[tuple[str, list[str]]]


_WHY = marked(
    "To send newsletters to people who have agreed to them twice, to prove their consent, and to prevent misuse of the "
    "forms."
)
_LAW = marked(
    "Consent (Article 6(1)(a) GDPR); the duty to prove it (Articles 5(2) and 7(1) GDPR); the legitimate interest in "
    "preventing misuse and in answering claims (Article 6(1)(f) GDPR)."
)
_PERSONS = marked(
    "People who sign up for a newsletter, or whose address somebody else enters; people with an account at the desk "
    "(at present: %(accounts)s)."
)
_DATA = marked(
    "Email address, language; time and IP address of the sign-up and of the confirmation; consent text and privacy "
    "policy of that time; which emails were sent and what the mail server answered; when and how a subscription ended."
)
_TO = marked(
    "The mail server %(host)s, through which emails leave. [Name here who runs your servers and the program that sends "
    "your newsletters.]"
)
_THIRD = marked("None by this service itself. [Add the transfers of your providers.]")


def record(parts: Parts, rows: Sequence[List], accounts: int, tag: str) -> list[Section]:
    """The record of processing with the sheet of measures, in that language."""
    words, told = Words(parts, tag), [row.said_in(tag) for row in rows]
    words.values["accounts"] = accounts
    return [
        Section(words.say(marked("Controller")), [*_controllers(parts, told)]),
        Section(words.say(marked("Processing: sign-ups for newsletters")), [*_processing(words, told)]),
        Section(words.say(marked("Time limits for erasure")), [*_limits(words, parts.policy)]),
        Section(words.say(marked("Technical and organisational measures (Article 32 GDPR)")), [*_measures(words)]),
    ]


def title(parts: Parts, tag: str) -> str:
    return Words(parts, tag).say(marked("Record of processing activities (Article 30 GDPR)"))


def as_text(sections: Sequence[Section]) -> str:
    """The same to copy, or to print in a terminal."""
    return "\n\n".join("\n".join([f"# {title}", *(f"\n{label}\n" + "\n".join(f"- {one}" for one in said)
                                                  for label, said in rows)]) for title, rows in sections)  # fmt: skip


Rows = Iterator[tuple[str, list[str]]]


def _controllers(parts: Parts, told: Sequence[List]) -> Rows:
    for party in parties(told):
        row = party.row
        facts = (who(row, parts.settings.mail.sender), row.postal_address, row.privacy_contact, row.imprint_url)
        yield ", ".join(one.name for one in party.lists), [in_line(fact) for fact in facts if fact]


def _processing(words: Words, told: Sequence[List]) -> Rows:
    yield words.say(marked("Purposes")), [words.say(_WHY)]
    yield words.say(marked("Legal basis")), [words.say(_LAW)]
    yield words.say(marked("Lists")), [_list(words.settings, row) for row in told]
    yield words.say(marked("Categories of people")), [words.say(_PERSONS)]
    voluntary = dict.fromkeys(words.fields(row) for row in told if row.fields)
    more = [words.say(marked("Voluntary: %(fields)s"), fields=fields) for fields in voluntary]
    yield words.say(marked("Categories of data")), [words.say(_DATA), *more]
    yield words.say(marked("Recipients")), [words.say(_TO)]
    yield words.say(marked("Transfers to third countries")), [words.say(_THIRD)]
    if authorities := [*dict.fromkeys(in_line(row.authority) for row in told if row.authority)]:
        yield words.say(marked("Supervisory authority")), authorities


def _list(settings: Settings, row: List) -> str:
    spoken = ", ".join(languages.own_name(tag) for tag in (row.locale, *row.texts))
    facts = (f"{row.name} ({row.slug})", spoken, sender_in(row.sender or settings.mail.sender).address, row.policy_url)
    return " · ".join(filter(None, facts))


def _limits(words: Words, policy: Policy) -> Rows:
    values = languages.durations(policy, words.tag)
    for row in retention.ROWS:
        yield words.say(row.what), [words.say(row.period, **values)]


def _measures(words: Words) -> Rows:
    admin, mail = words.settings.admin, words.settings.mail
    is_https, is_near = words.settings.server.base_url.startswith("https:"), is_loopback(mail.host)
    relay = _NEAR if is_near else _TLS if mail.security != "none" else _UNENCRYPTED
    yield words.say(marked("Confidentiality")), [
        words.say(_HTTPS if is_https else _NO_HTTPS), words.say(relay), words.say(_ROLES),
        words.say(_SECOND if admin.require_second_factor else _NO_SECOND),
        words.say(_NEARBY if admin.networks else _EVERYWHERE, networks=", ".join(admin.networks)),
    ]  # fmt: skip
    for label, said in _ALWAYS:
        yield words.say(label), [words.say(one) for one in said]


_HTTPS, _NO_HTTPS = marked("Pages are served over HTTPS only."), marked("Pages are not served over HTTPS.")
_NEAR, _TLS, _UNENCRYPTED = (
    marked("The mail server runs on the same machine."),
    marked("Emails go to the mail server encrypted (TLS), and its certificate is checked."),
    marked("Emails cross the network to the mail server unencrypted."),
)
_ROLES = marked(
    "Accounts have roles with as few rights as possible, for all lists or for some (at present: %(accounts)s). "
    "Passwords are hashed with Argon2id, wrong ones are counted, and sessions end by themselves."
)
_SECOND, _NO_SECOND = (
    marked("Every account needs a second factor or a passkey."),
    marked("Accounts can have a second factor or a passkey."),
)
_NEARBY, _EVERYWHERE = (
    marked("The desk can only be reached from these networks: %(networks)s"),
    marked("The desk can be reached from every network."),
)
_ALWAYS: tuple[tuple[str, Sequence[Any]], ...] = (
    (marked("Pseudonymisation"), (
        marked("Limits and stops on emails know addresses only by a keyed hash. The log holds no addresses, names or "
               "IP addresses of visitors."),)),
    (marked("Integrity"), (
        marked("The database refuses to change or remove evidence and the audit. Every act of an account, a command or "
               "a program is in the audit."),)),
    (marked("Availability"), (
        marked("What is due for deletion is deleted every hour, and a job that is late is reported."),
        marked("[Say here how often you make backups, where they are and how long you keep them.]"),)),
    (marked("Data protection by design"), (
        marked("Nobody gets a newsletter who has not confirmed. Visitors’ pages set no cookies and load nothing from "
               "others; opens and clicks are not recorded."),
        marked("Sign-ups of a network and emails to a mailbox are limited, so that nobody is flooded with emails."),)),
    (marked("Review"), (marked("[Say here who reviews these measures, and how often.]"),)),
)  # fmt: skip
