"""Reasons that people write for what they do about somebody: one short line, kept in the audit, naming nobody."""

import re
from collections.abc import Mapping

from subscriptions.domain.texts import filled, marked

LONGEST = 200  # characters
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_NO_BREAK = str.maketrans("\u00a0\u202f", "  ")  # French sets them before its signs
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
    if not text.translate(_NO_BREAK).isprintable():
        raise BadReason(marked("Please write a single line, without control characters."))
    _check_length(text, at_most)
    if _ADDRESS.search(text):
        raise BadReason(marked("Please leave out email addresses: what you write here is kept in the audit."))
    return text


def lines(text: str, at_most: int) -> str:
    """The same of what may have several lines, and of anything; empty where nothing was written."""
    text = text.strip().replace("\r\n", "\n")
    _check_length(text, at_most)
    if _UNPRINTABLE.search(text):
        raise BadReason(marked("It contains a character that is not allowed."))
    return text


def _check_length(text: str, at_most: int) -> None:
    if len(text) > at_most:
        values = {"num": len(text), "most": at_most}
        raise BadReason(marked("This has %(num)d characters: please use at most %(most)d."), values)
