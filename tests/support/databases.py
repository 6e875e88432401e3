"""One database for each worker and kind: every test finds it as if it had just been made."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import psycopg
import sqlalchemy as sa
from psycopg import sql

from tests.support.postgres import Databases

TRUNCATED_EVERY = 50  # what is only deleted stays in the files, and each search passes over it


class Database(Protocol):
    """A database that many tests use, one after the other."""

    def fresh(self) -> str:
        """Its URL, with the schema, the rows of a first start, and nothing else in it."""

    def close(self) -> None: ...


class SqliteDatabase:
    """A file, copied from the template: as cheap as to delete rows, and nothing can be left in it or beside it."""

    def __init__(self, template: Path, file: Path) -> None:
        self._template, self._file = template, file

    def fresh(self) -> str:
        for old in self._file.parent.glob(f"{self._file.name}*"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        shutil.copyfile(self._template, self._file)
        return f"sqlite:///{self._file}"

    def close(self) -> None:
        """Nothing is open between two tests."""


class PostgresDatabase:
    """Its rows are deleted and those of the template put back; where a test has changed more, it is made anew."""

    def __init__(self, server: Databases, template: str, name: str) -> None:
        self._server, self._template, self._name = server, template, name
        self._connection: psycopg.Connection | None = None
        self._cleared = 0
        self._deletes, self._truncates = _statements(server.url(template))

    def fresh(self) -> str:
        try:
            self._clear()
        except psycopg.Error:
            self._make()
        return self._server.url(self._name)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _clear(self) -> None:
        if self._connection is None:
            raise psycopg.OperationalError("not made yet")
        self._cleared += 1
        self._connection.execute(self._deletes if self._cleared % TRUNCATED_EVERY else self._truncates)

    def _make(self) -> None:
        self.close()
        self._server.drop_database(self._name)
        url = self._server.create_database(self._name, self._template)
        self._connection = psycopg.connect(_plain(url), autocommit=True)
        self._connection.execute("SET session_replication_role = replica")  # no trigger, no foreign key is asked
        self._connection.execute("SET lock_timeout = '3s'")


# A backend that is in the middle of something belongs to a process that the last test has killed.
ALONE = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle';
"""
# Columns as they were made, in one number: a test that has changed the schema leaves another.
SHAPE = """
SELECT coalesce(sum(hashtext(c.relname || a.attname || a.atttypid || a.attnotnull)::bigint), 0)
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i', 'S') AND a.attnum > 0
"""


def _statements(template: str) -> tuple[sql.Composed, sql.Composed]:
    """What clears a database like the template: by deleting, and by emptying the files as well."""
    with psycopg.connect(_plain(template), autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
        tables = [sql.Identifier(name) for (name,) in found]
        put_back = [*_same_shape(connection), *_rows(connection, tables), *_sequences(connection)]
    begin = [sql.SQL(ALONE), sql.SQL("BEGIN;")]
    deletes = [sql.SQL("DELETE FROM {};").format(table) for table in tables]
    truncates = [sql.SQL("TRUNCATE {};").format(sql.SQL(", ").join(tables))]
    end = [*put_back, sql.SQL("COMMIT;")]
    return sql.Composed([*begin, *deletes, *end]), sql.Composed([*begin, *truncates, *end])


def _same_shape(connection: psycopg.Connection) -> list[sql.Composable]:
    (shape,) = connection.execute(SHAPE).fetchone() or (0,)
    check = "DO $$ BEGIN IF ({}) <> {} THEN RAISE 'another schema'; END IF; END $$;"
    return [sql.SQL(check).format(sql.SQL(SHAPE), sql.Literal(int(shape)))]


def _rows(connection: psycopg.Connection, tables: list[sql.Identifier]) -> list[sql.Composable]:
    """Every row of the template, as the database itself writes it."""
    put = sql.SQL("INSERT INTO {0} OVERRIDING SYSTEM VALUE SELECT ({1}::{0}).*;")
    made: list[sql.Composable] = []
    for table in tables:
        rows = connection.execute(sql.SQL("SELECT t::text FROM {} AS t").format(table)).fetchall()
        made += [put.format(table, sql.Literal(row)) for (row,) in rows]
    return made


def _sequences(connection: psycopg.Connection) -> list[sql.Composable]:
    """Ids begin where those of a new database do."""
    found = connection.execute("SELECT sequencename, coalesce(last_value, start_value), last_value IS NOT NULL "
                               "FROM pg_sequences WHERE schemaname = 'public'").fetchall()  # fmt: skip
    put = sql.SQL("SELECT setval({}, {}, {});")
    return [put.format(*map(sql.Literal, (name, last, is_called))) for name, last, is_called in found]


def _plain(url: str) -> str:
    return sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


class Kept:
    """The databases of one worker, each made at its first use."""

    def __init__(self, folder: Path, migrate: Callable[[str, Path], None]) -> None:
        self._folder, self._migrate = folder, migrate
        self._made: dict[str, Database] = {}

    def sqlite(self, file: Path) -> str:
        if "sqlite" not in self._made:
            template = self._folder / "template.db"
            self._migrate(f"sqlite:///{template}", self._folder)
            self._made["sqlite"] = SqliteDatabase(template, file)
        return self._made["sqlite"].fresh()

    def postgresql(self, server: Databases) -> str:
        if "postgresql" not in self._made:
            template, name = (f"{kind}_{abs(hash(str(self._folder))):x}" for kind in ("template", "tests"))
            server.drop_database(template)
            self._migrate(server.create_database(template), self._folder)
            self._made["postgresql"] = PostgresDatabase(server, template, name)
        return self._made["postgresql"].fresh()

    def close(self) -> None:
        for one in self._made.values():
            one.close()
