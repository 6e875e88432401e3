"""Counters by list and day, filled once from the rows that there are; who is mailed numbers.

Deleted sign-ups left no row: from when on they are counted as well, the installation notes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import String

from subscriptions.store.migrations.columns import INT, JSON, TEXT, may, must, pk

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

WITHIN = (1, 2, 5, 10, 30, 60, 120, 240, 480, 720, 1080)  # minutes


def upgrade() -> None:
    before = sa.text("SELECT 0 AS list_id, '' AS day, name, shard, value FROM counters")
    known = op.get_bind().execute(before).mappings().all()
    op.drop_table("counters")
    counters = op.create_table(
        "counters",
        pk("list_id", INT), pk("day", String(10)), pk("name", String(40)), pk("shard", INT), must("value", INT),
    )  # fmt: skip
    op.bulk_insert(counters, [dict(row) for row in known])
    count()
    op.add_column("accounts", must("numbers", String(6), server_default="never"))
    op.add_column("accounts", may("locale", TEXT))
    op.add_column("accounts", may("told", JSON))


def count() -> None:
    for name, day, table, which in _counts():
        op.execute(
            "INSERT INTO counters (list_id, day, name, shard, value) "  # noqa: S608 ours
            f"SELECT list_id, {day}, '{name}', 0, count(*) FROM {table} WHERE {which} GROUP BY 1, 2"
        )
    # by whole minutes first: those are few, and of a million rows to ask eleven times each takes its time
    op.execute(
        "INSERT INTO counters (list_id, day, name, shard, value) "  # noqa: S608
        f"SELECT list_id, day, {_waited()}, 0, sum(number) FROM (SELECT list_id, {_day('registered_at')} AS day, "
        f"{_minutes()} AS minutes, count(*) AS number FROM subscriptions GROUP BY 1, 2, 3) AS waits GROUP BY 1, 2, 3"
    )
    op.execute(
        "INSERT INTO counters (list_id, day, name, shard, value) SELECT list_id, '', name, 0, sum(value) "
        "FROM counters WHERE name IN ('joined', 'gone') AND day <> '' GROUP BY 1, 2, 3"
    )
    if op.get_bind().scalar(sa.text("SELECT 1 FROM registrations LIMIT 1")):
        today = "to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD')" if _is_postgres() else "date('now')"
        op.execute(f"INSERT INTO meta (name, value) VALUES ('counted_since', {today})")  # noqa: S608


def _is_postgres() -> bool:
    return bool(op.get_bind().dialect.name == "postgresql")


def _counts() -> list[tuple[str, str, str, str]]:
    """Name, day, table, and which of its rows."""
    # who has confirmed was mailed; of the others, who are of the last month alone, the evidence tells
    mailed = "EXISTS (SELECT 1 FROM evidence e WHERE e.registration_id = registrations.id AND e.fact = 'mailed')"
    is_over, ended = "state <> 'confirmed'", "coalesce(ended_at, confirmed_at)"
    return [
        ("asked", _day("registered_at"), "registrations", "true"),
        ("mailed", _day("registered_at"), "registrations", f"state = 'confirmed' OR {mailed}"),
        ("left", _day("registered_at"), "subscriptions", is_over),
        ("joined", _day("confirmed_at"), "subscriptions", "true"),
        ("gone", _day(ended), "subscriptions", is_over),
    ]


def _day(time: str) -> str:
    """SQLite keeps times as text, in UTC."""
    return f"to_char({time} AT TIME ZONE 'UTC', 'YYYY-MM-DD')" if _is_postgres() else f"substr({time}, 1, 10)"


def _minutes() -> str:
    """How many whole minutes a confirmation took."""
    if _is_postgres():
        return "floor(extract(epoch FROM confirmed_at - registered_at) / 60)"
    # a thousandth: Julian days are floating-point numbers
    return "CAST((julianday(confirmed_at) - julianday(registered_at)) * 1440 + 0.001 AS INTEGER)"


def _waited() -> str:
    """The name of a confirmation, by how long it took."""
    steps = " ".join(f"WHEN minutes < {most} THEN 'confirmed.{n:02}'" for n, most in enumerate(WITHIN))
    return f"CASE {steps} ELSE 'confirmed.{len(WITHIN):02}' END"
