"""A request as a plain value, whichever server brought it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Incoming:
    """`headers`: by their names in small letters; several of one name joined by commas, as RFC 9110 5.3 allows."""

    method: str
    scheme: str
    path: str
    query: str
    peer: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def host(self) -> str:
        return self.headers.get("host", "")
