"""Group commit: work that waits at this moment goes into one transaction, and nobody waits for more to come."""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from subscriptions import deadline
from subscriptions.clock import Clock
from subscriptions.store.engine import Unavailable

Item = TypeVar("Item")
Answer = TypeVar("Answer")


IDLE = 2.0  # seconds until a thread with nothing to do is over


class Waiting(Generic[Item, Answer]):
    """An item, and what became of it; `tell` is called once that is known."""

    __slots__ = ("answer", "error", "item", "over_at", "tell")

    def __init__(self, item: Item, over_at: float, tell: "Callable[[Waiting[Item, Answer]], None]") -> None:
        self.item, self.over_at, self.tell = item, over_at, tell
        self.answer: Answer | None = None
        self.error: Exception | None = Unavailable("no answer")  # until there is one, however a batch ends

    def result(self) -> Answer:
        """The answer; raises Unavailable, or what its own data caused."""
        if self.error is not None:
            raise self.error
        return self.answer  # type: ignore[return-value]


class GroupCommit(Generic[Item, Answer]):
    """One thread hands all that wait to `commit` at once; alone, an item is a batch of one.

    `commit` takes a list and gives one answer for each, after its transaction is committed. `around`: what the
    thread lives in. `told`: called after each batch, for those whom it answered together.
    """

    def __init__(
        self, commit: Callable[[Sequence[Item]], list[Answer]],
        around: Callable[[], AbstractContextManager[object]] = nullcontext, *,
        at_most: int = 64, waiting: int = 1024, patience: float = deadline.ACT,
    ) -> None:  # fmt: skip
        self._commit, self._around = commit, around
        self._at_most, self._room, self._patience = at_most, waiting, patience
        self.told: Callable[[], None] = lambda: None
        self.begin_anew()

    def begin_anew(self) -> None:
        """With nobody waiting: in a forked child, whose parent may have been in the middle."""
        self._queue: SimpleQueue[Waiting[Item, Answer]] = SimpleQueue()
        self._turn = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, item: Item) -> Answer:
        """The answer to one item, after its commit: a thread waits for it."""
        done = threading.Lock()
        done.acquire()
        waiting = self.hand_over(item, lambda _: done.release())
        patience = max(0.0, waiting.over_at - Clock.ticks()) + deadline.TO_ANSWER / 2
        if not done.acquire(timeout=patience):  # the commit minds the deadline itself
            raise Unavailable("no answer in time")
        return waiting.result()

    def hand_over(
        self, item: Item, tell: Callable[[Waiting[Item, Answer]], None], over_at: float | None = None
    ) -> Waiting[Item, Answer]:
        """Line up, without waiting; `tell` is called by the thread that commits. Raises Unavailable where many wait."""
        if self._queue.qsize() >= self._room:
            raise Unavailable("too many wait")
        waiting = Waiting(item, over_at or Clock.ticks() + deadline.left(self._patience), tell)
        self._queue.put(waiting)
        if self._thread is None:
            self._begin()
        return waiting

    def _begin(self) -> None:
        with self._turn:
            if self._thread is None:
                thread = threading.Thread(target=self._work, name="sign-ups", daemon=True)
                try:
                    thread.start()
                    self._thread = thread
                except RuntimeError:  # no room for another: who waits hears so now, and the next item tries again
                    self._tell([self._queue.get_nowait() for _ in range(self._queue.qsize())])

    def _tell(self, batch: list[Waiting[Item, Answer]]) -> None:
        for waiting in batch:
            waiting.tell(waiting)
        self.told()

    def _work(self) -> None:
        try:
            with self._around():
                while batch := self._next():
                    try:
                        with suppress(SystemExit):  # it ends nothing in a thread but the thread
                            self._run(batch)
                    finally:
                        self._tell(batch)
        finally:
            self._end()

    def _next(self) -> list[Waiting[Item, Answer]]:
        """What waits now, or comes first; nothing, and the thread is over, after a while without any."""
        batch: list[Waiting[Item, Answer]] = []
        try:
            batch.append(self._queue.get(timeout=IDLE))
            while len(batch) < self._at_most:
                batch.append(self._queue.get_nowait())
        except Empty:
            pass
        return batch

    def _end(self) -> None:
        """Whatever ended this thread: another begins for whoever has come at the last moment, or comes next."""
        with self._turn:
            self._thread = None
        if not self._queue.empty():
            self._begin()

    def _run(self, batch: list[Waiting[Item, Answer]]) -> None:
        """One transaction for all; where the data of one is at fault, one for each."""
        now = Clock.ticks()
        alive = [waiting for waiting in batch if waiting.over_at > now]  # who has given up is not signed up later
        if not alive:
            return
        try:
            with deadline.within(min(waiting.over_at for waiting in alive)):
                answers = self._commit([waiting.item for waiting in alive])
            for waiting, answer in zip(alive, answers, strict=True):
                waiting.answer, waiting.error = answer, None
        except Unavailable as error:
            _fail(alive, error)
        except Exception as error:
            if len(alive) == 1:
                _fail(alive, error)
                return
            for waiting in alive:
                self._run([waiting])


def _fail(batch: Sequence[Waiting[Item, Answer]], error: Exception) -> None:
    for waiting in batch:
        waiting.error = error
