"""What SQL cannot do: evidence goes with its person and by nothing else, and the audit keeps every row."""

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.exc import DBAPIError

from subscriptions.domain.address import parse
from subscriptions.store import migrate
from subscriptions.store.models import db
from tests.builders import ANNE, BART, NEWS, World
from tests.support.cases import ONE_DATABASE, each
from tests.test_audit import rows
from tests.test_commands import logging_as_it_was, run

__all__ = ["logging_as_it_was"]


def execute(*statements: str, **values: object) -> None:
    with db.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement), values if ":key" in statement else {})


def stored(table: str) -> list[tuple[object, ...]]:
    with db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(f"SELECT * FROM {table} ORDER BY id"))]  # noqa: S608


@pytest.fixture
def proven(world: World) -> World:
    """Bart is subscribed, Anne waits, and of both something is in the audit."""
    world.subscribe(BART)
    world.post(world.leave_link(BART))
    world.sign_up(ANNE)
    world.deliver()
    for address in (ANNE, BART):
        run(world, "suppressions", "add", address, "--scope", "confirmations", "--reason", "a letter")
    return world


AGAIN = {
    "evidence": "INTO evidence (id, registration_id, fact, at, channel, details) "
    "SELECT id, registration_id, fact, at, 'phone', details FROM evidence WHERE true",
    "audit": "INTO audit (id, at, actor_kind, actor, act, details) "
    "SELECT id, at, actor_kind, 'nobody', act, details FROM audit WHERE true",
}
ON_BOTH = [
    statement.format(table=table, again=again)
    for table, again in AGAIN.items()
    for statement in (
        "DELETE FROM {table}", "DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table})", "INSERT {again}",
        "INSERT {again} ON CONFLICT (id) DO UPDATE SET details = excluded.details", "UPDATE {table} SET id = id + 1000",
        "UPDATE {table} SET details = '{{}}'",
    )
]  # fmt: skip
ON_SQLITE = [f"{how} {again}" for again in AGAIN.values() for how in ("INSERT OR REPLACE", "REPLACE")]
ON_SQLITE += ["UPDATE OR REPLACE evidence SET id = 1", "UPDATE OR REPLACE audit SET id = 1"]
ON_POSTGRES = [f"TRUNCATE {table}" for table in AGAIN]
ON_POSTGRES += [f"TRUNCATE {parent} CASCADE" for parent in ("registrations", "subscriptions", "lists")]
ON_POSTGRES += ["CREATE TEMP TABLE registrations (id bigint); DELETE FROM evidence WHERE registration_id > 0"]


@each("statement", [*ON_BOTH, *ON_SQLITE, *ON_POSTGRES])
def test_no_statement_changes_or_removes_evidence_or_audit(proven: World, database: str, statement: str) -> None:
    if statement in {"sqlite": ON_POSTGRES, "postgresql": ON_SQLITE}[database]:
        return
    before = stored("evidence"), stored("audit")
    assert all(before)
    with pytest.raises(DBAPIError, match=r"append-only|UNIQUE|duplicate key"):
        execute(statement)
    assert (stored("evidence"), stored("audit")) == before


KEEPS = [f"UPDATE {table} SET id = id + 1000" for table in ("registrations", "subscriptions")]  # noqa: S608
KEEPS += ["UPDATE registrations SET id = 7 - id, name = 'x'"]
KEEPS_ON_SQLITE = [f"{how} INTO {table} SELECT * FROM {table}" for table in ("registrations", "subscriptions")  # noqa: S608
                   for how in ("INSERT OR REPLACE", "REPLACE")]  # fmt: skip
KEEPS_ON_SQLITE += ["INSERT INTO registrations SELECT * FROM registrations WHERE true ON CONFLICT (id) DO NOTHING"]
KEEPS_ON_SQLITE += [f"UPDATE registrations SET {name} = {name} + 1000" for name in ("rowid", "oid", "_rowid_")]  # noqa: S608
KEEPS_ON_SQLITE += [f"PRAGMA defer_foreign_keys = ON; {one}; DELETE FROM evidence" for one in KEEPS]  # noqa: S608


