"""Whatever is done to what was sealed, behind the back of the program, is found, and told in a sentence."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from sqlalchemy.orm import Session

from subscriptions.store.models import db
from subscriptions.witness import walk
from tests.builders import ANNE, BART, CRIS, OFFERS, World
from tests.support.cases import each

COLUMNS = {
    "evidence": ["registration_id", "subscription_id", "fact", "at", "channel", "actor", "ip", "ip_source", "details"],
    "leaves": ["evidence_id", "removal_id", "salt", "ip_salt", "payload", "ip"],
    "seals": ["first", "last", "settled", "root", "previous", "earlier", "sealed_at", "key", "signature"],
    "removals": ["at", "cause", "count", "leaves"],
    "wordings": ["text", "sha256", "policy_url", "controller"],
    "registrations": ["ref", "list_id", "key", "address"],
    "subscriptions": ["list_id", "key", "address"],
}
IDS = {"leaves": "number", "seals": "block"}
EACH = [(table, column) for table, columns in COLUMNS.items() for column in columns]
OTHER: dict[str, object] = {
    "fact": "bounced", "channel": "phone", "actor": "nobody", "ip": "192.0.2.99", "ip_source": "nowhere",
    "details": '{"wording": "another"}', "cause": "erasure", "address": "eve@example.org", "text": "Yes.",
    "sha256": "00", "policy_url": "https://example.net/", "controller": "Another", "leaves": "1",
}  # fmt: skip


@pytest.fixture
def sealed(world: World) -> World:
    """Five blocks, the last of which seals what was deleted; nothing waits."""
    for address, slug in ((BART, "newsletter"), (CRIS, OFFERS)):
        world.subscribe(address, slug)
        world.run("seal")
    world.sign_up(ANNE)
    world.deliver()
    world.run("seal")
    world.post(world.leave_link(CRIS, OFFERS))
    world.post(world.not_me_link(ANNE))
    world.run("seal")
    world.clock.forward(days=380)
    world.run("purge")
    assert world.run("seal") and not world.run("seal")
    return world


class Hand:
    """Writes into the tables as no program of ours would."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    @property
    def is_postgres(self) -> bool:
        return self._connection.dialect.name == "postgresql"

    def do(self, statement: str, **values: object) -> int:
        return self._connection.execute(sa.text(statement), values).rowcount

    def rows(self, statement: str) -> list[Any]:
        return [*self._connection.execute(sa.text(statement)).fetchall()]

    def wrong(self, world: World) -> str | None:
        return self.verdict(world).wrong

    def verdict(self, world: World) -> walk.Verdict:
        with Session(self._connection) as session:
            return walk.verify(session, world.parts.seal_key.public, world.parts.links.key)


@contextmanager
def hand() -> Iterator[Hand]:
    """In a transaction without triggers and foreign keys, of which nothing stays."""
    is_sqlite = db.engine.dialect.name == "sqlite"
    with db.engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        if is_sqlite:
            raw.execute("PRAGMA foreign_keys=OFF")
        with connection.begin() as transaction:
            made = Hand(connection)
            if is_sqlite:
                for (name,) in made.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
                    made.do(f"DROP TRIGGER {name}")
            else:
                made.do("SET LOCAL session_replication_role = replica")
            yield made
            transaction.rollback()
        connection.invalidate()


def other(value: Any, column: str, is_sqlite: bool) -> object:
    """Something else of the same kind."""
    if isinstance(value, bytes):
        return bytes(octet ^ 1 for octet in value)
    if isinstance(value, int):
        return value + 1
    if column in OTHER:
        return OTHER[column]
    if column in ("at", "sealed_at"):
        return "2020-01-01 00:00:00.000000" if is_sqlite else "2020-01-01 00:00:00+00"
    return bytes(32 if column == "ip" else 16) if column.endswith("salt") else 7


@given(chosen=st.sampled_from(EACH), place=st.integers(0, 30), empty=st.booleans())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_column_of_each_row_that_is_altered_is_found(
    sealed: World, chosen: tuple[str, str], place: int, empty: bool
) -> None:
    table, column = chosen
    id_, is_sqlite = IDS.get(table, "id"), db.engine.dialect.name == "sqlite"
    with hand() as by:
        rows = by.rows(f"SELECT {id_}, {column} FROM {table} ORDER BY 1")  # noqa: S608
        key, value = rows[place % len(rows)]
        if table in ("registrations", "subscriptions") and column == "address" and value is None:
            return
        new: object = other(value, column, is_sqlite)
        if table == "leaves" and column == "ip":
            new = bytes(32)
        if empty and value is not None and column in ("actor", "ip", "ip_source", "salt", "ip_salt", "evidence_id"):
            new = None
        if isinstance(value, int) and table == "leaves":
            new = 10_000
        if new == value:
            return
        assert by.do(f"UPDATE {table} SET {column} = :new WHERE {id_} = :key", new=new, key=key) == 1  # noqa: S608
        said = by.wrong(sealed)
    assert said and said.endswith("."), (table, column, key, value, new)


