"""What happened to somebody, as pages tell it: to who works at the desk, and to the person."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from babel.units import format_unit
from flask_babel import get_locale, gettext
from markupsafe import Markup

from subscriptions import languages
from subscriptions.domain import retention
from subscriptions.domain.budget import in_unit
from subscriptions.domain.evidence import PROMISED_IP, Fact
from subscriptions.domain.fields import label_of
from subscriptions.domain.policy import Rate
from subscriptions.mail import responsible
from subscriptions.parts import current_parts
from subscriptions.store import person
from subscriptions.store.lists import parties
from subscriptions.store.models import List, Registration
from subscriptions.story import Event, Record, Story
from subscriptions.story.said import FieldNames, OfList, Rates, Said, say
from subscriptions.web.http import language


class Told(NamedTuple):
    """One event. `ip`: none where the event never has one; empty where it is kept no longer."""

    event: Event
    says: Markup
    reply: str | None
    ip: str | None
    mail: str | None


class Part(NamedTuple):
    """A subscription with the sign-ups that led to it, or a sign-up that led to none."""

    row: List
    began_at: datetime
    events: list[Told]
    owed: list[Markup]
    now: Markup
    filled_in: str
    replaces: bool


def list_of(id_: int) -> List:
    return language.said(current_parts().catalogue.lists[id_])


def sentence(said: Said, row: List | None = None) -> Markup:
    """In the page's language, the times in the zone of that list, beginning with a capital."""
    told = Markup(say(said, lambda text: Markup(gettext(text)), lambda value: _word(value, row)))  # noqa: S704 ours
    return told if told.startswith("<") else told[:1].upper() + told[1:]


def _word(value: object, row: List | None) -> object:
    if isinstance(value, datetime):
        return language.words(value, row)
    if isinstance(value, OfList):
        return language.named(current_parts().catalogue.lists[value.id])
    if isinstance(value, FieldNames):
        return _labels(value.keys, row)
    if isinstance(value, date):
        return language.day(value)
    return ", ".join(map(_rate, value.rates)) if isinstance(value, Rates) else value


def _labels(keys: Iterable[str], row: List | None) -> str:
    return ", ".join(label_of(key, row.fields if row else (), lambda text: str(gettext(text))) for key in keys)


def _rate(rate: Rate) -> str:
    count, unit = in_unit(rate.period)
    period = format_unit(count, f"duration-{unit}", locale=get_locale())
    return str(gettext("%(num)d in %(period)s", num=rate.count, period=period))


def parts_of(told: Story) -> list[Part]:
    """The newest first."""
    opened = {record.row.id: record for record in told.subscriptions}
    by_subscription: dict[int | None, list[Record]] = {id_: [] for id_ in opened}
    alone: list[Record] = []
    for record in told.sign_ups:
        led_to = record.row.subscription_id if isinstance(record.row, Registration) else None
        by_subscription.get(led_to, alone).append(record)
    found = [_part([*by_subscription[id_], record]) for id_, record in opened.items()] + [_part([one]) for one in alone]
    return sorted(found, key=lambda part: part.began_at, reverse=True)


def _part(records: list[Record]) -> Part:
    last = records[-1]
    row = list_of(last.row.list_id)
    events = sorted((event for one in records for event in one.events), key=lambda event: (event.row.at, event.row.id))
    return Part(
        row, records[0].row.registered_at, [_told(event, row) for event in events],
        [sentence(mail, row) for one in records for mail in one.owed], sentence(last.now, row),
        _labels(dict.fromkeys(name for one in records for name in one.filled_in), row),
        any(one.replaces for one in records),
    )  # fmt: skip


def _told(event: Event, row: List) -> Told:
    proof, details = event.row, event.row.details
    has_ip = proof.fact in PROMISED_IP and (proof.fact is not Fact.IMPORTED or proof.ip_source)
    ip = (proof.ip or "") if has_ip else None
    reply = details.get("reply") if "reply" in event.says.proof else None
    mail = event.mail.decode("utf-8", "replace") if event.mail else None
    return Told(event, sentence(event.says.bare, row), reply, ip, mail)


def unsure_ips_hidden(part: Part) -> Part:
    """For the person: without the IP address of a sign-up that may have been somebody else's (GDPR 15(4))."""
    sure = {one.ip for one in part.events if one.event.row.fact in (Fact.CONFIRMED, Fact.IMPORTED)}
    events = [one._replace(ip=person.NOT_SHOWN) if one.ip and one.ip not in sure else one for one in part.events]
    return part._replace(events=events)


# Who receives any of it, and how long it is kept (GDPR 15(1))


def recipients(rows: Sequence[List]) -> Iterator[str]:
    mail = current_parts().settings.mail
    for party in parties(rows):
        who, sender = responsible.who(party.row, mail.sender), responsible.sender_of(party.lists, mail.sender)
        yield gettext("%(who)s, who sends %(lists)s to you as %(sender)s", who=who, sender=sender,
                      lists=language.listed(party.lists))  # fmt: skip
    if mail.transport == "smtp":
        yield gettext("the email server %(host)s, which delivers our emails", host=mail.host)


def durations() -> dict[str, str]:
    """How long things are kept here, to stand in a sentence."""
    return languages.durations(current_parts().policy, language.current())


def periods() -> Iterator[str]:
    values = durations()
    for row in retention.ROWS:
        if row.of_people:
            yield gettext("%(what)s: %(period)s", what=gettext(row.what), period=language.told(row.period, values))
