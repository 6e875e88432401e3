"""The values of mails of 0.2.0 and 0.3.0, of which evidence has hashes alone: by the rules of then, which stand here.

Nothing here follows a change made elsewhere, be it of a text, a time, a greeting or a link. It goes when no such mail
is left to be proven, which is three years after the last of those subscriptions ended.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from babel.dates import format_date, format_time

from subscriptions.clock import StoppedClock
from subscriptions.languages import locale_of
from subscriptions.links.handles import Codes
from subscriptions.links.purposes import Purpose, Tokens
from subscriptions.mail import phrases
from subscriptions.store.outbox import Due

_GREETINGS = {
    "en": ("Hello,", "Hello {},"), "de": ("Guten Tag,", "Guten Tag {},"),
    "fr": ("Bonjour,", "Bonjour {},"), "es": ("Hola:", "Hola, {}:"),
}  # fmt: skip
_TIMES = {
    "en": ("{day} {month} {year}, {hour:02}:{minute:02} UTC",
           "January February March April May June July August September October November December"),
    "de": ("{day}. {month} {year}, {hour:02}:{minute:02} UTC",
           "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
    "fr": ("{day} {month} {year}, {hour:02}:{minute:02} UTC",
           "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
    "es": ("{day} de {month} de {year}, {hour}:{minute:02} UTC",
           "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
}  # fmt: skip
_CONFIRM = Purpose(b"confirm", (16,), used=None)
_NOT_ME = Purpose(b"not-me", (16, 16, 4), stamped=False, used=None)
_LEAVE = Purpose(b"unsubscribe", (16, 4), stamped=False, used=None)
_PREFERENCES = Purpose(b"preferences", (16, 16), used=None)


def values(due: Due, key: bytes, at: datetime, tag: str) -> Iterator[dict[str, str]]:
    """What may have been filled in, signed by that key at that time; the hash tells how the person was greeted."""
    told = dict(due.fields or {})
    ways = (told.get("salutation", "") + " " + told.get("family_name", ""), told.get("given_name"), due.name, None)
    for way in ways:
        yield {**_times(due, tag), **_secrets(due, key, at), "greeting": _greeting(way, tag)}


def _greeting(way: str | None, tag: str) -> str:
    if tag not in _GREETINGS:  # a language of the operator's own: as it reads today
        return phrases.greeting("%(way)s" if way else "", tag) % {"way": way}
    nobody, somebody = _GREETINGS[tag]
    return somebody.format(way) if way else nobody


def _times(due: Due, tag: str) -> dict[str, str]:
    known = {"registered_at": due.registered_at, "confirm_by": due.lead.confirm_by, "confirmed_at": due.confirmed_at,
             "owed_at": due.owed_at}  # fmt: skip
    return {name: _words(at, tag) if at else "" for name, at in known.items()}


def _words(at: datetime, tag: str) -> str:
    at = at.astimezone(UTC)
    if tag not in _TIMES:
        locale = locale_of(tag)
        return f"{format_date(at, 'long', locale)}, {format_time(at, 'short', locale=locale)} UTC"
    form, months = _TIMES[tag]
    month = months.split()[at.month - 1]
    return form.format(day=at.day, month=month, year=at.year, hour=at.hour, minute=at.minute)


def _secrets(due: Due, key: bytes, at: datetime) -> dict[str, str]:
    def token(purpose: Purpose, *parts: bytes) -> str:
        return Tokens(purpose, [key], StoppedClock(at)).write(*parts)

    list_id = due.lead.list_id.to_bytes(4)
    made = {"leave_token": token(_LEAVE, due.key, list_id)}
    made["preferences_token"] = token(_PREFERENCES, bytes.fromhex(due.mid), due.key)
    if due.ref:
        code = Codes([key]).code(due.ref)
        made |= {"confirm_token": token(_CONFIRM, due.ref), "code": f"{code[:4]}-{code[4:]}",
                 "not_me_token": token(_NOT_ME, due.ref, due.key, list_id)}  # fmt: skip
    return made
