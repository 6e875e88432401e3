"""What is wrong with something that was sent."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in English; a page says it in its own language."""

    field: str
    message: str
    values: Mapping[str, object] | None = None  # what stands in the message
    by_library: bool = False  # a sentence of email-validator, which is in no catalogue

    @property
    def text(self) -> str:
        return self.message % self.values if self.values else self.message
