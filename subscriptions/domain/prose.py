"""Words of an operator's own: paragraphs between empty lines, and the links in them."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_LINK = re.compile(r"""(https?://[^\s<>"]*[^\s<>".,;:!?()\[\]{}'’»”])""")  # what ends a sentence ends no link
_BETWEEN = re.compile(r"\n\s*\n")


class Piece(NamedTuple):
    """Of a paragraph."""

    text: str
    is_link: bool


def paragraphs(text: str) -> list[list[Piece]]:
    """In their order, with nothing empty in them."""
    return [[*_pieces(one.strip())] for one in _BETWEEN.split(text) if one.strip()]


def links(text: str) -> list[str]:
    """Where it leads to."""
    return _LINK.findall(text)


def _pieces(paragraph: str) -> Iterator[Piece]:
    for number, text in enumerate(_LINK.split(paragraph)):
        if text:
            yield Piece(text, number % 2 == 1)
