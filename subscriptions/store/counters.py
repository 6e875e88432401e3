"""How often what has happened, kept so that processes do not wait for each other."""

import os
from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from subscriptions.store.models import Counter

SHARDS = 64


def add(session: Session, counts: Mapping[str, int]) -> None:
    """Add to counters, each process to its own shard."""
    rows = sorted((name, os.getpid() % SHARDS, value) for name, value in counts.items() if value)
    run = session.connection().exec_driver_sql
    for row in rows:
        run(_POSTGRES if session.get_bind().dialect.name == "postgresql" else _SQLITE, row)


def totals(session: Session) -> dict[str, int]:
    return dict(session.execute(select(Counter.name, func.sum(Counter.value)).group_by(Counter.name)).tuples().all())


_SQLITE = """
INSERT INTO counters (name, shard, value) VALUES (?1, ?2, ?3)
ON CONFLICT (name, shard) DO UPDATE SET value = value + ?3
"""
_POSTGRES = """
INSERT INTO counters AS c (name, shard, value) VALUES (%s, %s, %s)
ON CONFLICT (name, shard) DO UPDATE SET value = c.value + excluded.value
"""
