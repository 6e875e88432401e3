"""The quick door: plain sign-ups are taken on the event loop, and awaited there.

Everything else, and everything that it is not sure of, goes to Flask before any effect. What the batch itself
refuses goes there too, with the refusal: Flask writes that answer, and never runs the act again.
"""

import asyncio
from dataclasses import replace

from subscriptions import deadline
from subscriptions.actions.gate import Refusal
from subscriptions.actions.group import Waiting
from subscriptions.actions.subscribe import SignUp
from subscriptions.clock import Clock
from subscriptions.parts import Parts
from subscriptions.store.engine import Unavailable
from subscriptions.web.http import headers
from subscriptions.web.http.incoming import Incoming
from subscriptions.web.intake import plain, submit

Handed = Waiting[SignUp, Refusal | None]
Answer = tuple[int, list[tuple[str, str]], bytes]
GRACE = deadline.TO_ANSWER / 2  # for the batch to say itself that it is too late


class QuickDoor:
    """For one event loop, which wakes all whom a batch has answered at once."""

    def __init__(self, parts: Parts, loop: asyncio.AbstractEventLoop) -> None:
        self._parts, self._loop = parts, loop
        self._hosts = headers.hosts_of(parts.settings)
        self._usual = [(name.lower(), value) for name, value in headers.usual(parts.settings)]
        self._answered: list[tuple[asyncio.Future[Handed], Handed]] = []
        parts.sign_ups.told = self._wake

    async def take(self, incoming: Incoming, over_at: float) -> Answer | Incoming:
        """The answer, or the request as Flask is to have it; at `over_at` nothing is committed any more."""
        try:
            found = plain.read(incoming, self._parts) if headers.is_ours(incoming, self._hosts) else None
        except Exception:  # it has no effect: the same happens to Flask, which says so
            found = None
        if found is None:
            return incoming
        try:
            refused = await self._commit(found.sign_up, over_at)
        except Exception as error:
            return replace(incoming, outcome=error)
        submit.note(found.sign_up, refused, self._parts)
        return replace(incoming, outcome=refused) if refused else self._answer(found, incoming)

    async def _commit(self, sign_up: SignUp, over_at: float) -> Refusal | None:
        future: asyncio.Future[Handed] = self._loop.create_future()
        self._parts.sign_ups.hand_over(sign_up, lambda handed: self._answered.append((future, handed)), over_at)
        try:
            async with asyncio.timeout(over_at - Clock.ticks() + GRACE):
                return (await future).result()
        except TimeoutError:
            raise Unavailable("no answer in time") from None

    def _wake(self) -> None:
        answered, self._answered = self._answered, []
        if answered:
            self._loop.call_soon_threadsafe(_tell, answered)

    def _answer(self, found: plain.Plain, incoming: Incoming) -> Answer:
        own = {name for name, _ in found.headers}
        usual = [(name, value) for name, value in self._usual if name not in own]
        mine = (("x-request-id", headers.request_id(incoming)), ("x-robots-tag", "noindex"))
        return found.status, [*found.headers, *usual, *mine], found.body


def _tell(answered: list[tuple[asyncio.Future[Handed], Handed]]) -> None:
    for future, handed in answered:
        if not future.done():  # the visitor may have gone
            future.set_result(handed)
