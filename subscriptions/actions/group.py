"""Group commit: work that waits at this moment goes into one transaction, and nobody waits for more to come."""

import threading
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Generic, TypeVar

from subscriptions.store.engine import Unavailable

Item = TypeVar("Item")
Answer = TypeVar("Answer")

PATIENCE = 5.0  # seconds; nobody waits longer for an answer


class _Waiting(Generic[Item, Answer]):
    __slots__ = ("after", "answer", "gone", "item", "leads", "trouble", "turn")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.answer: Answer | None = None
        self.trouble: Exception | None = Unavailable("no answer")  # until there is one, however a batch ends
        self.leads = self.gone = False
        self.after: _Waiting[Item, Answer] | None = None  # whom to wake next
        self.turn = threading.Lock()
        self.turn.acquire()


class GroupCommit(Generic[Item, Answer]):
    """Hands all that wait to `commit` at once; the first to come leads, alone it is a batch of one.

    `commit` takes a list and gives one answer for each, after its transaction is committed.
    """

    def __init__(
        self, commit: Callable[[Sequence[Item]], list[Answer]], at_most: int = 64, patience: float = PATIENCE
    ) -> None:
        self._commit = commit
        self._at_most = at_most
        self._patience = patience
        self.begin_anew()

    def begin_anew(self) -> None:
        """With nobody waiting: in a forked child, whose parent may have been in the middle."""
        self._guard = threading.Lock()
        self._queue: list[_Waiting[Item, Answer]] = []
        self._led = False

    def submit(self, item: Item) -> Answer:
        """The answer to one, after its commit; raises Unavailable, or what its own data caused."""
        me: _Waiting[Item, Answer] = _Waiting(item)
        with self._guard:
            self._queue.append(me)
            me.leads, self._led = not self._led, True
        if me.leads or self._wait(me):
            self._lead()
        else:
            self._wake(me.after)
        if me.trouble is not None:
            raise me.trouble
        return me.answer  # type: ignore[return-value]

    def _wait(self, me: _Waiting[Item, Answer]) -> bool:
        """Wait for an answer, or for the lead: True."""
        if me.turn.acquire(timeout=self._patience):
            return me.leads
        with self._guard:
            if me.turn.acquire(blocking=False):  # the answer, or the lead, came at the last moment
                return me.leads
            me.gone = True
            if me in self._queue:
                self._queue.remove(me)
        raise Unavailable("no answer in time")

    def _lead(self) -> None:
        with self._guard:
            batch, self._queue = self._queue[: self._at_most], self._queue[self._at_most :]
        try:
            self._run(batch)
        finally:
            with self._guard:
                self._led = bool(self._queue)
                if self._led:
                    self._queue[0].leads = True
                    self._queue[0].turn.release()
            others = [one for one in batch if not one.leads]
            for one, after in pairwise(others):
                one.after = after
            self._wake(others[0] if others else None)

    def _wake(self, one: _Waiting[Item, Answer] | None) -> None:
        """One by one, each the next: all at once they would only fight for the interpreter (measured: 25 % slower)."""
        with self._guard:
            while one is not None and one.gone:
                one = one.after
            if one is not None:
                one.turn.release()

    def _run(self, batch: list[_Waiting[Item, Answer]]) -> None:
        """One transaction for all; where the data of one is at fault, one for each."""
        try:
            answers = self._commit([one.item for one in batch])
            for one, answer in zip(batch, answers, strict=True):
                one.answer, one.trouble = answer, None
        except Unavailable as trouble:
            _fail(batch, trouble)
        except Exception as trouble:
            if len(batch) == 1:
                _fail(batch, trouble)
                return
            for one in batch:
                self._run([one])


def _fail(batch: list[_Waiting[Item, Answer]], trouble: Exception) -> None:
    for one in batch:
        one.trouble = trouble
