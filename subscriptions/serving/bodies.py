"""Bodies are awaited on the loop, within a time and a size, before any thread is taken for their request."""

import asyncio
from collections.abc import Mapping

from granian.rsgi import HTTPProtocol, ProtocolClosed  # type: ignore[attr-defined]

GAVE_WAY = 503  # to others


class Refused(Exception):
    """What is not taken; `status`: 400 (cut off, in doubt), 408 (too slow), 413 (too large), 501 (coded), GAVE_WAY."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Bodies:
    """Those that are being awaited, the one that began first foremost."""

    def __init__(self) -> None:
        self._awaited: dict[asyncio.Timeout, None] = {}

    def make_room(self) -> bool:
        """Give up the one that has been awaited longest; False where none is awaited."""
        for timeout in self._awaited:
            del self._awaited[timeout]
            if not timeout.expired():
                timeout.reschedule(0)
            return True
        return False

    async def read(self, protocol: HTTPProtocol, headers: Mapping[str, str], at_most: int, seconds: float) -> bytes:
        """The whole body; raises Refused."""
        coding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if coding is None and length is None:
            return b""
        if coding is not None and coding.strip().lower() != "chunked":
            raise Refused(501)  # RFC 9112 6.1
        if coding is None and int(length or 0) > at_most:
            raise Refused(413)
        try:
            async with asyncio.timeout(seconds) as timeout:
                self._awaited[timeout] = None
                # where both are said, the chunks count (RFC 9112 6.3)
                body: bytes = await (protocol() if coding is None else _chunks(protocol, at_most))
                return body
        except ProtocolClosed:
            raise Refused(400) from None
        except TimeoutError:
            raise Refused(408 if timeout in self._awaited else GAVE_WAY) from None
        finally:
            self._awaited.pop(timeout, None)


async def _chunks(protocol: HTTPProtocol, at_most: int) -> bytes:
    """granian ends a good body with one empty piece, and one that was cut off, or has trailers, with two."""
    found, empty = bytearray(), 0
    async for piece in protocol:
        found += piece
        empty += not piece
        if len(found) > at_most:
            raise Refused(413)
    if empty > 1:
        raise Refused(400)
    return bytes(found)
