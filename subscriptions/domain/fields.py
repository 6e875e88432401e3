"""Voluntary fields of a list: what people may tell to be addressed by, and that is all it is used for (F-12)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from subscriptions.domain.address import is_harmless

LONGEST = 100  # characters
AUTOCOMPLETE = {  # what browsers fill in by themselves (WCAG 1.3.5)
    "name": "name", "given_name": "given-name", "family_name": "family-name", "salutation": "honorific-prefix",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """`label`: of one of the operator's own; the known ones have theirs in every language."""

    key: str
    label: str | None
    autocomplete: str


def field_of(text: str) -> Field:
    """A field as the configuration names it: `given_name`, or `company: Company or club`."""
    key, colon, label = text.partition(":")
    return Field(key, label.strip(), "off") if colon else Field(key, None, AUTOCOMPLETE[key])


@lru_cache
def fields_of(*texts: str) -> tuple[Field, ...]:
    return tuple(field_of(text) for text in texts)


def further(texts: Sequence[str]) -> tuple[str, ...]:
    """The keys of the fields besides the name, which has a column of its own."""
    return tuple(field.key for field in fields_of(*texts) if field.key != "name")


def addressed_as(name: str | None, fields: Mapping[str, str] | None) -> str | None:
    """By what a mail may greet: the first of the ways to address somebody that is there and harmless (B-06)."""
    for way in _ways(name, fields) if fields else (name,):
        if way and is_harmless(way):
            return way
    return None


def _ways(name: str | None, fields: Mapping[str, str]) -> tuple[str | None, ...]:
    salutation, family = fields.get("salutation"), fields.get("family_name")
    return (f"{salutation} {family}" if salutation and family else None, fields.get("given_name"), name)


def whole_name(name: str | None, fields: Mapping[str, str] | None) -> str | None:
    """The name, or given and family name where they were told instead."""
    told = fields or {}
    return name or " ".join(filter(None, (told.get("given_name"), told.get("family_name")))) or None
