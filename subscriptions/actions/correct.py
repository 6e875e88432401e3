"""Correct: the name, the other voluntary fields and the language of what is subscribed, at once (GDPR 16)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions import deadline
from subscriptions.actions import ended
from subscriptions.domain.evidence import Channel, Fact
from subscriptions.store import addresses, audit, evidence, holds, registrations, subscriptions, vacuum
from subscriptions.store.audit import Act
from subscriptions.store.engine import repeated, transaction
from subscriptions.store.models import Subscription


@repeated
def correct(
    key: bytes, fields: Mapping[str, str], locale: str | None, offered: Mapping[int, Sequence[str]], now: datetime,
    how: Channel = Channel.PREFERENCES, actor: str | None = None, act: Act | None = None,
) -> int:  # fmt: skip
    """Write into the open subscriptions of these lists what each offers or it has already; how many changed.

    `fields`: the name among them, and an empty one is emptied. No `locale`: it stays as it is. `offered`: by list.
    """
    with transaction() as session:
        addresses.lock(session, key)
        rows = [row for row in subscriptions.of_key(session, key) if row.is_open and row.list_id in offered]
        told = [(row, _correct(session, row, fields, locale, offered[row.list_id], now)) for row in rows]
        changed = [(row, said, kept) for row, (said, kept) in told if said]
        for row, said, kept in changed:
            details = {"changed": said} | ({"withheld": kept} if kept else {})
            evidence.add(session, Fact.CORRECTED, now, how, subscription_id=row.id, actor=actor, details=details)
        audit.write(session, act if changed else None)
        return len(changed)


def correct_each(
    differ: Mapping[bytes, Mapping[str, str]], offered: Mapping[int, Sequence[str]], how: Channel, actor: str,
    act: Callable[[bytes], Act],
) -> int:  # fmt: skip
    """The same for many, by their keys, while there is time to answer; how many. Another call does the rest."""
    number = 0
    for key, fields in differ.items():
        if number and deadline.left(deadline.ACT) < ended.SPARE:
            break
        noted = act(key)
        number += correct(key, fields, None, offered, noted.at, how, actor, noted)
    return number


def _correct(
    session: Session, row: Subscription, fields: Mapping[str, str], locale: str | None, offered: Sequence[str],
    now: datetime,
) -> tuple[list[str], list[str]]:  # fmt: skip
    """What has changed, and what was emptied and stays in the sign-ups, since a hold keeps it."""
    before = fields_of(row)
    after = before | {name: text for name, text in fields.items() if name in {*offered, *before}}
    after = {name: text for name, text in after.items() if text}
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    locale = locale or row.locale
    if locale != row.locale:
        changed.append("locale")
    if changed:
        row.name, row.locale = after.pop("name", None), locale
        row.fields = after or None
        emptied = sorted({*changed} & {*before} - {*fields_of(row)})
        if any(one.covers(row.list_id) for one in holds.active(session, row.key, now)):
            return changed, emptied
        _forget(session, row, emptied)
    return changed, []


def forget_withheld(session: Session, key: bytes, now: datetime) -> None:
    """What was emptied while a hold kept it goes now, unless another still does."""
    held = holds.active(session, key, now)
    for row in subscriptions.of_key(session, key):
        facts = evidence.of_subscription(session, row.id)
        names = {name for fact in facts for name in fact.details.get("withheld", ())} - {*fields_of(row)}
        if not any(one.covers(row.list_id) for one in held):
            _forget(session, row, sorted(names))


def fields_of(row: Subscription) -> dict[str, str]:
    """The voluntary fields that a subscription has, the name among them."""
    return ({"name": row.name} if row.name else {}) | (row.fields or {})


def _forget(session: Session, subscription: Subscription, emptied: Sequence[str]) -> None:
    """What was emptied goes from the sign-ups as well. What was only changed stays there: they are the proof."""
    if not emptied:
        return
    for row in registrations.of_subscription(session, subscription.id):
        row.name = None if "name" in emptied else row.name
        row.fields = {name: text for name, text in (row.fields or {}).items() if name not in emptied} or None
    vacuum.due(session)
