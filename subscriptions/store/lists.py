"""The lists as the file and the desk say them, and the versions of their wordings, read."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from subscriptions.settings import ListSettings, ListTexts
from subscriptions.store import meta, mode, policies
from subscriptions.store.engine import reading
from subscriptions.store.models import List, Wording
from subscriptions.store.policies import Head, Look


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The lists and wordings at one moment. Never changed: a newer version takes its place whole."""

    lists: Mapping[int, List]
    wordings: Mapping[str, Wording]
    version: str | None = None

    is_live: bool = False
    policies: Mapping[str, Head] = field(default_factory=dict)
    looks: Mapping[str, Look] = field(default_factory=dict)  # at their pages, by list and language

    @cached_property
    def configured(self) -> Sequence[List]:
        """Those that take sign-ups, in their order; while things are tried out, drafts as well."""
        return tuple(row for row in self.kept if self.takes(row))

    @property
    def slugs(self) -> dict[int, str]:
        return {row.id: row.slug for row in self.configured}

    def takes(self, row: List) -> bool:
        """Whether that list takes sign-ups."""
        return row.position is not None and not (row.draft and self.is_live)

    @cached_property
    def kept(self) -> Sequence[List]:
        """All but those in the archive."""
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
        return self.wordings[row.said_in(locale).wording_id]


class Party(NamedTuple):
    """Who is responsible, as the first of its lists tells it, and all that it is responsible for."""

    row: List
    lists: list[List]


def parties(rows: Iterable[List]) -> list[Party]:
    """The controllers of lists, each once; one that no list names is its sender."""
    found: dict[tuple[str, ...], list[List]] = {}
    for row in rows:
        who = row.controller or row.sender, row.postal_address, row.privacy_contact, row.imprint_url
        found.setdefault(who, []).append(row)
    return [Party(theirs[0], theirs) for theirs in found.values()]


def controller_of(row: List) -> str:
    """By which name an objection knows who is responsible; never empty, also where nobody is named."""
    return row.controller or row.sender or "-"


def common(rows: Iterable[List | ListSettings], name: str) -> str:
    """What all of the lists say there; nothing where they differ."""
    said = {getattr(row, name) for row in rows}
    return str(said.pop()) if len(said) == 1 else ""


def read_catalogue() -> Catalogue:
    with reading() as session:
        found = catalogue_in(session)
        session.expunge_all()
    return found


def catalogue_in(session: Session) -> Catalogue:
    rows, texts, kept = all_of(session), wordings(session), policies.heads(session)
    for row in rows:
        _tell(row)
    policies.hold(rows, kept)
    is_live, looks = (mode.noted(session) or mode.Mode.TRY_OUT).is_live, policies.looks(session)
    by_id = {row.id: row for row in rows}, {row.id: row for row in texts}
    return Catalogue(*by_id, version(session), is_live, {one.id: one for one in kept}, looks)


def _tell(row: List) -> None:
    told = {"": row, row.locale.lower(): row} | {tag.lower(): _in_language(row, tag) for tag in row.texts}
    for each in told.values():
        each.told = told


def would_be(catalogue: Catalogue, row: List, said: ListSettings) -> tuple[Catalogue, List]:
    """The catalogue as it would be if that list said so, and the list; nothing is stored."""
    wordings, columns = dict(catalogue.wordings), {one.key: getattr(row, one.key) for one in List.__table__.columns}

    def word(tag: str, text: str, policy_url: str, controller: str) -> str:
        id_ = f"unsaved {tag}"
        wordings[id_] = Wording(id=id_, list_id=row.id, text=text, language=tag, policy_url=policy_url,
                                controller=controller, sha256="", valid_from=None)  # fmt: skip
        return id_

    own = asdict(said)
    text, texts = own.pop("wording"), own.pop("texts")
    own["wording_id"] = word(said.locale, text, said.policy_url, said.controller)
    for tag, each in texts.items():
        if text := each.pop("wording"):
            each["wording_id"] = word(tag, text, each["policy_url"] or said.policy_url, each["controller"])
    own["texts"] = {tag: {name: value for name, value in each.items() if value} for tag, each in texts.items()}
    shown = List(**(columns | own))
    _tell(shown)
    return replace(catalogue, lists={**catalogue.lists, row.id: shown}, wordings=wordings), shown


def version(session: Session) -> str | None:
    """By which each process sees that the lists have changed."""
    return meta.get(session, "catalogue")


NEEDED = ("controller", "postal_address", "privacy_contact", "policy_url")  # before a list made at the desk goes live


