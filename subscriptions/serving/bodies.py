"""Bodies are awaited on the loop, within a time and a size, before any thread is taken for their request."""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from granian.rsgi import HTTPProtocol


class Refused(Exception):
    """A body that is not taken; `status`: 400 (cut off), 408 (too slow), 413 (too large)."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


async def read(protocol: "HTTPProtocol", length: str | None, chunked: bool, at_most: int, seconds: float) -> bytes:
    """The whole body. `length`: what Content-Length says; raises Refused."""
    if length is None and not chunked:
        return b""
    if length is not None and (not length.isdecimal() or int(length) > at_most):
        raise Refused(413 if length.isdecimal() else 400)
    if length == "0":
        return b""
    try:
        async with asyncio.timeout(seconds):
            return await (_whole(protocol) if length is not None else _chunks(protocol, at_most))
    except TimeoutError:
        raise Refused(408) from None


async def _whole(protocol: "HTTPProtocol") -> bytes:
    from granian.rsgi import ProtocolClosed

    try:
        return await protocol()
    except ProtocolClosed:
        raise Refused(400) from None


async def _chunks(protocol: "HTTPProtocol", at_most: int) -> bytes:
    """granian ends a good body with one empty chunk, and one that was cut off with two."""
    found, empty = bytearray(), 0
    async for chunk in protocol:
        found += chunk
        empty += not chunk
        if len(found) > at_most:
            raise Refused(413)
    if empty > 1:
        raise Refused(400)
    return bytes(found)
