"""Texts for people that stand in the rules: in English here, translated where they are shown."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Self

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


def marked(text: str) -> str:
    """The text itself, marked for the catalogues."""
    return text


_ENDS = re.compile(r"%\((\w+)\)s\.(?!\.)")
_CLOSED = re.compile(r"(</\w+>)+$")


def filled(text: str, values: Mapping[str, object]) -> str:
    """The text with its values; a name that ends in a dot ("Taller Ejemplo S.L.") ends a sentence with its own.

    Also HTML (Markup), whose values may stand in elements.
    """

    def end(found: re.Match[str]) -> str:
        has_dot = _CLOSED.sub("", str(values.get(found[1], ""))).endswith(".")
        return found[0].removesuffix(".") if has_dot else found[0]

    return type(text)(_ENDS.sub(end, text)) % values


class Sentence(str):
    """English, as terminals and monitors have it, which a page tells in its own language."""

    text: str
    values: Mapping[str, object]

    def __new__(cls, text: str, **values: object) -> Self:
        """`text`: marked; a value may be such a sentence itself."""
        made = super().__new__(cls, filled(text, values))
        made.text, made.values = text, values
        return made

    def told(self, translate: Callable[[str], str]) -> str:
        values = {name: value.told(translate) if isinstance(value, Sentence) else value
                  for name, value in self.values.items()}  # fmt: skip
        return filled(translate(self.text), values)


@lru_cache(1024)
def language_tag(text: str) -> str | None:
    """A language tag as BCP 47 writes it, of any spelling: de_AT.UTF-8 and DE-at are de-AT; None: it is no tag."""
    tag = re.split("[.@]", text.strip(), maxsplit=1)[0].replace("_", "-")
    if not _TAG.fullmatch(tag):
        return None
    first, *rest = tag.lower().split("-")
    return "-".join([first, *(part.upper() if len(part) == 2 else part.title() if len(part) == 4 and part.isalpha()
                              else part for part in rest)])  # fmt: skip