def lacks(row: List) -> list[str]:
    """What it still has to say."""
    return [name for name in NEEDED if not getattr(row, name)]


def told(row: List, wordings: Mapping[str, Wording]) -> ListSettings:
    """The list as a table of [[lists]] would say it."""
    names = {one.name for one in fields(ListSettings)} - {"wording", "texts"}
    texts = {
        tag: ListTexts(**_in_table(said), wording=wordings[said["wording_id"]].text if "wording_id" in said else "")
        for tag, said in row.texts.items()
    }
    own = _in_table({name: getattr(row, name) for name in names})
    return ListSettings(**own, wording=wordings[row.wording_id].text, texts=texts)


def _in_table(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()
            if name != "wording_id"}  # fmt: skip


SAID = ("name", "description", "policy_url", "controller", "postal_address", "privacy_contact", "authority",
        "wording_id", "welcome_text", "confirmed_text")  # fmt: skip


def _in_language(row: List, tag: str) -> List:
    """A copy that no session knows, with what the list says in that language."""
    texts, columns = dict(row.texts[tag]), {column.key: getattr(row, column.key) for column in List.__table__.columns}
    fields, lacking = _fields_in(row.fields, texts.pop("fields", []))
    said = List(**(columns | texts | {"fields": fields}))
    said.tag, said.lacks = tag, frozenset({*SAID} - texts.keys() | lacking)
    return said


def _fields_in(own: Sequence[str], further: Sequence[str]) -> tuple[list[str], set[str]]:
    """The list's fields with the labels and purposes of a language, and which of those it lacks."""
    told: dict[str, list[str]] = {text.partition(":")[0]: text.split("\n") for text in further}
    found, lacking = [], set()
    for text in own:
        key, (label, *purpose) = text.partition(":")[0], text.split("\n")
        said, *said_for = told.get(key, [""])
        if label != key and not said:
            lacking.add(f"label of {key}")
        if purpose and not said_for:
            lacking.add(f"purpose of {key}")
        found.append("\n".join([said or label, *(said_for or purpose)]))
    return found, lacking


def lacking(row: List, tag: str) -> list[str]:
    """What the list says in its own language and not in that one."""
    said = row.said_in(tag)
    lacks = {*SAID} | _fields_in(row.fields, ())[1] if said is row else said.lacks
    return sorted(name.removesuffix("_id") for name in lacks if getattr(row, name, True))


def wording_hash(slug: str, text: str, policy_url: str, controller: str, tag: str = "") -> str:
    """The SHA-256 that names a wording: what was shown, of which list, with which policy and controller.

    `tag`: its language, where that is not the list's own.
    """
    return hashlib.sha256(_shown(slug, text, policy_url, controller, tag).encode()).hexdigest()


def _shown(*shown: str) -> str:
    """The characters of which that is the hash."""
    return json.dumps([*shown[:4], *filter(None, shown[4:])], ensure_ascii=False)


def hashed(row: List, wording: Wording) -> str | None:
    """The characters whose SHA-256 names a wording; none where they cannot be told any more."""
    said = row.slug, wording.text, wording.policy_url, wording.controller
    found = (_shown(*said, tag) for tag in ("", wording.language))
    return next((text for text in found if hashlib.sha256(text.encode()).hexdigest() == wording.sha256), None)


def agreed(session: Session, list_id: int, wording_id: str | None) -> tuple[bool, str | None]:
    """Whether the list welcomes, and the hash of the wording that was agreed to there."""
    text = select(Wording.sha256).where(Wording.id == wording_id).scalar_subquery()
    return session.execute(select(List.welcome, text).where(List.id == list_id)).one()


def current(row: List) -> set[str]:
    """The ids of the wordings in use, one or one for each language."""
    return {row.said_in(tag).wording_id for tag in ("", *row.texts)}


def versions(catalogue: Catalogue, row: List) -> list[Wording]:
    """Every text that people have agreed to, oldest first."""
    theirs = (one for one in catalogue.wordings.values() if one.list_id == row.id)
    return sorted(theirs, key=lambda one: (one.valid_from, one.id))


def id_of(session: Session, slug: str) -> int | None:
    return session.scalar(select(List.id).where(List.slug == slug))


def all_of(session: Session) -> Sequence[List]:
    """Every list, the configured ones first and in their order."""
    return session.scalars(select(List).order_by(List.position.is_(None), List.position, List.id)).all()


def wordings(session: Session) -> Sequence[Wording]:
    return session.scalars(select(Wording)).all()
