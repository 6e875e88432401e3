"""What is said of somebody as values: a marked text and what stands in it, so that each reader has it in theirs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from subscriptions.domain.policy import Rate
from subscriptions.domain.texts import filled


class OfList(NamedTuple):
    """A list, to stand in a sentence by its name."""

    id: int


class Rates(NamedTuple):
    """A budget, to stand in a sentence."""

    rates: tuple[Rate, ...]


class FieldNames(NamedTuple):
    """Fields by their keys, to stand in a sentence by their labels."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """`values`: words as they were kept, times, lists, rates, or something said that is part of the sentence.

    `proof`: names of those that are proof, which a page shows beside the sentence instead of in it.
    """

    text: str
    values: Mapping[str, object] = field(default_factory=dict)
    proof: frozenset[str] = frozenset()

    @property
    def bare(self) -> "Said":
        """Without the proof."""
        return Said(self.text, {name: "" if name in self.proof else value for name, value in self.values.items()})


def say(said: Said, translate: Callable[[str], str], word: Callable[[object], object]) -> str:
    """The sentence in one language; `word` writes what is no text of ours. HTML where `translate` gives Markup."""
    values = {name: say(value, translate, word) if isinstance(value, Said) else word(value)
              for name, value in said.values.items()}  # fmt: skip
    return filled(translate(said.text), values)
