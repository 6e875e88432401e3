"""An export while it runs: how times are written, chunks, and what it holds while its reader takes its time."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from subscriptions import clock
from subscriptions.export import stream
from subscriptions.store.engine import transaction
from subscriptions.store.models import List, Subscription, db
from tests.builders import ANNE, BART, CRIS, NEWS, World
from tests.test_export import lines


def the_list(world: World) -> List:
    row = world.parts.catalogue.by_slug(NEWS)
    assert row is not None
    return row


@pytest.mark.parametrize("kind", stream.FORMATS)
def test_an_export_holds_no_connection_while_a_chunk_is_taken(
    world: World, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "PAGE", 1)
    for address in (ANNE, BART):
        world.subscribe(address)
    chunks = stream.export(the_list(world), kind, world.parts.links, world.clock.now())
    held = [db.engine.pool.checkedout() for _ in chunks]  # type: ignore[attr-defined]
    assert held == ([0, 0, 0] if kind == "csv" else [0, 0])


def test_a_page_is_handed_over_in_chunks_that_together_are_the_page(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address in (ANNE, BART, CRIS):
        world.subscribe(address)
    monkeypatch.setattr(stream, "CHUNK", 2)
    heard: list[tuple[int, int]] = []
    row, now = the_list(world), world.clock.now()
    chunks = list(stream.export(row, "jsonl", world.parts.links, now, lambda *come: heard.append(come)))
    assert [chunk.count(b"\n") for chunk in chunks] == [number for number, _ in heard] == [2, 1]
    assert list(stream.export(row, "jsonl", world.parts.links, now, after=heard[0][1])) == chunks[1:]


@pytest.mark.parametrize("moment", ["2026-11-23 12:34:56.999999", "2027-01-01 00:00:00.000001", "1999-12-31 23:59:59"])
def test_an_export_writes_times_as_the_api_does(world: World, moment: str) -> None:
    world.subscribe(ANNE)
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    with transaction() as session:
        session.execute(sa.update(Subscription).values(registered_at=at, confirmed_at=at))
    [line] = lines(world)
    assert (line["registered_at"], line["confirmed_at"]) == (clock.text(at), clock.text(at))
    assert line["registered_at"] == f"{moment[:10]}T{moment[11:19]}Z"
