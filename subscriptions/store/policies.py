"""The versions of each list's privacy policy, and what is wrong with the page that they are read from."""

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import NamedTuple

from sqlalchemy import case, func, literal_column, select, update
from sqlalchemy.orm import Session

from subscriptions import clock
from subscriptions.domain.lifecycle import Subscription as State
from subscriptions.store import meta
from subscriptions.store.engine import BLIND
from subscriptions.store.models import List, Policy, Subscription

_LOOKS = "policy looks"  # the row of `meta` that says how the last look at each page went


class Head(NamedTuple):
    """A version without what it says."""

    id: str
    list_id: int
    language: str
    url: str
    valid_from: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """How the last look at a page went. `problem`: what is wrong with it, since when; empty: nothing."""

    url: str
    at: datetime
    problem: str
    since: datetime


def source_of(row: List, tag: str) -> tuple[str, str]:
    """The language of the policy that those see who read the list in this one, and its file or address."""
    said = row.texts.get(tag, {})
    own = said.get("policy_file") or said.get("policy_url")
    return (tag, own) if own else (row.locale, row.policy_file or row.policy_url)


def sources(row: List) -> dict[str, str]:
    """By language, each policy of the list that there is."""
    return {language: url for language, url in (source_of(row, tag) for tag in ("", *row.texts)) if url}


def hold(rows: Iterable[List], heads: Sequence[Head]) -> None:
    """Tell each list, as each language tells it, which version holds: the latest, if its page is still that one."""
    latest = {(one.list_id, one.language): one for one in sorted(heads, key=lambda one: one.valid_from)}
    for row in rows:
        for said in row.told.values():
            language, url = source_of(row, said.tag)
            found = latest.get((row.id, language))
            said.policy_id = found.id if found and found.url == url else None


def heads(session: Session) -> list[Head]:
    columns = (getattr(Policy, name) for name in Head._fields)
    return [Head(*row) for row in session.execute(select(*columns).order_by(Policy.valid_from, Policy.id))]


def find(session: Session, id_: str) -> Policy | None:
    return session.get(Policy, id_)


def before(session: Session, list_id: int, language: str, most: int) -> Sequence[Policy]:
    """The latest versions, the newest first."""
    theirs = select(Policy).where(Policy.list_id == list_id, Policy.language == language)
    return session.scalars(theirs.order_by(Policy.valid_from.desc(), Policy.id).limit(most)).all()


def holding(session: Session, list_id: int, locale: str) -> str | None:
    """The version that stands before who reads the list in that language now."""
    row = session.get(List, list_id)
    if row is None:
        return None
    known, tag = {tag.lower(): tag for tag in row.texts}, locale.lower()
    while tag and tag not in known and tag != row.locale.lower():
        tag = tag.rpartition("-")[0]
    language, url = source_of(row, known.get(tag, ""))
    found = before(session, list_id, language, 1)
    return found[0].id if found and found[0].url == url else None


def read_from(url: str) -> str:
    """An address of the web; of a file its name alone: where it lies on the server concerns nobody."""
    return url if url.startswith(("https:", "http:")) else PurePath(url).name


def hashed(slug: str, one: Policy) -> str:
    """The characters whose SHA-256 names a version: what was read, of which list, where, and when first."""
    return text_hashed(slug, one.language, one.url, one.text, zlib.decompress(one.raw), one.valid_from)


def text_hashed(slug: str, language: str, url: str, text: str, raw: bytes, valid_from: datetime) -> str:
    """The same of what no row holds, or not yet."""
    shown = [slug, language, read_from(url), text, hashlib.sha256(raw).hexdigest(), clock.text(valid_from)]
    return json.dumps(shown, ensure_ascii=False)


def keep(session: Session, row: List, language: str, url: str, text: str, packed: bytes, now: datetime) -> None:
    one = Policy(list_id=row.id, language=language, url=url, text=text, raw=packed, valid_from=now, last_seen_at=now)
    one.sha256 = hashlib.sha256(hashed(row.slug, one).encode()).hexdigest()
    one.id = one.sha256[:16]
    session.add(one)
    session.flush()


def see(session: Session, id_: str, now: datetime) -> None:
    """It stands there still."""
    session.execute(update(Policy).where(Policy.id == id_).values(last_seen_at=now), execution_options=BLIND)


def people(session: Session, row: List, known: Iterable[Head]) -> dict[str, int]:
    """How many who are subscribed to a list confirmed while a version held that they could read, by its id.

    By times, not by their evidence: to read that of a million people takes many times as long as to read themselves.
    """
    versions = sorted((one for one in known if one.list_id == row.id), key=lambda one: one.valid_from, reverse=True)
    began = case(*((Subscription.confirmed_at >= one.valid_from, n) for n, one in enumerate(versions)), else_=-1)
    of = Subscription.locale, Subscription.state
    found = select(*of, began.label("began"), func.count()).where(Subscription.list_id + 0 == row.id)
    counts: dict[str, int] = {}
    for locale, state, n, number in session.execute(found.group_by(*of, literal_column("began"))) if versions else ():
        language, _ = source_of(row, row.said_in(locale).tag)
        held = next((one.id for one in versions[n:] if one.language == language), None) if n >= 0 else None
        if held and state is State.CONFIRMED:
            counts[held] = counts.get(held, 0) + number
    return counts


# How the looks went


def looks(session: Session) -> dict[str, Look]:
    """By list and language: `12 de`."""
    told: Mapping[str, list[str]] = json.loads(meta.get(session, _LOOKS) or "{}")
    return {key: Look(url, datetime.fromisoformat(at), problem, datetime.fromisoformat(since))
            for key, (url, at, problem, since) in told.items()}  # fmt: skip


def note_looks(session: Session, found: Mapping[str, Look]) -> None:
    told = {key: [one.url, one.at.isoformat(), one.problem, one.since.isoformat()] for key, one in found.items()}
    meta.put(session, _LOOKS, json.dumps(told))
