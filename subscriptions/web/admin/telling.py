"""What happened to somebody, in the words of who reads it."""

from datetime import date, datetime
from typing import NamedTuple

from babel.units import format_unit
from flask import request
from flask_babel import get_locale, gettext
from markupsafe import Markup

from subscriptions import languages
from subscriptions.domain.budget import in_unit
from subscriptions.domain.evidence import PROMISED_IP
from subscriptions.domain.fields import field_stored, fields_of
from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.lifecycle import Subscription as Standing
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.domain.policy import Rate, state_at
from subscriptions.languages import marked
from subscriptions.parts import current_parts
from subscriptions.store.models import List, Registration, Subscription
from subscriptions.story import Event, Record, Story
from subscriptions.story.said import FieldNames, OfList, Rates, Said, say
from subscriptions.web.http import language

DONE = {
    "unsubscribe": marked("They are unsubscribed. The evidence is kept."),
    "suppress": marked("Emails to this person are stopped."),
    "lift": marked("Emails to this person are allowed again. Nobody is subscribed by that."),
    "erase": marked("This person is being erased. They get one last email, which says what stays and until when."),
    "send_again": marked("We are sending the confirmation email once more. The time to confirm stays as it was."),
    "cancel": marked("The sign-up is cancelled and deleted."),
    "correct": marked("The details are corrected."),
    "move": marked(
        "If we can write to the new address, we are sending an email there. Nothing changes until they confirm it."
    ),
    "restrict": marked("Restricted: they get no emails, and nothing else is done with what is stored."),
    "unrestrict": marked("They are no longer restricted."),
    "sign_up": marked("We are sending them an email to confirm. They are subscribed once they confirm it."),
}


def done() -> str:
    """What the act has done that led to the page at hand."""
    said = DONE.get(request.args.get("done", ""))
    return str(gettext(said)) if said else ""


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
        return ", ".join(_label(key, row) for key in value.keys)
    if isinstance(value, date):
        return languages.day(value, language.current())
    return ", ".join(map(_rate, value.rates)) if isinstance(value, Rates) else value


def _label(key: str, row: List | None) -> str:
    """Of a field, as forms have it."""
    if key == "locale":
        return str(gettext("Language"))
    known = {one.key: one for one in fields_of(*(row.fields if row else ()))}
    field = known.get(key) or field_stored(key)
    return field.label if field.is_own else str(gettext(field.label))


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
        ", ".join(_label(key, row) for key in dict.fromkeys(name for one in records for name in one.filled_in)),
        any(one.replaces for one in records),
    )  # fmt: skip


def _told(event: Event, row: List) -> Told:
    proof, details = event.row, event.row.details
    ip = (proof.ip or "") if proof.fact in PROMISED_IP else None
    reply = details.get("reply") if "reply" in event.says.proof else None
    mail = event.mail.decode("utf-8", "replace") if event.mail else None
    return Told(event, sentence(event.says.bare, row), reply, ip, mail)


# The verdict

_GETS = marked("%(who)s has been getting %(list)s since %(time)s.")
_NOT_YET = marked("%(who)s does not get %(list)s yet, because they have not confirmed. They can until %(time)s.")
_LATE = marked("%(who)s does not get %(list)s, because nobody confirmed the sign-up within its time.")
_RESTRICTED = marked("%(who)s does not get %(list)s, because their subscription is restricted.")
_SILENT = marked("%(who)s does not get %(list)s, because all emails to this address are stopped.")
_OVER = {
    Standing.UNSUBSCRIBED: marked("%(who)s does not get %(list)s, because they unsubscribed on %(time)s."),
    Standing.BOUNCED: marked("%(who)s does not get %(list)s, because emails to this address came back on %(time)s."),
    Standing.ERASED: marked("%(who)s does not get %(list)s, because they were erased. The proof is kept."),
}
_NOTHING = marked("%(who)s is on no list. All emails to this address are stopped.")
_UNASKED = marked("%(who)s is on no list. Confirmation emails to this address are stopped.")


def is_silent(told: Story) -> bool:
    """Whether no email at all may reach the address."""
    return any(one.scope is SuppressionScope.ALL for one in told.against)


def verdicts(told: Story, address: str | None, now: datetime) -> list[Markup]:
    """Whether somebody gets the emails of each list that knows them, and if not, why; what is, before what was."""
    who = Markup("<bdi>{}</bdi>").format(address) if address else gettext("This person")
    rows = [record.row for record in (*told.sign_ups, *told.subscriptions)]
    latest: dict[int, Registration | Subscription] = {}
    for row in sorted(rows, key=_weight):
        latest[row.list_id] = row
    found = [_verdict(row, is_silent(told), now) | {"who": who} for row in latest.values()]
    return [
        sentence(Said(str(one.pop("text")), one), list_of(id_)) for id_, one in zip(latest, found, strict=True)
    ] or [sentence(Said(_NOTHING if is_silent(told) else _UNASKED, {"who": who}))]


def _weight(row: Registration | Subscription) -> tuple[int, datetime]:
    """What is open decides, then what waits, then what is over; what led to a subscription says nothing of its own."""
    if isinstance(row, Subscription):
        return (3 if row.is_open else 1), row.confirmed_at
    return {State.CONFIRMED: 0, State.PENDING: 2}.get(row.state, 1), row.registered_at


def _verdict(row: Registration | Subscription, silent: bool, now: datetime) -> dict[str, object]:
    of = {"list": OfList(row.list_id)}
    if isinstance(row, Registration):
        waits = state_at(row.state, row.confirm_by, now) is State.PENDING
        return of | {"text": _NOT_YET if waits else _LATE, "time": row.confirm_by}
    if not row.is_open:
        return of | {"text": _OVER.get(row.state, _LATE), "time": row.ended_at}
    return of | {"text": _SILENT if silent else _RESTRICTED if row.restricted else _GETS, "time": row.confirmed_at}
