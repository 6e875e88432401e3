"""Reasons that people write for what they do about somebody: one short line, kept in the audit, naming nobody."""

import re
from collections.abc import Mapping

from subscriptions.domain.texts import filled, marked

LONGEST = 200  # characters
_ADDRESS = re.compile(r"\S@\S")


class BadReason(ValueError):
    """`sentence` is marked; `values` stand in it."""

    def __init__(self, sentence: str, values: Mapping[str, object] | None = None) -> None:
        super().__init__(filled(sentence, values or {}))
        self.sentence, self.values = sentence, values or {}


def one_line(text: str, at_most: int = LONGEST) -> str:
    """The text without spaces around it; raises BadReason."""
    text = text.strip()
    if not text:
        raise BadReason(marked("This cannot be empty."))
    if not text.isprintable():
        raise BadReason(marked("Please write a single line, without control characters."))
    if len(text) > at_most:
        values = {"num": len(text), "most": at_most}
        raise BadReason(marked("This has %(num)d characters: please use at most %(most)d."), values)
    if _ADDRESS.search(text):
        raise BadReason(marked("Please leave out email addresses: what you write here is kept in the audit."))
    return text
