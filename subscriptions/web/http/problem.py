"""What is wrong with something that was sent."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in English; a page says it in its own language."""

    field: str
    message: str
    values: Mapping[str, object] | None = None  # what stands in the message
    code: str = ""  # for programs, where the same member may be wrong in several ways

    @property
    def text(self) -> str:
        return self.message % self.values if self.values else self.message
