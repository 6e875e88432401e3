"""The whole chain, read from its beginning for whoever checks it: a database as it stands, or a copy.

As the driver gives it, and page by page: what somebody wrote into a column by hand must not stop the reader, and a
million rows must not be held at once.
"""

import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, NullPool, create_engine, inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from subscriptions.store import evidence_told, meta, sqlite
from subscriptions.store.engine import translated
from subscriptions.store.evidence_told import OF_WHOM, Told, columns
from subscriptions.store.lists import wording_hash
from subscriptions.store.policies import text_hashed

PAGE = 5000


class LeafRow(NamedTuple):
    """A leaf, and what it is about, as far as that is there."""

    number: int
    evidence_id: int | None
    removal_id: int | None
    salt: bytes | None
    ip_salt: bytes | None
    payload: bytes
    ip: bytes | None
    removal: "Logged | None"
    evidence: Told | None


class Logged(NamedTuple):
    """A row of the deletion log; its time as it is sealed."""

    id: int
    at: str
    cause: str
    records: int
    leaves: str

    @property
    def payload(self) -> dict[str, Any]:
        return {"id": self.id, "at": self.at, "cause": self.cause, "count": self.records, "leaves": self.leaves}


class SealRow(NamedTuple):
    block: int
    first: int
    last: int
    settled: int
    root: bytes
    previous: bytes
    earlier: bytes
    sealed_at: str
    key: bytes
    signature: bytes


@contextmanager
def looked_at(url: str, *, is_copy: bool) -> Iterator[Session]:
    """A database as it stands at one moment; nothing in it is written. Of a copy, nothing beside it, either.

    Raises Unavailable.
    """
    engine = _read_only(make_url(url), is_copy=is_copy)
    with translated(), Session(engine, expire_on_commit=False) as session, session.begin():
        if engine.dialect.name == "sqlite":
            session.execute(text("BEGIN"))  # its module begins none for what only reads
        yield session


def _read_only(url: URL, *, is_copy: bool) -> Engine:
    if url.get_backend_name() != "sqlite":
        options = "-c default_transaction_read_only=on -c timezone=UTC"
        return create_engine(url, poolclass=NullPool, isolation_level="REPEATABLE READ",
                             connect_args={"options": options, "connect_timeout": 3})  # fmt: skip
    path = Path(str(url.database)).absolute()
    # a journal beside it holds what the file has yet to get; without one, SQLite need not even make a file for locks
    has_journal = any(path.with_name(path.name + end).exists() for end in ("-wal", "-journal"))
    how, module = "mode=ro&immutable=1" if is_copy and not has_journal else "mode=ro", sqlite.sqlite_module()
    uri = f"{path.as_uri()}?{how}"
    return create_engine("sqlite://", poolclass=NullPool, module=module, creator=lambda: module.connect(uri, uri=True))


def pepper_of(session: Session) -> str | None:
    """The fingerprint of the pepper that this database was made with."""
    return meta.get(session, "pepper")


def is_there(session: Session) -> bool:
    """Whether this database has a chain at all."""
    return inspect(session.connection()).has_table("seals")


def _at(session: Session, column: str) -> str:
    return evidence_told.AT[session.get_bind().dialect.name].format(column)


def _paged(session: Session, sql: str, key: int = 0) -> Iterator[Sequence[Any]]:
    """The rows of a statement whose column `key` goes up, read in pages behind `:after`."""
    after, statement = -(2**63), text(f"{sql} LIMIT {PAGE}")
    while rows := session.execute(statement, {"after": after}).fetchall():
        yield from rows
        after = rows[-1][key]


def seals(session: Session) -> Iterator[SealRow]:
    sql = f"""SELECT block, first, last, settled, root, previous, earlier, {_at(session, "sealed_at")}, key, signature
FROM seals WHERE block > :after ORDER BY block"""  # noqa: S608
    return map(SealRow._make, _paged(session, sql))


