"""Voluntary fields of a list: names, to address people by alone, and what operators ask besides (GDPR 5(1)(b))."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from subscriptions.domain.address import is_harmless
from subscriptions.domain.texts import marked

LONGEST = 100  # characters


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


def further(texts: Sequence[str]) -> tuple[str, ...]:
    """The keys of the fields besides the name, which has a column of its own."""
    return tuple(field.key for field in fields_of(*texts) if field.key != "name")


def addressed_as(name: str | None, fields: Mapping[str, str] | None) -> str | None:
    """By what a mail may greet: the first of the ways to address somebody that is there and harmless."""
    told = {**fields, "name": name or ""} if fields else {"name": name or ""}
    for keys in GREETED_BY:
        if all(told.get(key) for key in keys) and is_harmless(way := " ".join(told[key] for key in keys)):
            return way
    return None


def whole_name(name: str | None, fields: Mapping[str, str] | None) -> str | None:
    """The name, or given and family name where they were told instead."""
    told = fields or {}
    return name or " ".join(filter(None, (told.get("given_name"), told.get("family_name")))) or None
