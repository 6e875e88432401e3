"""Voluntary fields of a list: names, to address people by alone, and what operators ask besides (GDPR 5(1)(b))."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from subscriptions.domain.address import is_harmless
from subscriptions.domain.texts import marked

LONGEST = 100  # characters
OWN = '"company: Company" or { key = "company", label = "Company", purpose = "…" }'  # as a configuration names one


@dataclass(frozen=True, slots=True)
class Field:
    """`label`, `hint` and `purpose` have translations; what an operator has written stands as it is."""

    key: str
    label: str
    autocomplete: str = "off"  # what browsers fill in by themselves (WCAG 1.3.5)
    hint: str = ""
    purpose: str = marked("We use it to greet you, and for nothing else.")
    is_own: bool = False


FIELDS = {
    field.key: field
    for field in (
        Field("name", marked("Name"), "name"),
        Field("given_name", marked("First name"), "given-name"),
        Field("family_name", marked("Last name"), "family-name"),
        Field("salutation", marked("Title"), "honorific-prefix", marked("Such as Ms, Mr or Dr.")),
    )
}
UNSAID = marked("It is stored with your subscription. Whoever runs this list can see and use it.")
GREETED_BY = (("salutation", "family_name"), ("given_name",), ("name",))  # the best way first; others greet nobody
GREETING_LETTERS, GREETING_WORDS = 40, 4  # at most: a longer name is a text that a stranger wants to have mailed


def field_of(text: str) -> Field:
    """A field as the configuration names it: `given_name`, or `company: Company or club` with its purpose below."""
    key, colon, said = text.partition(":")
    label, _, purpose = said.partition("\n")
    return Field(key, label.strip(), purpose=purpose or UNSAID, is_own=True) if colon else FIELDS[key]


def field_stored(key: str) -> Field:
    """One that was told, though no list asks for it any more."""
    return FIELDS.get(key) or Field(key, key, purpose=UNSAID, is_own=True)


@lru_cache
def fields_of(*texts: str) -> tuple[Field, ...]:
    return tuple(field_of(text) for text in texts)


def label_of(key: str, texts: Sequence[str], translate: Callable[[str], str]) -> str:
    """As the forms of a list with these fields have it; also of one that it has no more, and of the language."""
    if key == "locale":
        return translate(marked("Language"))
    field = next((one for one in fields_of(*texts) if one.key == key), None) or field_stored(key)
    return field.label if field.is_own else translate(field.label)


def further(texts: Sequence[str]) -> tuple[str, ...]:
    """The keys of the fields besides the name, which has a column of its own."""
    return tuple(field.key for field in fields_of(*texts) if field.key != "name")


def told_by(name: str | None, fields: Mapping[str, str] | None) -> dict[str, str]:
    """All that somebody told, by the keys of the fields."""
    return {**fields, "name": name or ""} if fields else {"name": name or ""}


def greeted_by(told: Mapping[str, str]) -> str:
    """The place of a name in a greeting, such as `%(salutation)s %(family_name)s`, or nothing.

    It is that of the first of the ways to address somebody that is there and harmless. A long name is cut at a word:
    `%(name).25s`. The place is what evidence keeps, and it says nothing of the name.
    """
    for keys in GREETED_BY:
        parts = [told.get(key, "") for key in keys]
        if all(parts) and is_harmless(way := " ".join(parts)):
            end = _greeting_end(way)
            if end == len(way):
                return " ".join(f"%({key})s" for key in keys)
            if end and len(keys) == 1:  # of a title and half a name nothing would be left
                return f"%({keys[0]}).{end}s"
    return ""


def _greeting_end(way: str) -> int:
    """How much of it is said."""
    if len(way) <= GREETING_LETTERS and way.count(" ") < GREETING_WORDS:
        return len(way)
    ends = [word.end() for word in re.finditer(r"\S+", way)][:GREETING_WORDS]
    return max((end for end in ends if end <= GREETING_LETTERS), default=0)


def whole_name(name: str | None, fields: Mapping[str, str] | None) -> str | None:
    """The name, or given and family name where they were told instead."""
    told = fields or {}
    return name or " ".join(filter(None, (told.get("given_name"), told.get("family_name")))) or None
