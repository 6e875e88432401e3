"""Group commit: what waits goes together, nobody waits for more, and the fault of one is the fault of one."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sqlalchemy.exc import IntegrityError

from subscriptions.actions import group as group_commit
from subscriptions.actions.group import GroupCommit
from subscriptions.store.engine import Contention, Unavailable, repeated
from tests.support.server import until

Batches = list[list[int]]


class Gate:
    """A commit that waits until it is let through, and notes its batches."""

    def __init__(self, commit: Callable[[int], int] = lambda ask: ask * 10) -> None:
        self.batches: Batches = []
        self.entered, self.open = threading.Semaphore(0), threading.Semaphore(0)
        self._commit = commit

    def __call__(self, asks: Sequence[int]) -> list[int]:
        self.batches.append(sorted(asks))
        self.entered.release()
        assert self.open.acquire(timeout=10)
        return [self._commit(ask) for ask in asks]

    def let_through(self, times: int = 100) -> None:
        self.open.release(times)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(64) as pool:
        yield pool


def waiting(group: GroupCommit[int, int], count: int) -> None:
    """Returns once so many wait behind the batch under way."""
    until(lambda: group._queue.qsize() == count)


def first_in(group: GroupCommit[int, int], gate: Gate, pool: ThreadPoolExecutor) -> "Future[int]":
    """Ask 0 is alone in a batch that stands at the gate."""
    leader = pool.submit(group.submit, 0)
    assert gate.entered.acquire(timeout=10)
    return leader


def fail(trouble: Exception) -> Callable[[Sequence[int]], list[int]]:
    def commit(asks: Sequence[int]) -> list[int]:
        raise trouble

    return commit


def test_alone_a_sign_up_is_a_batch_of_one() -> None:
    gate = Gate()
    gate.let_through()
    group = GroupCommit[int, int](gate)
    assert [group.submit(1), group.submit(2)] == [10, 20]
    assert gate.batches == [[1], [2]]


def test_what_waits_goes_into_one_batch_and_each_gets_its_own_answer(pool: ThreadPoolExecutor) -> None:
    gate = Gate()
    group = GroupCommit[int, int](gate)
    leader = first_in(group, gate, pool)
    others = [pool.submit(group.submit, ask) for ask in range(1, 9)]
    waiting(group, 8)
    gate.let_through()
    assert [one.result(10) for one in [leader, *others]] == [ask * 10 for ask in range(9)]
    assert gate.batches == [[0], list(range(1, 9))]


def test_a_batch_holds_no_more_than_it_may_and_the_rest_follow(pool: ThreadPoolExecutor) -> None:
    gate = Gate()
    group = GroupCommit[int, int](gate, at_most=3)
    first_in(group, gate, pool)
    others = [pool.submit(group.submit, ask) for ask in range(1, 8)]
    waiting(group, 7)
    gate.let_through()
    assert sorted(one.result(10) for one in others) == [ask * 10 for ask in range(1, 8)]
    assert [len(batch) for batch in gate.batches] == [1, 3, 3, 1]


def test_one_batch_runs_at_a_time(pool: ThreadPoolExecutor) -> None:
    running, most = threading.Lock(), []

    def commit(asks: Sequence[int]) -> list[int]:
        most.append(running.acquire(blocking=False))
        running.release()
        return list(asks)

    group = GroupCommit[int, int](commit, at_most=4)
    assert sorted(pool.map(group.submit, range(500))) == list(range(500))
    assert all(most)


def test_the_leader_is_not_kept_by_those_who_come_after(pool: ThreadPoolExecutor) -> None:
    gate = Gate()
    group = GroupCommit[int, int](gate)
    leader = first_in(group, gate, pool)
    follower = pool.submit(group.submit, 1)
    waiting(group, 1)
    gate.let_through(1)
    assert leader.result(10) == 0
    assert not follower.done()
    gate.let_through()
    assert follower.result(10) == 10


def test_an_ask_whose_data_is_at_fault_does_not_fail_the_others(pool: ThreadPoolExecutor) -> None:
    gate = Gate(lambda ask: 1 // (ask - 3))
    group = GroupCommit[int, int](gate)
    first_in(group, gate, pool)
    others = [pool.submit(group.submit, ask) for ask in range(1, 6)]
    waiting(group, 5)
    gate.let_through()
    troubles = [one.exception(10) for one in others]
    assert [type(trouble) for trouble in troubles] == [type(None)] * 2 + [ZeroDivisionError] + [type(None)] * 2
    assert sorted(gate.batches[2:]) == [[1], [2], [3], [4], [5]]


def test_without_a_database_everyone_is_told_at_once_and_nobody_tries_alone(pool: ThreadPoolExecutor) -> None:
    gate = Gate()
    group = GroupCommit[int, int](gate)
    first_in(group, gate, pool)
    others = [pool.submit(group.submit, ask) for ask in range(1, 6)]
    waiting(group, 5)
    group._commit = fail(Unavailable("no room on the disk"))
    gate.let_through()
    assert {type(one.exception(10)) for one in others} == {Unavailable}
    assert len(gate.batches) == 1


@pytest.mark.parametrize("trouble", [Unavailable("gone"), IntegrityError("", None, ValueError()), SystemExit()])
def test_after_a_failed_batch_the_next_one_runs(trouble: BaseException) -> None:
    group = GroupCommit[int, int](fail(trouble))  # type: ignore[arg-type]
    with pytest.raises(type(trouble) if isinstance(trouble, Exception) else Unavailable):
        group.submit(1)
    group._commit = list
    assert group.submit(2) == 2


def test_a_batch_that_ends_without_answers_has_accepted_nobody(pool: ThreadPoolExecutor) -> None:
    gate = Gate(lambda ask: (_ for _ in ()).throw(SystemExit()))
    group = GroupCommit[int, int](gate)
    first_in(group, gate, pool)
    others = [pool.submit(group.submit, ask) for ask in range(1, 4)]
    waiting(group, 3)
    gate.let_through()
    assert {type(one.exception(10)) for one in others} == {Unavailable}


def test_nobody_waits_longer_than_the_patience_for_a_batch_that_never_ends(pool: ThreadPoolExecutor) -> None:
    gate = Gate()
    group = GroupCommit[int, int](gate, patience=0.05)
    leader = first_in(group, gate, pool)
    others = [pool.submit(group.submit, ask) for ask in range(1, 4)]
    assert {type(one.exception(10)) for one in (leader, *others)} == {Unavailable}
    gate.let_through()
    until(group._queue.empty)
    assert gate.batches == [[0]]


def test_who_has_given_up_is_not_signed_up_later(pool: ThreadPoolExecutor) -> None:
    gate = Gate()
    group = GroupCommit[int, int](gate, patience=0.05)
    first_in(group, gate, pool)
    assert isinstance(pool.submit(group.submit, 1).exception(10), Unavailable)
    gate.let_through()
    until(group._queue.empty)
    assert group.submit(2) == 20
    assert gate.batches == [[0], [2]]


def test_where_too_many_wait_the_next_is_refused_at_once(pool: ThreadPoolExecutor) -> None:
    gate = Gate()
    group = GroupCommit[int, int](gate, waiting=3)
    first_in(group, gate, pool)
    others = [pool.submit(group.submit, ask) for ask in range(1, 4)]
    waiting(group, 3)
    with pytest.raises(Unavailable, match="too many"):
        group.submit(4)
    gate.let_through()
    assert [one.result(10) for one in others] == [10, 20, 30]


def test_the_thread_ends_when_nothing_comes_and_the_next_item_begins_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "IDLE", 0.01)
    group = GroupCommit[int, int](list)
    for item in (1, 2):
        assert group.submit(item) == item
        until(lambda: group._thread is None)


def test_where_no_thread_can_be_started_who_waits_is_told_and_the_next_item_tries_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batches: Batches = []

    def commit(asks: Sequence[int]) -> list[int]:
        batches.append(list(asks))
        return list(asks)

    group = GroupCommit[int, int](commit)
    with monkeypatch.context() as patched, pytest.raises(Unavailable, match=r"^no answer$"):
        patched.setattr(threading.Thread, "start", refuse)
        group.submit(1)
    assert group.submit(2) == 2
    assert batches == [[2]]


def refuse(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_what_was_in_the_way_is_tried_once_more_whole() -> None:
    tries: Batches = []

    @repeated
    def commit(asks: Sequence[int]) -> list[int]:
        tries.append(list(asks))
        if len(tries) == 1:
            raise Contention("40P01")
        return list(asks)

    assert GroupCommit[int, int](commit).submit(7) == 7
    assert tries == [[7], [7]]


def test_what_is_in_the_way_twice_is_told_as_unavailable() -> None:
    group = GroupCommit[int, int](repeated(fail(Contention("busy"))))
    with pytest.raises(Unavailable):
        group.submit(1)
