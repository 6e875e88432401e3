"""A million rows: sealed in blocks, verified page by page, a tenth purged; `pytest -m drill -s` prints the time."""

import time
from collections.abc import Callable
from typing import TypeVar

import pytest
import sqlalchemy as sa

from subscriptions.store import chain
from subscriptions.store.models import db
from subscriptions.witness import walk
from tests.builders import World

T = TypeVar("T")
ROWS = 1_000_000
NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most) ",
    "postgresql": "WITH n(i) AS (SELECT generate_series(1, :most)) ",
}
OCTETS = {"sqlite": "randomblob(16)", "postgresql": "decode(md5(CAST(i AS text)), 'hex')"}
PEOPLE = """
INSERT INTO registrations (id, ref, list_id, key, state, locale, registered_at, confirm_by, purge_at, vouched)
{numbers} SELECT i, {octets}, 1, {octets}, 'blocked', 'en', {at}, {at}, CASE WHEN i % 10 = 0 THEN {at} ELSE {late} END,
  true FROM n"""
EVENTS = """INSERT INTO evidence (registration_id, fact, at, channel, ip, ip_source, details)
{numbers} SELECT i, 'registered', {at}, 'form', '203.0.113.7', 'peer',
'{{"wording"\\: null, "wording_sha256"\\: null, "vouched"\\: true, "locale"\\: "en"}}' FROM n"""


@pytest.mark.drill
@pytest.mark.timeout(900)
def test_a_million_rows_are_sealed_verified_and_a_tenth_of_them_purged(world: World, database: str) -> None:
    kind = {"sqlite": "text", "postgresql": "timestamptz"}[database]
    at, late = (f"CAST('{year}-11-23 11\\:00\\:00.000000' AS {kind})" for year in (2026, 2099))
    words = {"numbers": NUMBERS[database], "octets": OCTETS[database], "at": at, "late": late}
    with db.engine.begin() as connection:
        for table in (PEOPLE, EVENTS):
            connection.execute(sa.text(table.format(**words)), {"most": ROWS})
        if database == "postgresql":
            connection.exec_driver_sql("ANALYZE")
    assert timed("sealed", lambda: world.run("seal")) == ROWS
    assert timed("verified", lambda: wrong(world)) is None
    assert timed("purged", lambda: world.run("purge")) == ROWS // 10
    world.run("seal")
    assert wrong(world) is None


def wrong(world: World) -> str | None:
    url = db.engine.url.render_as_string(hide_password=False)
    with chain.looked_at(url, is_copy=False) as session:
        return walk.verify(session, world.parts.seal_key.public, world.parts.links.key).wrong


def timed(said: str, work: Callable[[], T]) -> T:
    began = time.process_time()
    found = work()
    print(f"{said}: {time.process_time() - began:.1f} s of processor time")
    return found