def leaves(session: Session) -> Iterator[LeafRow]:
    sql = f"""
SELECT l.number, l.evidence_id, l.removal_id, l.salt, l.ip_salt, l.payload, l.ip,
  m.id, {_at(session, "m.at")}, m.cause, m.count, m.leaves, {columns(session)}
FROM leaves l LEFT JOIN removals m ON m.id = l.removal_id LEFT JOIN evidence e ON e.id = l.evidence_id {OF_WHOM}
WHERE l.number > :after ORDER BY l.number"""  # noqa: S608
    for row in _paged(session, sql):
        removal = None if row[7] is None else Logged._make(row[7:12])
        evidence = None if row[12] is None else Told._make(row[12:])
        yield LeafRow._make([*row[:7], removal, evidence])


def removals(session: Session) -> Iterator[Logged]:
    sql = f"SELECT id, {_at(session, 'at')}, cause, count, leaves FROM removals WHERE id > :after ORDER BY id"  # noqa: S608
    return map(Logged._make, _paged(session, sql))


def evidence(session: Session) -> Iterator[Told]:
    sql = f"SELECT {columns(session)} FROM evidence e {OF_WHOM} WHERE e.id > :after ORDER BY e.id"  # noqa: S608
    return map(Told._make, _paged(session, sql))


def last_leaf(session: Session) -> int:
    return int(session.execute(text("SELECT coalesce(max(number), 0) FROM leaves")).scalar_one())


def unsealed(session: Session, settled: int) -> tuple[int | None, int]:
    """The first row of evidence up to that id that no leaf is about; and how many are behind it."""
    none = """FROM evidence e LEFT JOIN leaves l ON l.evidence_id = e.id AND l.number > 0
WHERE l.number IS NULL AND e.id"""  # a number below stands in no seal
    first = session.execute(text(f"SELECT min(e.id) {none} <= :id"), {"id": settled}).scalar()
    return first, session.execute(text(f"SELECT count(*) {none} > :id"), {"id": settled}).scalar_one()


def unsealed_removals(session: Session) -> int:
    """How many entries of the deletion log no leaf is about."""
    none = "SELECT count(*) FROM removals m LEFT JOIN leaves l ON l.removal_id = m.id AND l.number > 0"
    return int(session.execute(text(f"{none} WHERE l.number IS NULL")).scalar_one())


def wordings(session: Session) -> Iterator[tuple[str, str, bool]]:
    """Id and hash of each, and whether its text has that hash."""
    sql = """SELECT w.id, w.sha256, w.text, w.policy_url, w.controller, w.language, l.slug
FROM wordings w JOIN lists l ON l.id = w.list_id"""
    for id_, sha256, said, policy_url, controller, language, slug in session.execute(text(sql)):
        shown = {wording_hash(slug, str(said), str(policy_url), str(controller), tag) for tag in ("", str(language))}
        yield id_, sha256, sha256 in shown and id_ == sha256[:16]


def policies(session: Session) -> Iterator[tuple[str, bool]]:
    """Id of each version of a privacy policy, and whether its text, its page and where it was read have its hash."""
    sql = f"""SELECT p.id, p.sha256, l.slug, p.language, p.url, p.text, p.raw, {_at(session, "p.valid_from")}
FROM policies p JOIN lists l ON l.id = p.list_id"""  # noqa: S608
    for id_, sha256, slug, language, url, said, raw, at in session.execute(text(sql)):
        try:
            page, since = zlib.decompress(bytes(raw)), datetime.fromisoformat(at)
            made = text_hashed(slug, str(language), str(url), str(said), page, since)
            fits = sha256 == hashlib.sha256(made.encode()).hexdigest() and id_ == sha256[:16]
        except (TypeError, ValueError, zlib.error):
            fits = False
        yield id_, fits


def addresses(session: Session) -> Iterator[tuple[str, int, str, bytes]]:
    """Table, id, address and key of whoever has an address."""
    for table in ("registrations", "subscriptions"):
        sql = f"SELECT id, address, key FROM {table} WHERE address IS NOT NULL AND id > :after ORDER BY id"  # noqa: S608
        yield from ((table, *row) for row in _paged(session, sql))


def slugs(session: Session) -> Mapping[int, str]:
    return evidence_told.slugs(session)
