"""What the lists say, written: by the file at each start, by the desk and the commands at any time."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from subscriptions.store import meta, policies, suppressions
from subscriptions.store.lists import all_of, controller_of, version, wording_hash, wordings
from subscriptions.store.models import List, Owner, Wording

AFTER_THE_FILE = 1000  # the first position of lists that the file does not say
Said = Mapping[str, Any]  # a list as `asdict` of its settings has it


def sync(session: Session, configured: Sequence[Said], now: datetime) -> list[str]:
    """Make the file's lists what it says; those no longer in it stay for their subscribers.

    Gives back the slugs that belong to the desk, whatever the file says: the desk's lists are left alone.
    """
    session.execute(update(List).where(List.owner == Owner.FILE).values(position=None))
    taken = []
    for position, said in enumerate(configured):
        row = find(session, said["slug"])
        if row is not None and row.owner is Owner.DESK:
            taken.append(row.slug)
            continue
        put(session, row, said, now, owner=Owner.FILE, position=position)
    return taken


def ensure_one(session: Session, built_in: Said, now: datetime) -> None:
    """Where no list takes sign-ups, the built-in does; one that had its slug before says what it said."""
    if session.scalar(select(exists().where(List.position.is_not(None), List.draft.is_(False)))):
        return
    row = find(session, built_in["slug"])
    if row is None:
        put(session, None, built_in, now, owner=Owner.BUILT_IN, position=AFTER_THE_FILE)
    else:
        row.position, row.draft = AFTER_THE_FILE, False
        row.owner = Owner.BUILT_IN if row.owner is Owner.FILE else row.owner


def find(session: Session, slug: str) -> List | None:
    return session.scalar(select(List).where(List.slug == slug))


def last_position(session: Session) -> int:
    """Behind all others."""
    return max(AFTER_THE_FILE, session.scalar(select(func.max(List.position))) or 0) + 1


def mark(row: List) -> str:
    """Names what a list says now: whoever has it before them can tell whether somebody has changed it since."""
    columns = [getattr(row, column.key) for column in List.__table__.columns]
    return hashlib.sha256(json.dumps(columns).encode()).hexdigest()[:16]


def note_version(session: Session) -> None:
    """After a change of lists: what each process looks at every few seconds."""
    lists = all_of(session)
    rows = [mark(row) for row in lists]
    kept = sorted([*(row.id for row in wordings(session)), *(row.id for row in policies.heads(session))])
    looks = [(key, one.url, one.problem) for key, one in policies.looks(session).items()]
    digest = hashlib.sha256(json.dumps([rows, kept, sorted(looks)]).encode()).hexdigest()
    if version(session) != digest:
        meta.put(session, "catalogue", digest)
        suppressions.follow(session, {row.id: controller_of(row) for row in lists})


def put(
    session: Session, row: List | None, said: Said, now: datetime, *, owner: Owner, position: int | None,
    draft: bool = False,
) -> List:  # fmt: skip
    """Make a list what is said; none: a new one."""
    values: dict[str, Any] = {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}
    text, texts = values.pop("wording"), values.pop("texts")
    if row is None:
        row = List(slug=values["slug"])
        session.add(row)
    for name, value in values.items():
        setattr(row, name, value)
    row.owner, row.position, row.draft = owner, position, draft
    row.wording_id, row.texts = row.wording_id or "", row.texts or {}
    session.flush()
    row.wording_id = _keep(session, row, {"wording": text}, "", now)
    row.texts = {tag: _worded(session, row, said, tag, now) for tag, said in texts.items()}
    session.flush()
    return row


def _worded(session: Session, row: List, said: dict[str, Any], tag: str, now: datetime) -> dict[str, Any]:
    """What a list says in that language, its wording by its id."""
    texts = {name: list(value) if isinstance(value, tuple) else value for name, value in said.items() if value}
    wording = {"wording_id": _keep(session, row, texts, tag, now)} if "wording" in texts else {}
    return {name: value for name, value in texts.items() if name != "wording"} | wording


def _keep(session: Session, row: List, said: dict[str, Any], tag: str, now: datetime) -> str:
    """The id of a wording, which is kept if it is new."""
    text, policy_url = said["wording"], said.get("policy_url", row.policy_url)
    controller = said.get("controller", row.controller)
    digest = wording_hash(row.slug, text, policy_url, controller, tag)
    wording = session.get(Wording, digest[:16])
    if wording is None:
        wording = Wording(id=digest[:16], list_id=row.id, text=text, sha256=digest, valid_from=now)
        wording.policy_url, wording.controller = policy_url, controller
        session.add(wording)
    wording.language = tag or row.locale  # of the same text, where a list's own was a mistake
    session.flush()
    return wording.id
