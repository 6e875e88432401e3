"""The lists as the configuration says, and the versions of their wordings."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from subscriptions.store import meta
from subscriptions.store.engine import reading
from subscriptions.store.models import List, Wording


@dataclass(frozen=True)
class Catalogue:
    """The lists and wordings at one moment. Never changed: a newer version takes its place whole."""

    lists: Mapping[int, List]
    wordings: Mapping[str, Wording]
    version: str | None = None

    @cached_property
    def configured(self) -> Sequence[List]:
        """Those that take sign-ups, in their order."""
        return tuple(row for row in self.lists.values() if row.position is not None)

    @cached_property
    def _named(self) -> Mapping[str, List]:
        return {row.slug: row for row in self.configured}

    def by_slug(self, slug: str) -> List | None:
        return self._named.get(slug)

    def by_slugs(self, slugs: Iterable[str]) -> list[List]:
        """Those that there are, each once and in our order: who names them has no say in how a mail reads."""
        found = {row.id: row for slug in slugs if (row := self.by_slug(slug))}
        return sorted(found.values(), key=lambda row: row.position or 0)

    def wording_of(self, row: List, locale: str) -> Wording:
        """What is agreed to by whoever signs up now, in that language."""
        return self.wordings[row.wording_id]


def read_catalogue() -> Catalogue:
    with reading() as session:
        found = catalogue_in(session)
        session.expunge_all()
    return found


def catalogue_in(session: Session) -> Catalogue:
    rows, texts = all_of(session), wordings(session)
    return Catalogue({row.id: row for row in rows}, {row.id: row for row in texts}, version(session))


def version(session: Session) -> str | None:
    """By which each process sees that the lists have changed."""
    return meta.get(session, "catalogue")


def note_version(session: Session) -> None:
    """After a change of lists: what each process looks at every few seconds."""
    rows = [[getattr(row, column.key) for column in List.__table__.columns] for row in all_of(session)]
    digest = hashlib.sha256(json.dumps([rows, sorted(row.id for row in wordings(session))]).encode()).hexdigest()
    if version(session) != digest:
        meta.put(session, "catalogue", digest)


def wording_hash(slug: str, text: str, policy_url: str, controller: str) -> str:
    """The SHA-256 that names a wording: what was shown, of which list, with which policy and controller."""
    shown = json.dumps([slug, text, policy_url, controller], ensure_ascii=False)
    return hashlib.sha256(shown.encode()).hexdigest()


def sync(session: Session, configured: Sequence[dict[str, Any]], now: datetime) -> None:
    """Make the lists what the configuration says; those no longer in it stay for their subscribers."""
    session.execute(update(List).values(position=None))
    for position, fields in enumerate(configured):
        values = dict(fields)
        text = values.pop("wording")
        digest = wording_hash(values["slug"], text, values["policy_url"], values["controller"])
        row = session.scalar(select(List).where(List.slug == values["slug"]))
        if row is None:
            row = List(slug=values["slug"])
            session.add(row)
        for name, value in values.items():
            setattr(row, name, value)
        row.position, row.wording_id = position, digest[:16]
        session.flush()
        _keep(session, row, text, digest, now)


def _keep(session: Session, row: List, text: str, digest: str, now: datetime) -> None:
    if session.get(Wording, row.wording_id) is None:
        wording = Wording(id=row.wording_id, list_id=row.id, text=text, sha256=digest, made_at=now)
        wording.policy_url, wording.controller = row.policy_url, row.controller
        session.add(wording)
        session.flush()


def agreed(session: Session, list_id: int, wording_id: str | None) -> tuple[bool, str | None]:
    """Whether the list welcomes, and the hash of the wording that was agreed to there."""
    text = select(Wording.sha256).where(Wording.id == wording_id).scalar_subquery()
    return session.execute(select(List.welcome, text).where(List.id == list_id)).one()


def all_of(session: Session) -> Sequence[List]:
    """Every list, the configured ones first and in their order."""
    return session.scalars(select(List).order_by(List.position.is_(None), List.position, List.id)).all()


def wordings(session: Session) -> Sequence[Wording]:
    return session.scalars(select(Wording)).all()
