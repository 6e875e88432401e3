"""Subscriptions, by name of the question."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from subscriptions.domain.evidence import Cause
from subscriptions.domain.lifecycle import Registration as SignedUp
from subscriptions.domain.lifecycle import Subscription as State
from subscriptions.store import arrays, holds, removals
from subscriptions.store.engine import BLIND
from subscriptions.store.models import List, Registration, Subscription
from subscriptions.store.trips import trip


def find(session: Session, id_: int | None) -> Subscription | None:
    return None if id_ is None else session.get(Subscription, id_)


def find_open(session: Session, key: bytes, list_id: int) -> Subscription | None:
    theirs = Subscription.key == key, Subscription.list_id == list_id, Subscription.state == State.CONFIRMED
    return session.scalar(select(Subscription).where(*theirs))


_AMONG = "SELECT s.key FROM {keys} WHERE s.list_id = ? AND s.state = 'confirmed'"
_PG_AMONG = _AMONG.format(keys="unnest(?::bytea[]) AS k (key) JOIN subscriptions s USING (key)")


def open_among(session: Session, keys: Sequence[bytes], list_id: int) -> set[bytes]:
    """Those of these addresses, many thousands maybe, that are subscribed to the list."""
    with trip(session) as out:
        if out.is_postgres:
            found = out.ask(_PG_AMONG, (arrays.octets(keys), list_id))
        else:
            marks = ", ".join("?" * len(keys))
            found = out.ask(f"{_AMONG.format(keys='subscriptions s')} AND s.key IN ({marks})", (list_id, *keys))
    return {bytes(key) for (key,) in found()}


def open_of(session: Session, keys: Collection[bytes], list_id: int) -> Sequence[Subscription]:
    theirs = Subscription.key.in_(keys), Subscription.list_id == list_id, Subscription.state == State.CONFIRMED
    return session.scalars(select(Subscription).where(*theirs)).all()


_KEYS = """SELECT max(id), {0} FROM (SELECT id, key FROM subscriptions
WHERE list_id = ? AND id > ? AND state = 'confirmed' ORDER BY id LIMIT ?) AS page"""
_HEX, _PG_HEX = "group_concat(hex(key), '')", "string_agg(encode(key, 'hex'), '')"


def open_keys(session: Session, list_id: int, after: int, at_most: int) -> tuple[int, bytes]:
    """The keys of who is subscribed to a list, a page at a time, in one piece; and the last id, 0 behind the end."""
    with trip(session) as out:
        found = out.ask(_KEYS.format(_PG_HEX if out.is_postgres else _HEX), (list_id, after, at_most))
    ((last, keys),) = found()
    return last or 0, bytes.fromhex(keys or "")


def of_key(session: Session, key: bytes) -> Sequence[Subscription]:
    return session.scalars(select(Subscription).where(Subscription.key == key).order_by(Subscription.id)).all()


def shown_of_key(session: Session, key: bytes, now: datetime) -> Sequence[Subscription]:
    """What a person is shown of their own: without those erased or whose proof period is over."""
    theirs = select(Subscription).where(Subscription.key == key, shown(now))
    return session.scalars(theirs.order_by(Subscription.id)).all()


def kept_of_key(session: Session, key: bytes, now: datetime) -> Sequence[Subscription]:
    """What proves something, of the erased as well. Past its period a proof counts as gone, before the sweep comes."""
    theirs = select(Subscription).where(Subscription.key == key, _kept(now))
    return session.scalars(theirs.order_by(Subscription.id)).all()


def locale_of(session: Session, key: bytes, list_id: int | None) -> str | None:
    """Of the newest subscription, to one list or any."""
    of_list = [Subscription.list_id == list_id] if list_id else []
    theirs = select(Subscription.locale).where(Subscription.key == key, *of_list)
    return session.scalar(theirs.order_by(Subscription.id.desc()).limit(1))


def ips_over_at(session: Session, now: datetime, at_most: int) -> Sequence[int]:
    """Subscriptions whose IP addresses have had their time."""
    over = Subscription.ip_until <= now, ~holds.on(Subscription)
    return session.scalars(select(Subscription.id).where(*over).limit(at_most)).all()


def ips_forgotten(session: Session, ids: Sequence[int]) -> None:
    session.execute(update(Subscription).where(Subscription.id.in_(ids)).values(ip_until=None))


def proof_over_at(session: Session, now: datetime, at_most: int) -> Sequence[tuple[int, bytes]]:
    """Id and key of ended subscriptions whose proof period is over and that nobody holds."""
    due = select(Subscription.id, Subscription.key).where(Subscription.proof_until <= now, ~holds.on(Subscription))
    return session.execute(due.limit(at_most)).all()


def remove(session: Session, ids: Sequence[int], cause: Cause, now: datetime) -> None:
    """Delete those that are not held with the registrations that opened or met them, and all evidence, and log it."""
    free = holds.free(session, ids)
    removals.of_evidence(session, removals.of_subscriptions(free), len(free), cause, now)
    session.execute(delete(Registration).where(Registration.subscription_id.in_(free)), execution_options=BLIND)
    session.execute(delete(Subscription).where(Subscription.id.in_(free)), execution_options=BLIND)


def shown(now: datetime) -> ColumnElement[bool]:
    return (Subscription.state != State.ERASED) & _kept(now)


def _kept(now: datetime) -> ColumnElement[bool]:
    return or_(Subscription.proof_until.is_(None), Subscription.proof_until > now, holds.on(Subscription))


def page(session: Session, list_id: int, after: int, at_most: int, now: datetime) -> Sequence[Subscription]:
    """Those of a list, oldest first, without the erased and those whose proof period is over."""
    theirs = Subscription.list_id == list_id, Subscription.id > after, shown(now)
    return session.scalars(select(Subscription).where(*theirs).order_by(Subscription.id).limit(at_most)).all()


def counts(session: Session, now: datetime) -> dict[int, dict[str, int]]:
    """By list: pending, blocked, confirmed, unsubscribed, bounced; all at `now`, swept or not."""
    states = "pending blocked confirmed unsubscribed bounced".split()
    found = {id_: dict.fromkeys(states, 0) for id_ in session.scalars(select(List.id))}
    is_pending = (Registration.state == SignedUp.PENDING) & (Registration.confirm_by > now)
    signed_up = select(Registration.list_id, is_pending, func.count()).group_by(Registration.list_id, is_pending)
    left = Registration.state != SignedUp.CONFIRMED, Registration.purge_at > now
    for list_id, waits, number in session.execute(signed_up.where(*left)):
        found[list_id]["pending" if waits else "blocked"] += number
    known = select(Subscription.list_id, Subscription.state, func.count()).where(shown(now))
    for list_id, state, number in session.execute(known.group_by(Subscription.list_id, Subscription.state)):
        found[list_id][state] = number
    return found


def by_wording(session: Session, list_id: int) -> dict[str, int]:
    """How many who are subscribed to a list agreed to which wording, by its id; empty: nobody knows to which.

    No index would help, and with one SQLite looks each row up by itself (measured, of a million: 4 s, then 1).
    """
    of = Subscription.wording_id, Subscription.state
    found = select(*of, func.count()).where(Subscription.list_id + 0 == list_id).group_by(*of)
    return {id_ or "": number for id_, state, number in session.execute(found) if state is State.CONFIRMED}
