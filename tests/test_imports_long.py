"""Imports that are killed, that meet another one, and that are long: nobody is in twice, and memory stays bounded."""

import json
import os
import signal
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result

from subscriptions.actions import imports as acts
from subscriptions.domain.imports import Stage, Way
from subscriptions.imports import work
from subscriptions.jobs import lease
from subscriptions.jobs.jobs import NAMED, Run
from subscriptions.store.audit import Act
from subscriptions.store.models import ActorKind, db
from tests.builders import ANNE, NEWS, World
from tests.imports import CONFIRMED, SIGNED_UP, brought, lines, listmonk, proved, the_import
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE
from tests.test_commands import good
from tests.test_commands import logging_as_it_was as logging_as_it_was

pytestmark = BY_DAY_ON_SQLITE


def begun(world: World, file: Path) -> None:
    """An import with evidence that nobody works on yet."""
    act = Act(world.clock.now(), ActorKind.COMMAND, "root", "import file")
    row = world.parts.catalogue.by_slug(NEWS)
    assert row is not None
    with file.open("rb") as octets:
        id_ = work.keep(world.parts, octets, file.name, row, act)
    acts.start(id_, Way.EVIDENCE, the_import().columns, "", 200, act)


def test_after_kill_9_in_the_middle_another_process_goes_on_and_nobody_is_in_twice(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "list.csv").write_text(listmonk(range(900)))
    begun(world, tmp_path / "list.csv")
    left = iter(range(2))

    def dies() -> bool:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return True

    db.engine.dispose()  # a child that ends must not say goodbye on a connection of its parent
    if (child := os.fork()) == 0:
        try:
            work.run(world.parts, dies, None)
        finally:
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert 0 < the_import().rows < 900 and the_import().rows == len(world.subscriptions())
    assert brought(world, tmp_path / "list.csv", "--with-evidence").exit_code == 0  # the same command goes on
    assert (the_import().stage, the_import().counts) == (Stage.DONE, {"+": 900})
    assert len({row.key for row in world.subscriptions()}) == 900


def test_while_one_import_runs_a_second_one_waits_and_then_comes_in(world: World, tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text(lines([proved(ANNE)]))
    told: list[Result] = []

    def meanwhile(_: Run) -> int:
        told.append(brought(world, tmp_path / "one.csv", "--with-evidence"))
        return 0

    good(world, "jobs", "show")
    lease.run(replace(NAMED["imports"], work=meanwhile), world.parts, asked=True)
    assert told[0].exit_code == 0 and "Another import is at work" in told[0].stderr and world.subscriptions() == []
    world.run("imports")
    assert [row.address for row in world.subscriptions()] == [ANNE]


@ONE_DATABASE
@pytest.mark.drill
@pytest.mark.timeout(900)
def test_100_000_people_of_a_stranger_come_in_with_evidence_and_go_out_equal_in_bounded_memory(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "list.csv").write_text(listmonk(range(100_000)))
    tracemalloc.start()
    assert brought(world, tmp_path / "list.csv", "--with-evidence").exit_code == 0
    assert tracemalloc.get_traced_memory()[1] < 40 * 2**20
    tracemalloc.stop()
    found = [json.loads(line) for line in good(world, "export", NEWS, "--format", "jsonl").splitlines()]
    same = {"locale": "de", "registered_at": SIGNED_UP, "confirmed_at": CONFIRMED}
    expected = [(f"p{n}@example.org", f"Person {n}") for n in range(100_000)]
    assert [(one["email"], one["name"]) for one in found] == expected
    assert all(one.items() >= same.items() for one in found)
