"""Who has subscribed, by how an address begins, and who did so last; never who only waits to be confirmed."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from subscriptions.store.mailable import mailable
from subscriptions.store.models import Address, Captured, Evidence, List, Registration, Subscription
from subscriptions.store.models.people import DOMAIN, FOLDED
from subscriptions.store.subscriptions import shown

_ROWS_OF_ONE = 4  # of one person, on the average at most: several lists, and who has come back
_AFTER_ALL = "\U0010ffff"
Lists = Collection[int] | None  # none: every one


class Found(NamedTuple):
    """The keys of people, and whether there are more of them."""

    keys: list[bytes]
    more: bool


def beginning(session: Session, begin: str, lists: Lists, now: datetime, at_most: int) -> Found:
    """People whose address, or the domain of it, begins so; whatever signs that holds, they mean themselves.

    "@example.org" is a domain; what has an @ further in is an address; anything else may be either.
    """
    is_domain, begin = begin.startswith("@"), begin.removeprefix("@")
    if not begin or not begin.isprintable() or _AFTER_ALL in begin:
        return Found([], more=False)
    if session.get_bind().dialect.name == "sqlite":  # whose lower() knows the letters of ASCII alone
        folded = "".join(sign.lower() if sign.isascii() else sign for sign in begin)
    else:
        folded = begin.lower()
    columns = [DOMAIN] if is_domain else [FOLDED] if "@" in begin else [FOLDED, DOMAIN]
    keys: dict[bytes, None] = {}
    rows, at_most_rows = 0, at_most * _ROWS_OF_ONE + 1
    for column in columns:
        found = session.scalars(
            select(Subscription.key).where(*_between(session, column, folded), _theirs(session, lists), shown(now))
            .limit(at_most_rows)
        ).all()  # fmt: skip
        rows = max(rows, len(found))
        keys |= dict.fromkeys(found)
    return Found([*keys][:at_most], more=len(keys) > at_most or rows == at_most_rows)


def _between(session: Session, column: ColumnElement[str], begin: str) -> tuple[ColumnElement[bool], ...]:
    """By octets, as the indexes are: a pattern would have signs of its own, and an order that hangs on the server."""
    if session.get_bind().dialect.name == "sqlite":
        return column >= begin, column < begin + _AFTER_ALL
    return column.op("~>=~", is_comparison=True)(begin), column.op("~<~", is_comparison=True)(begin + _AFTER_ALL)


def _theirs(session: Session, lists: Lists) -> ColumnElement[bool]:
    """Named in any case: both indexes begin with the list."""
    return Subscription.list_id.in_(session.scalars(select(List.id)).all() if lists is None else lists)


def newest(session: Session, lists: Lists, now: datetime, at_most: int) -> list[bytes]:
    """The keys of whoever subscribed last."""
    which = [()] if lists is None else [(Subscription.list_id == id_,) for id_ in lists]
    rows: list[tuple[int, bytes]] = []
    for one in which:
        latest = select(Subscription.id, Subscription.key).where(*one, shown(now)).order_by(Subscription.id.desc())
        rows += [(id_, key) for id_, key in session.execute(latest.limit(at_most))]
    return [*dict.fromkeys(key for _, key in sorted(rows, reverse=True))][:at_most]


def subscriptions_of(session: Session, keys: Collection[bytes], lists: Lists, now: datetime) -> Sequence[Subscription]:
    """Of these people, oldest first.

    `list_id + 0`: by the index of the keys; that of the lists leads to everybody (measured, of a million: 140 ms).
    """
    theirs = () if lists is None else ((Subscription.list_id + 0).in_(lists),)
    which = select(Subscription).where(Subscription.key.in_(keys), *theirs, shown(now))
    return session.scalars(which.order_by(Subscription.id)).all()


def mailable_beginning(session: Session, list_id: int, signs: str, now: datetime) -> list[str | None]:
    """The addresses that an export may carry and that begin with one of these signs: few.

    Sign by sign, each by the index: for any of eight SQLite reads the whole list (measured, of a million: 2 s).
    """
    found: list[str | None] = []
    for sign in signs:
        begins = _between(session, FOLDED, sign)
        found += session.scalars(select(Subscription.address).where(*mailable(list_id, now), *begins))
    return found


def numbers_of(session: Session, key: bytes) -> dict[str, int]:
    """How many rows are stored about an address that has confirmed nothing, by table."""
    mine = select(Registration.id).where(Registration.key == key)
    which = {"registrations": Registration.key == key, "evidence": Evidence.registration_id.in_(mine),
             "mailbox": Captured.key == key, "addresses": Address.key == key}  # fmt: skip
    tables = Registration, Evidence, Captured, Address
    return {name: session.scalar(select(func.count()).select_from(table).where(one)) or 0
            for table, (name, one) in zip(tables, which.items(), strict=True)}  # fmt: skip
