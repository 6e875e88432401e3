"""Rows of evidence as they are sealed: with whom they are about, in words that are the same on both databases.

As the driver gives them: what somebody wrote into a column by hand is read as it stands.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, TextClause, bindparam, select, text
from sqlalchemy.orm import Session

from subscriptions.store.models import List

Slugs = Mapping[int, str]


class Told(NamedTuple):
    """Times to the microsecond, in UTC; `details` as they are stored."""

    id: int
    fact: str
    at: str
    channel: str
    actor: str | None
    ip: str | None
    ip_source: str | None
    details: str
    registration_id: int | None
    ref: bytes | None
    registration_list: int | None
    registration_key: bytes | None
    subscription_id: int | None
    subscription_list: int | None
    subscription_key: bytes | None


AT = {
    "postgresql": """to_char(timezone('UTC', {}), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
    "sqlite": "replace({}, ' ', 'T') || 'Z'",  # it keeps times as text, in UTC
}
OF_EVIDENCE = """
  e.id, e.fact, {at}, e.channel, e.actor, e.ip, e.ip_source, CAST(e.details AS TEXT),
  e.registration_id, r.ref, r.list_id, r.key, e.subscription_id, s.list_id, s.key
"""
OF_WHOM = """
  LEFT JOIN registrations r ON r.id = e.registration_id LEFT JOIN subscriptions s ON s.id = e.subscription_id
"""


def columns(session: Session) -> str:
    """The members of Told, of a row `e` of evidence that is joined with whom it is about."""
    return OF_EVIDENCE.format(at=AT[session.get_bind().dialect.name].format("e.at"))


def slugs(session: Session) -> Slugs:
    return {id_: slug for id_, slug in session.execute(select(List.id, List.slug))}


def payload(row: Told, lists: Slugs) -> dict[str, Any]:
    """What is sealed of it: nothing of it changes when a person is erased or moves, or when an IP ends."""
    return {
        "id": row.id, "fact": row.fact, "at": row.at, "channel": row.channel, "actor": row.actor,
        "ip_source": row.ip_source, "details": _read(row.details),
        "registration": None if row.registration_id is None else {
            "number": row.registration_id, "reference": _hex(row.ref),
            "list": lists.get(row.registration_list or 0), "key": _hex(row.registration_key)},
        "subscription": None if row.subscription_id is None else {
            "number": row.subscription_id,
            "list": lists.get(row.subscription_list or 0), "key": _hex(row.subscription_key)},
    }  # fmt: skip


def _read(details: str) -> object:
    try:
        return json.loads(details, object_pairs_hook=_once)
    except ValueError:  # not ours, and sealed even so: one row holds up no other
        return details


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Of a member that stands there twice, one reader would see the first, and another the last."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member stands there twice")
    return found


def _hex(octets: bytes | None) -> str | None:
    return None if octets is None else octets.hex()


def unsealed(session: Session, settled: int, at_most: int) -> Sequence[Told]:
    """Rows behind that id without a leaf, in the order of their ids."""
    sql = f"""
SELECT {columns(session)} FROM evidence e {OF_WHOM} LEFT JOIN leaves l ON l.evidence_id = e.id
WHERE e.id > :settled AND l.number IS NULL ORDER BY e.id LIMIT :at_most"""  # noqa: S608 ours
    return [*_told(session, text(sql), settled=settled, at_most=at_most)]


def those(session: Session, ids: Collection[int]) -> Iterator[Told]:
    sql = f"SELECT {columns(session)} FROM evidence e {OF_WHOM} WHERE e.id IN :ids ORDER BY e.id"  # noqa: S608
    yield from _told(session, text(sql).bindparams(bindparam("ids", type_=BigInteger, expanding=True)), ids=[*ids])


def _told(session: Session, sql: TextClause, **values: object) -> Iterator[Told]:
    return (Told._make(row) for row in session.execute(sql, values))