@each("statement", [*KEEPS, *KEEPS_ON_SQLITE])
def test_no_row_that_evidence_is_about_is_replaced_or_gets_another_id(
    proven: World, database: str, statement: str
) -> None:
    if statement in KEEPS_ON_SQLITE and database == "postgresql":
        return
    tables = ("evidence", "registrations", "subscriptions")
    before = [*map(stored, tables)]
    with pytest.raises(DBAPIError, match="what evidence is about keeps its id"):
        execute(*statement.split("; "))
    assert [*map(stored, tables)] == before


@each("change", ["at = '2020-01-01 00:00:00+00'", "actor_kind = 'token'", "actor = 'x'", "act = 'x'", "count = 7",
                 "reason = 'another'", "reason = NULL", "about = NULL", "about = NULL, reason = NULL"])  # fmt: skip
def test_no_column_of_the_audit_changes_while_the_person_is_known(proven: World, change: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        execute(f"UPDATE audit SET {change}")  # noqa: S608


def test_the_part_of_a_person_ends_in_one_way_alone(proven: World) -> None:
    run(proven, "suppressions", "lift", ANNE, "--reason", "another letter")
    key, gone = proven.parts.links.key(parse(ANNE).folded), "UPDATE audit SET about = NULL, reason = NULL"
    execute("DELETE FROM registrations WHERE key = :key", "DELETE FROM addresses WHERE key = :key", key=key)
    for more in (", actor = 'x'", ", count = 1", ", details = '{}'"):
        with pytest.raises(DBAPIError, match="append-only"):
            execute(f"{gone}{more} WHERE about = :key", key=key)
    with pytest.raises(DBAPIError, match="append-only"):
        execute("UPDATE audit SET about = NULL WHERE about = :key", key=key)
    execute(f"{gone} WHERE about = :key", key=key)
    assert [(row.about is None, row.reason) for row in rows()] == [(True, None), (False, "a letter"), (True, None)]


@each("parent", ["registrations", "subscriptions"])
def test_evidence_goes_with_the_row_that_it_is_about(proven: World, parent: str) -> None:
    column = f"{parent[:-1]}_id"
    about = f"SELECT count(*) FROM evidence WHERE {column} IS NOT NULL"  # noqa: S608
    others = f"SELECT count(*) FROM evidence WHERE {column} IS NULL"  # noqa: S608

    def counted(question: str) -> int:
        with db.engine.connect() as connection:
            return int(connection.execute(sa.text(question)).scalar_one())

    before = counted(others)
    assert counted(about)
    free = "UPDATE registrations SET subscription_id = NULL"
    execute(free, f"DELETE FROM {parent}")  # noqa: S608
    assert (counted(about), counted(others)) == (0, before)


@ONE_DATABASE  # the other changes its tables where they are
def test_a_migration_that_makes_a_parent_anew_keeps_the_evidence_and_what_guards_it(proven: World) -> None:
    before = stored("evidence")
    with migrate.alone() as connection:
        operations = Operations(MigrationContext.configure(connection))
        for table in ("registrations", "subscriptions", "suppressions", "addresses"):
            with operations.batch_alter_table(table, recreate="always"):
                pass
    assert stored("evidence") == before
    with pytest.raises(DBAPIError, match="append-only"):
        execute("DELETE FROM evidence")
    proven.clock.forward(days=31)
    proven.run("purge")
    assert [one.address for one in proven.registrations()] == [BART]
    assert proven.sign_up(ANNE, NEWS).status_code == 202


def test_an_id_that_no_row_has_refuses_nobody(world: World) -> None:
    execute("INSERT INTO evidence (id, fact, at, channel, details) "
            "VALUES (-1, 'registered', '2020-01-01 00:00:00+00', 'api', '{}')")  # fmt: skip
    assert world.sign_up(ANNE).status_code == 202 and world.post(world.confirm_link()).status_code == 200
