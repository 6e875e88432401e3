"""The voluntary fields of a form: what they are called, and what was told in them (F-10 … F-12)."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from werkzeug.datastructures import MultiDict

from subscriptions.domain.fields import LONGEST, Field, fields_of
from subscriptions.languages import marked
from subscriptions.store.models import List

_TOO_LONG = marked("%(label)s: at most %(most)d characters.")
_UNPRINTABLE = marked("%(label)s: it contains a character that is not allowed.")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
Wrong = tuple[str, str, dict[str, object]]  # field, message and what stands in it


def texts_of(rows: Sequence[List]) -> list[str]:
    """The fields of these lists as the configuration names them, each key once."""
    if len(rows) == 1:
        return rows[0].fields
    once: dict[str, str] = {}
    for text in (text for row in rows for text in row.fields):
        once.setdefault(text.partition(":")[0], text)
    return list(once.values())


def offered(rows: Sequence[List]) -> tuple[Field, ...]:
    return fields_of(*texts_of(rows))


def keys_of(rows: Sequence[List]) -> list[str]:
    return [field.key for field in offered(rows)]


def told(data: Mapping[str, str], rows: Sequence[List]) -> tuple[dict[str, str], list[Wrong]]:
    """What was told in the fields that these lists have, and what is wrong with it; others are not looked at."""
    found: dict[str, str] = {}
    wrong: list[Wrong] = []
    for field in offered(rows):
        value = data.get(field.key, "").strip()
        if value:
            found[field.key] = value
            wrong += wrong_in(field, value)
    return found, wrong


def wrong_in(field: Field, value: str) -> Iterator[Wrong]:
    """What is wrong with what was told in one field."""
    label = field.label
    if len(value) > LONGEST:
        yield field.key, _TOO_LONG, {"label": label, "most": LONGEST}
    elif UNPRINTABLE.search(value):
        yield field.key, _UNPRINTABLE, {"label": label}


def shown(texts: Sequence[str], say: Callable[[str], str]) -> list[dict[str, str]]:
    """The fields as a form shows them, in the words of `say`; one alone says what it is for, several share that."""
    found = fields_of(*texts)
    return [as_shown(field, say) | {"hint": _said(field.hint if found[1:] else field.purpose, say)} for field in found]


def as_shown(field: Field, say: Callable[[str], str]) -> dict[str, str]:
    """Ours as `say` translates them, the operator's own as the operator wrote them."""
    label = field.label if field.is_own else say(field.label)
    return {"key": field.key, "label": label, "autocomplete": field.autocomplete}


def _said(text: str, say: Callable[[str], str]) -> str:
    return say(text) if text else ""  # the catalogues have their head at the empty text


def shown_fields(rows: Sequence[List], query: "MultiDict[str, str]") -> tuple[str, ...]:
    """The fields that are named, `fields=name&fields=company` or `fields=name,company`; all where none is."""
    every = tuple(dict.fromkeys(text for row in rows for text in row.fields))
    wished = named(query, "fields")
    return tuple(text for text in every if keys_in([text])[0] in wished) if wished else every


def keys_in(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(text.partition(":")[0] for text in texts)


def named(query: "MultiDict[str, str]", name: str) -> list[str]:
    """What a query names, in several parameters or between commas."""
    found = [one for text in query.getlist(name) for one in text.split(",")]
    return [one for one in dict.fromkeys(found) if one]
