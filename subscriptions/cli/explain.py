"""The story of one address in plain English: for people at a terminal, and as data."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from subscriptions import story as stories
from subscriptions.clock import local_time, text, words
from subscriptions.domain.address import Address
from subscriptions.domain.budget import rates_in_words
from subscriptions.parts import current_parts
from subscriptions.store.engine import reading
from subscriptions.store.models import Registration, Subscription
from subscriptions.story import Event, Record, Story
from subscriptions.story.said import FieldNames, OfList, Rates, Said, say


def story(key: bytes, mailbox: bytes | None = None) -> list[str]:
    """One sentence a line; an address that we know nothing of gets one line that says so.

    `mailbox`: its key, where the address is one spelling of another.
    """
    told = _told(key, mailbox)
    lines = [line for record in told.sign_ups + told.subscriptions for line in _record(record)]
    lines += map(in_english, told.standing)
    return lines or ["Nothing is stored about this address: it never signed up, or everything has been deleted."]


def never_mailed(address: Address) -> list[str]:
    """Why the address gets no mail whoever asks, where that is so."""
    why = current_parts().mailable.why_not(address)
    return [f"This address is never sent email, though the form answers it like any other: {why}."] if why else []


def as_data(key: bytes, mailbox: bytes | None = None) -> dict[str, Any]:
    """The same for programs: what happened to each sign-up and subscription, and what stands against mails."""
    told = _told(key, mailbox)
    return {
        "sign_ups": [_data(record, "registered_at") for record in told.sign_ups],
        "subscriptions": [_data(record, "confirmed_at") for record in told.subscriptions],
        "standing": [*map(in_english, told.standing)],
    }


def _told(key: bytes, mailbox: bytes | None) -> Story:
    with reading() as session:
        return stories.tell(session, key, mailbox, current_parts().clock.now())


def in_english(said: Said) -> str:
    """A sentence as commands say it."""
    return say(said, str, _word)


def _word(value: object) -> object:
    if isinstance(value, datetime):
        return words(value)
    if isinstance(value, OfList):
        return current_parts().catalogue.lists[value.id].name
    if isinstance(value, FieldNames):
        return ", ".join(value.keys)
    return rates_in_words(value.rates) if isinstance(value, Rates) else value


def _record(record: Record) -> Iterator[str]:
    row, name = record.row, _word(OfList(record.row.list_id))
    if isinstance(row, Registration):
        yield f"Signed up for {name}, {_exactly(row, row.registered_at)}:"
    else:
        yield f"Subscription to {name}, confirmed {_exactly(row, row.confirmed_at)}:"
    if record.filled_in:
        yield f"  Also filled in: {', '.join(record.filled_in)}"
    for event in record.events:
        yield f"  {_exactly(row, event.row.at)}: {in_english(event.says)}{_proof(event)}"
        yield from _agreed(event)
    if record.replaces:
        yield "  Once confirmed, this replaces the subscription of another address."
    for mail in record.owed:
        yield f"  {in_english(mail)}"
    yield f"  Now: {in_english(record.now)}"


def _exactly(row: Registration | Subscription, at: datetime) -> str:
    """A time of evidence: to the second, in UTC, and beside it as the people of its list have it."""
    here = local_time(current_parts().catalogue.lists[row.list_id], at)
    return text(at) if here.endswith(" UTC") else f"{text(at)} ({here})"


def _proof(event: Event) -> str:
    if event.row.fact != "mailed":
        return ""
    if event.mail is None:
        return " It cannot be rebuilt: the person, the name in its greeting or the key that signed it is gone."
    return " Rebuilt from the evidence, with hashes for its links and code, it is the same, byte for byte."


def _agreed(event: Event) -> Iterator[str]:
    """The consent text, word for word, where the event names one."""
    if event.wording:
        yield f"    Consent text {event.wording.id}, word for word:"
        yield from (f"    | {line}" for line in event.wording.text.splitlines())


def _data(record: Record, began: str) -> dict[str, Any]:
    of_list = current_parts().catalogue.lists[record.row.list_id]
    return {
        "list": of_list.slug, began: text(getattr(record.row, began)), "now": in_english(record.now),
        "evidence": [_fact(of_list, event) for event in record.events], "mails": [*map(in_english, record.owed)],
    }  # fmt: skip


def _fact(of_list: object, event: Event) -> dict[str, Any]:
    row, wording = event.row, event.wording
    return {"fact": row.fact, "at": text(row.at), "local": local_time(of_list, row.at), "channel": row.channel,
            "actor": row.actor, "ip": row.ip, "says": in_english(event.says), "details": row.details,
            "wording_text": wording.text if wording else None}  # fmt: skip
