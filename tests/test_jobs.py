"""The jobs among many processes: one runner for a slot, leases, retries, the guard of 400 days (O-08, O-09)."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from click.testing import Result

from subscriptions.actions import sweep
from subscriptions.jobs import lease
from subscriptions.jobs.jobs import NAMED, Job, Run
from subscriptions.store import jobs as store
from subscriptions.store.engine import Contention, reading, transaction
from subscriptions.store.models import Job as JobRow
from tests.builders import ANNE, World


def job(name: str = "purge") -> JobRow:
    with reading() as session:
        found = store.find(session, name)
        assert found is not None
        session.expunge_all()
        return found


def claim(now: datetime, slot: int | None = 1) -> int | None:
    with transaction() as session:
        return store.claim(session, "purge", now, slot)


def release(epoch: int | None, now: datetime, error: str | None = None) -> None:
    assert epoch is not None
    with transaction() as session:
        store.release(session, "purge", epoch, now, 0, error)


def renew(epoch: int | None, now: datetime) -> bool:
    assert epoch is not None
    with transaction() as session:
        return store.renew(session, "purge", epoch, now)


def doing(name: str, work: Callable[[Run], int]) -> Job:
    """The job of that name, with other work to do."""
    return replace(NAMED[name], work=work)


def count_of(n: int) -> Callable[[Run], int]:
    return lambda run: n


def fail(run: Run) -> int:
    raise RuntimeError("the disk was on fire at anne@example.org")


def test_of_two_processes_one_gets_the_slot(world: World) -> None:
    now = world.clock.now()
    assert claim(now) is not None
    assert claim(now) is None


def test_a_slot_that_is_done_is_not_run_again(world: World) -> None:
    now = world.clock.now()
    release(claim(now), now)
    assert claim(now) is None
    assert claim(now, slot=2) is not None


def test_a_run_by_the_clock_happens_once_in_its_hour_whoever_asks(world: World) -> None:
    runs = [lease.run(doing("purge", count_of(7)), world.parts) for _ in range(3)]
    world.clock.forward(hours=1)
    assert [*runs, lease.run(doing("purge", count_of(8)), world.parts)] == [7, None, None, 8]


def test_a_run_that_was_asked_for_needs_no_free_slot(world: World) -> None:
    runs = [lease.run(doing("purge", count_of(7)), world.parts, asked=True) for _ in range(2)]
    assert runs == [7, 7]


@pytest.mark.parametrize(("seconds", "taken"), [(59, False), (60, True)])
def test_the_job_of_a_dead_process_is_free_when_its_lease_ends(world: World, seconds: int, taken: bool) -> None:
    claim(world.clock.now(), None)
    world.clock.forward(seconds=seconds)
    assert (claim(world.clock.now(), None) is not None) is taken


def test_a_run_that_goes_on_keeps_its_lease(world: World) -> None:
    epoch = claim(world.clock.now(), None)
    for _ in range(5):
        assert renew(epoch, world.clock.forward(seconds=50))
    assert claim(world.clock.now(), None) is None


def test_a_long_run_keeps_its_lease_by_the_clock_and_not_by_its_beginning(world: World) -> None:
    def long(run: Run) -> int:
        for _ in range(3):
            world.clock.forward(seconds=50)
            assert run.alive()
        return 0 if claim(world.clock.now(), None) is None else 1

    assert lease.run(doing("purge", long), world.parts) == 0


def test_a_run_whose_lease_was_taken_hears_so_and_cannot_end_the_run_of_another(world: World) -> None:
    mine = claim(world.clock.now(), None)
    world.clock.forward(seconds=61)
    yours = claim(world.clock.now(), None)
    assert (renew(mine, world.clock.now()), renew(yours, world.clock.now())) == (False, True)
    release(mine, world.clock.now())
    assert job().epoch == yours
    assert claim(world.clock.now(), None) is None


def test_a_purge_whose_lease_was_taken_stops_after_its_batch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "BATCH", 2)
    for n in range(5):
        world.sign_up(f"person{n}@example.org")
    world.clock.forward(days=30)
    assert NAMED["purge"].work(Run(world.parts, world.clock.now(), lambda: False)) == 2
    assert len(world.registrations()) == 3


def test_a_failed_run_is_tried_again_in_its_slot_and_does_not_count_as_a_run(world: World) -> None:
    with pytest.raises(RuntimeError):
        lease.run(doing("purge", fail), world.parts)
    assert (job().ended_at, job().error, job().lease_until) == (None, "RuntimeError", None)
    assert lease.run(doing("purge", count_of(3)), world.parts) == 3
    assert (job().ended_at, job().error, job().count) == (world.clock.now(), None, 3)


def test_what_a_failed_run_leaves_behind_names_nobody(world: World) -> None:
    with pytest.raises(RuntimeError):
        lease.run(doing("purge", fail), world.parts)
    assert ANNE not in str(job().error)


def test_two_months_are_caught_up_without_a_word(world: World) -> None:
    lease.run(doing("purge", count_of(0)), world.parts)
    world.clock.forward(days=61)
    assert lease.run(doing("purge", count_of(4)), world.parts) == 4


@pytest.mark.parametrize(("days", "refused"), [(400, False), (401, True)])
def test_more_than_400_days_past_the_last_run_nothing_is_deleted(world: World, days: int, refused: bool) -> None:
    world.sign_up(ANNE)
    lease.run(doing("purge", count_of(0)), world.parts)
    world.clock.forward(days=days)
    if refused:
        with pytest.raises(lease.ClockJumped, match="401 days"):
            lease.run(NAMED["purge"], world.parts)
    else:
        lease.run(NAMED["purge"], world.parts)
    assert len(world.registrations()) == refused


def test_with_a_persons_word_the_purge_runs_after_400_days_and_then_by_itself(world: World) -> None:
    lease.run(doing("purge", count_of(0)), world.parts)
    world.clock.forward(days=4000)
    assert lease.run(doing("purge", count_of(5)), world.parts, asked=True, confirmed=True) == 5
    world.clock.forward(hours=1)
    assert lease.run(doing("purge", count_of(6)), world.parts) == 6


def test_the_refusal_stays_in_sight_and_is_repeated(world: World) -> None:
    lease.run(doing("purge", count_of(0)), world.parts)
    world.clock.forward(days=500)
    for _ in range(2):
        with pytest.raises(lease.ClockJumped):
            lease.run(doing("purge", count_of(1)), world.parts)
    assert "nothing was deleted" in str(job().error)
    assert world.get("/readyz", environ_base={"REMOTE_ADDR": "127.0.0.1"}).status_code == 503


def test_blocking_deletes_nothing_and_is_not_held_up_by_a_jump(world: World) -> None:
    lease.run(doing("block", count_of(0)), world.parts)
    world.clock.forward(days=500)
    assert lease.run(doing("block", count_of(1)), world.parts) == 1


def test_a_clock_that_went_back_holds_up_no_job(world: World) -> None:
    world.clock.forward(days=365)
    lease.run(doing("purge", count_of(0)), world.parts)
    claim(world.clock.now(), None)
    world.clock.forward(days=-365)
    assert lease.run(doing("purge", count_of(2)), world.parts) == 2
    assert job().ended_at == world.clock.now()


def test_a_small_step_back_runs_no_slot_twice(world: World) -> None:
    lease.run(doing("block", count_of(0)), world.parts)
    world.clock.forward(minutes=-5)
    assert lease.run(doing("block", count_of(1)), world.parts) is None


@pytest.mark.parametrize(("minutes", "status"), [(181, 200), (183, 503)])
def test_a_late_purge_turns_readyz_red(world: World, minutes: int, status: int) -> None:
    for name in NAMED:
        with transaction() as session:
            store.note(session, name, world.clock.now(), 0)
    world.clock.forward(minutes=minutes)
    for name in set(NAMED) - {"purge"}:
        with transaction() as session:
            store.note(session, name, world.clock.now(), 0)
    assert world.get("/readyz").status_code == status


def test_a_command_waits_for_a_run_in_progress(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    waits, really, results = threading.Event(), lease.run, list[Result]()

    def tell(*args: object, **more: object) -> int | None:
        try:
            return really(*args, **more)  # type: ignore[arg-type]
        except lease.Running:
            waits.set()
            raise

    monkeypatch.setattr(lease, "run", tell)
    epoch = claim(world.clock.now(), None)
    runner = world.app.test_cli_runner()
    command = threading.Thread(target=lambda: results.append(runner.invoke(args=["jobs", "run", "purge"])))
    command.start()
    assert waits.wait(30)
    assert results == []
    release(epoch, world.clock.now())
    command.join(30)
    assert [(one.exit_code, one.stdout) for one in results] == [(0, "0\n")]
    assert job().ended_at == world.clock.now()


def test_a_job_that_is_stopped_by_a_busy_database_does_not_say_that_nothing_was_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(run: Run) -> int:
        raise Contention("busy")

    monkeypatch.setitem(NAMED, "purge", doing("purge", busy))
    told = world.app.test_cli_runner().invoke(args=["jobs", "run", "purge"])
    assert told.exit_code == 1 and "What was done so far stays done" in told.stderr