def test_what_was_not_touched_fits(sealed: World) -> None:
    with hand() as by:
        assert by.wrong(sealed) is None


def test_a_wording_that_evidence_names_cannot_go(sealed: World) -> None:
    with hand() as by:
        by.do("DELETE FROM wordings WHERE id = (SELECT wording_id FROM subscriptions WHERE id = 1)")
        assert "names another text" in (by.wrong(sealed) or "")


@each("table", ["evidence", "leaves", "seals", "removals"])
def test_each_row_that_is_removed_and_each_end_that_is_cut_off_is_found(sealed: World, table: str) -> None:
    id_ = IDS.get(table, "id")
    with hand() as by:
        keys = [key for (key,) in by.rows(f"SELECT {id_} FROM {table} ORDER BY 1")]  # noqa: S608
    for how in ("=", ">="):
        for key in keys:
            with hand() as by:
                by.do(f"DELETE FROM {table} WHERE {id_} {how} :key", key=key)  # noqa: S608
                assert by.wrong(sealed), (how, key)


def test_a_removed_row_is_named(sealed: World) -> None:
    with hand() as by:
        by.do("DELETE FROM evidence WHERE id = 2")
        said = by.wrong(sealed)
    assert said == "Row 2 of the evidence was removed (leaf 2): the deletion log has no such deletion."


def test_a_row_that_is_inserted_among_the_sealed_ones_is_found(sealed: World) -> None:
    with hand() as by:
        by.do("UPDATE evidence SET id = 900 WHERE id = 1")
        by.do("INSERT INTO evidence (id, registration_id, fact, at, channel, details) "
              "SELECT 1, registration_id, fact, at, channel, details FROM evidence WHERE id = 900")  # fmt: skip
        by.do("DELETE FROM evidence WHERE id = 900")
        assert "Row 1 of the evidence" in (by.wrong(sealed) or "")
    gone = "SELECT max(id) + 1 FROM evidence WHERE id < (SELECT settled FROM seals WHERE block = 3)"
    for id_ in ("0", f"({gone})"):
        with hand() as by:
            by.do("INSERT INTO evidence (id, registration_id, fact, at, channel, details) "  # noqa: S608
                  f"SELECT {id_}, registration_id, fact, at, channel, details FROM evidence WHERE id = 1")  # fmt: skip
            assert "was inserted" in (by.wrong(sealed) or "")


@each("what", ["details", "registration_id", "at", "everything"])
def test_two_rows_that_are_swapped_are_named(sealed: World, what: str) -> None:
    # both "registered", of Bart and of Cris
    columns = COLUMNS["evidence"] if what == "everything" else [what]
    with hand() as by:
        one, two = by.rows(f"SELECT {', '.join(columns)} FROM evidence WHERE id IN (1, 4) ORDER BY id")  # noqa: S608
        for id_, row in ((1, two), (4, one)):
            for name, value in row._mapping.items():
                by.do(f"UPDATE evidence SET {name} = :value WHERE id = :id", value=plain(value), id=id_)  # noqa: S608
        said = by.wrong(sealed) or ""
    named = {"registration_id": "is about another person or sign-up now (leaf 1)",
             "everything": "was swapped with row 4 (leaf 1)"}  # fmt: skip
    assert said == f"Row 1 of the evidence {named.get(what, 'or whom it is about was altered (leaf 1)')}."


def plain(value: object) -> object:
    return json.dumps(value) if isinstance(value, dict) else value


@each("table", ["leaves", "seals", "removals"])
def test_two_others_that_are_swapped_are_found(sealed: World, table: str) -> None:
    id_ = IDS.get(table, "id")
    with hand() as by:
        for old, new in ((1, -1), (2, 1), (-1, 2)):
            by.do(f"UPDATE {table} SET {id_} = {new} WHERE {id_} = {old}")  # noqa: S608
        assert by.wrong(sealed)


@each("table", ["registrations", "subscriptions"])
def test_persons_who_are_swapped_are_found(sealed: World, table: str) -> None:
    with hand() as by:
        for column in ("key", "address", "list_id"):
            by.do(f"UPDATE {table} SET {column} = (SELECT o.{column} FROM {table} o WHERE o.id = 3 - {table}.id) "  # noqa: S608
                  "WHERE id IN (1, 2)")  # fmt: skip
        assert by.wrong(sealed)


def test_a_seal_of_another_key_is_found(sealed: World) -> None:
    with hand() as by, Session(by._connection) as session:
        said = walk.verify(session, bytes(32), None).wrong
    assert said and "another key" in said


def test_who_deletes_and_says_nothing_in_the_log_is_found(sealed: World) -> None:
    """Even one who knows what a lawful deletion does to a leaf."""
    with hand() as by:
        by.do("UPDATE leaves SET evidence_id = NULL, salt = NULL, ip_salt = NULL WHERE number = 1")
        by.do("DELETE FROM evidence WHERE id = 1")
        assert "removed" in (by.wrong(sealed) or "")
