"""Every row of the database, out of it as it was at one moment, and into another: for backups. It knows no table."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy import Connection

from subscriptions.store import sqlite
from subscriptions.store.engine import outside_transaction, translated
from subscriptions.store.models import db

# not in a backup: what lives for a day at most, and what would let somebody in again
LEFT_OUT = {
    "alembic_version": "the archive names the schema, and the restore makes it",
    "account_links": "they work once, for an hour",
    "counted_keys": "they count for an hour or a day",
    "desk_sessions": "everybody signs in again",
    "mailbox": "copies of the try-out mode, kept for a day",
    "traffic": "numbers of one day, by which floods are noticed",
    "used_once": "it works for an hour at most",
}
BATCH = 2000
SKIPPED = 1000  # numbers at least: those given between the backup and the restore are given to nobody else
Row = Sequence[Any]


class Table(NamedTuple):
    """`last`: the number that was given last, where the database gives them."""

    columns: list[str]
    rows: int
    last: int | None


@contextmanager
def snapshot(folder: Path) -> Iterator[Connection]:
    """The database as it is at this moment, while others go on. `folder`: for a copy, where SQLite needs one.

    With a rollback journal whoever reads keeps writers waiting: for as long as that copy takes, and no longer.
    """
    engine, how = db.engine, {"isolation_level": "REPEATABLE READ"}
    with translated(), TemporaryDirectory(dir=folder) as aside:
        if engine.dialect.name == "sqlite":
            module, copy, how = sqlite.sqlite_module(), f"{aside}/copy.db", {"sqlite_begin": "DEFERRED"}
            with outside_transaction() as source:
                if source.exec_driver_sql("PRAGMA journal_mode").scalar() != "wal":
                    with closing(module.connect(copy)) as file:
                        cast(Any, source.connection.driver_connection).backup(file)
                    engine = sa.create_engine(f"sqlite:///{copy}", module=module, poolclass=sa.NullPool)
        with engine.execution_options(**how).connect() as connection, connection.begin():
            yield connection


def tables(connection: Connection) -> dict[str, "sa.TableClause"]:
    """In an order in which a row comes after those that it refers to."""
    found = sa.inspect(connection)
    names = [name for name, _ in found.get_sorted_table_and_fkc_names() if name and name not in LEFT_OUT]
    return {name: sa.table(name, *(sa.column(one["name"], _type(one["type"])) for one in found.get_columns(name)))
            for name in names}  # fmt: skip


def _type(type_: Any) -> Any:
    return sa.JSON(none_as_null=True) if isinstance(type_, sa.JSON) else type_


def counted(connection: Connection, table: "sa.TableClause") -> Table:
    rows = connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
    return Table([column.name for column in table.columns], rows, _last(connection, table))


def _last(connection: Connection, table: "sa.TableClause") -> int | None:
    if "id" not in table.c or table.c.id.type.python_type is not int:
        return None
    given = connection.scalar(sa.select(sa.func.max(table.c.id))) or 0
    if connection.dialect.name == "sqlite":
        asked = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name").bindparams(name=table.name)
    else:
        asked = sa.text("SELECT last_value FROM pg_sequences WHERE format('%I.%I', schemaname, sequencename) = "
                        "pg_get_serial_sequence(:name, 'id')").bindparams(name=table.name)  # fmt: skip
    return max(given, connection.scalar(asked) or 0)


def rows(connection: Connection, table: "sa.TableClause") -> Iterator[Sequence[Row]]:
    """All of a table, in batches; what JSON cannot say is still as the database gives it: see `plain`."""
    found = connection.execute(sa.select(table), execution_options={"yield_per": BATCH})
    yield from found.partitions()


def plain(value: object) -> str:
    """What JSON cannot say, as text; times in UTC."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime) and value.tzinfo:
        value = value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)


_READ: dict[type, Any] = {bytes: bytes.fromhex, datetime: datetime.fromisoformat, date: date.fromisoformat}


def empty(connection: Connection) -> None:
    """Drop what the newest schema has, with what guards it; of a transaction that is alone."""
    names = ["alembic_version", *db.metadata.tables]
    if connection.dialect.name == "sqlite":
        for name in names:
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
        return
    guards = connection.scalars(sa.text(
        "SELECT DISTINCT tgfoid::regprocedure::text FROM pg_trigger WHERE NOT tgisinternal "
        "AND tgrelid::regclass::text = ANY(:names)"), {"names": names}).all()  # fmt: skip
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {', '.join(names)} CASCADE")
    for function in guards:
        connection.exec_driver_sql(f"DROP FUNCTION {function}")


def load(
    connection: Connection, table: "sa.TableClause", said: Table, batches: Iterable[Sequence[Row]]
) -> None:  # fmt: skip
    """Put rows into a table in place of those that migrations have made."""
    connection.execute(sa.delete(table))
    readers = [_READ.get(table.c[name].type.python_type, _same) for name in said.columns]
    for batch in batches:
        read = ([None if value is None else of(value) for of, value in zip(readers, row, strict=True)] for row in batch)
        connection.execute(sa.insert(table), [dict(zip(said.columns, row, strict=True)) for row in read])
    if said.last is not None:
        _skip_numbers(connection, table.name, said.last)


def _same(value: Any) -> Any:
    return value


def _skip_numbers(connection: Connection, name: str, last: int) -> None:
    """The next number is one that nothing has had since the backup, as far as can be known."""
    if connection.dialect.name == "sqlite":  # it has no row of what never had one, or gives no numbers
        connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": name})
        said = ("INSERT INTO sqlite_sequence (name, seq) SELECT name, :last FROM sqlite_master WHERE name = :name "
                "AND sql LIKE '%AUTOINCREMENT%'")  # fmt: skip
    else:
        said = "SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)"
    connection.execute(sa.text(said), {"last": last + max(SKIPPED, last // 10), "name": name})
