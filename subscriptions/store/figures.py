"""The figures of lists: counters with a list and a day, written with the others in the transaction of each act."""

from collections import Counter as Counts
from collections.abc import Iterable, Mapping
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from subscriptions.domain import bounces
from subscriptions.domain.figures import ASKED, GONE, JOINED, LATELY, LEFT, MAILED, Figures, confirmed_after, day_of
from subscriptions.domain.texts import Sentence
from subscriptions.store import meta
from subscriptions.store.counters import Daily
from subscriptions.store.models import Counter, List, Registration, Subscription
from subscriptions.store.outbox import Due
from subscriptions.store.signups import New

SINCE = "counted_since"  # written by the migration that has counted what was there


def asked(new: Iterable[New]) -> Counts[Daily]:
    return Counts(Daily(one.list_id, day_of(one.registered_at), ASKED) for one in new)


def mailed(mails: Iterable[Due]) -> Counts[Daily]:
    """Of mails that ask to confirm."""
    return Counts(Daily(of.list_id, day_of(mail.registered_at), MAILED) for mail in mails for of in mail.members)


def of_confirmation(row: Registration, now: datetime) -> dict[Daily, int]:
    """Of one that opens a subscription."""
    signed_up = Daily(row.list_id, day_of(row.registered_at), confirmed_after(now - row.registered_at))
    return dict.fromkeys((signed_up, Daily(row.list_id, day_of(now), JOINED), Daily(row.list_id, "", JOINED)), 1)


def of_end(row: Subscription, ended_at: datetime) -> dict[Daily, int]:
    signed_up = Daily(row.list_id, day_of(row.registered_at), LEFT)
    return dict.fromkeys((signed_up, Daily(row.list_id, day_of(ended_at), GONE), Daily(row.list_id, "", GONE)), 1)


def of_day(name: str, list_id: int, now: datetime) -> dict[Daily, int]:
    """One of that name, today."""
    return {Daily(list_id, day_of(now), name): 1}


def in_all(session: Session) -> dict[int, tuple[int, int]]:
    """By list: how many have ever joined, and how many have gone."""
    found: dict[int, dict[str, int]] = {}
    which = Counter.list_id.in_(select(List.id)), Counter.day == ""  # by the index: a range would read every day
    rows = select(Counter.list_id, Counter.name, func.sum(Counter.value)).where(*which)
    for list_id, name, number in session.execute(rows.group_by(Counter.list_id, Counter.name)):
        found.setdefault(list_id, {})[name] = int(number)
    return {list_id: (names.get(JOINED, 0), names.get(GONE, 0)) for list_id, names in found.items()}


def read(session: Session, list_ids: Iterable[int], since: date) -> dict[int, Figures]:
    """Of these lists, with what was counted from that day on."""
    ids, totals = [*list_ids], in_all(session)
    counted: dict[int, dict[str, dict[str, int]]] = {id_: {} for id_ in ids}
    columns = Counter.list_id, Counter.name, Counter.day
    which = Counter.list_id.in_(ids), Counter.day >= since.isoformat()
    rows = select(*columns, func.sum(Counter.value)).where(*which).group_by(*columns)
    for list_id, name, day, number in session.execute(rows):
        counted[list_id].setdefault(name, {})[day] = int(number)
    return {id_: Figures(joined - gone, counted[id_]) for id_ in ids for joined, gone in [totals.get(id_, (0, 0))]}


def risen(session: Session, names: Mapping[int, str], now: datetime) -> list[Sentence]:
    """What an operator is warned of: bounces and spam reports of lists, by the names that those have."""
    return bounces.risen(read(session, names, now.date() - LATELY), names, now.date())


def is_new(session: Session, list_id: int) -> bool:
    """Whether nobody has ever signed up for it."""
    return session.scalar(select(Counter.day).where(Counter.list_id == list_id).limit(1)) is None


def since(session: Session) -> date | None:
    """Before which day deleted sign-ups are missing; none: everything was counted."""
    found = meta.get(session, SINCE)
    return date.fromisoformat(found) if found else None
