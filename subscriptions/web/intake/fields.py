"""The fields of a form: how they are shown, and what was told in the voluntary ones."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from subscriptions.actions.correct import fields_of as fields_stored
from subscriptions.domain.fields import LONGEST, UNSAID, Field, field_stored, fields_of
from subscriptions.languages import Languages, marked
from subscriptions.store.models import List, Subscription

_TOO_LONG = marked("%(label)s: at most %(most)d characters.")
_UNPRINTABLE = marked("%(label)s: it contains a character that is not allowed.")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
LONGEST_ADDRESS = 254  # RFC 5321 4.5.3.1
Wrong = tuple[str, str, dict[str, object]]  # field, message and what stands in it
Say = Callable[[str], str]  # a marked text in the reader's language


@dataclass(frozen=True, slots=True)
class Input:
    """A field as each of our forms shows it, in the reader's language; programs know its parts by these names."""

    name: str
    label: str
    need: str = ""  # whether it must be filled, in words
    hint: str = ""
    type: str = "text"
    autocomplete: str = "off"
    longest: int = LONGEST  # in characters
    required: bool = False
    is_own: bool = False  # one that the operator made up; the others are what people are addressed by
    lang: str = ""  # of the label, where it is not the page's
    hint_lang: str = ""


def address_input(say: Say, label: str = marked("Email address")) -> Input:
    need = say(marked("required"))
    return Input("email", say(label), need, "", "email", "email", LONGEST_ADDRESS, required=True)


def voluntary_inputs(texts: Sequence[str], say: Say, rows: Sequence[List] = (), here: str = "") -> list[Input]:
    """The fields that the configuration names so: each of the operator's own says what it is for.

    So does a name that stands alone; several share that, and come first. `rows`: the lists as the page tells them;
    `here`: its language.
    """
    found = fields_of(*texts)
    names = [field for field in found if not field.is_own]
    if not names[1:]:
        return [voluntary_input(field, say, field.purpose, rows, here) for field in found]
    own = [voluntary_input(field, say, field.purpose, rows, here) for field in found if field.is_own]
    return [*(voluntary_input(field, say, field.hint) for field in names), *own]


def voluntary_input(field: Field, say: Say, hint: str = "", rows: Sequence[List] = (), here: str = "") -> Input:
    """Ours as `say` translates them, the operator's own as the operator wrote them."""
    if not field.is_own:
        hint = say(hint) if hint else ""
        return Input(field.key, say(field.label), say(marked("optional")), hint, autocomplete=field.autocomplete)
    row = next((row for row in rows if field.key in keys_in(row.fields)), None)
    langs = [row.lang_of(f"{part} of {field.key}") if row else "" for part in ("label", "purpose")]
    lang, hint_lang = ("" if found == here else found for found in langs)
    hint, hint_lang = (say(hint), "") if hint == UNSAID else (hint, hint_lang)
    return Input(field.key, field.label, say(marked("optional")), hint, is_own=True, lang=lang, hint_lang=hint_lang)


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


def of_subscriptions(open_: Sequence[Subscription], rows: Sequence[List]) -> list[Field]:
    """The fields of what is subscribed: those of the lists (`rows`), and what is stored though no list asks for it."""
    asked_for = {field.key: field for field in offered(rows)}
    others = dict.fromkeys(key for row in open_ for key in fields_stored(row) if key not in asked_for)
    return [*asked_for.values(), *map(field_stored, others)]


def inputs_of(open_: Sequence[Subscription], say: Say, rows: Sequence[List], here: str) -> list[Input]:
    """The same as inputs; of a field of the operator's own it also says what for."""
    return [voluntary_input(one, say, one.purpose if one.is_own else "", rows, here)
            for one in of_subscriptions(open_, rows)]  # fmt: skip


def stored_in(open_: Sequence[Subscription], languages: Languages) -> dict[str, str]:
    """What somebody has told, and their language; of several subscriptions the newest says it."""
    told: dict[str, str] = {}
    for row in sorted(open_, key=lambda row: row.id):
        told |= fields_stored(row) | {"locale": languages.known(row.locale) or row.locale}
    return told


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


def shown_fields(rows: Sequence[List], query: "MultiDict[str, str]") -> tuple[str, ...]:
    """The fields that are named, `fields=name&fields=company` or `fields=name,company`; all where none is.

    A compact form has none but those that are named.
    """
    wished = named(query, "fields")
    if is_compact(query) and not wished:
        return ()
    return tuple(text for text in texts_of(rows) if not wished or keys_in([text])[0] in wished)


def is_compact(query: "MultiDict[str, str]") -> bool:
    return query.get("compact", "") not in ("", "0", "false")


def keys_in(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(text.partition(":")[0] for text in texts)


def named(query: "MultiDict[str, str]", name: str) -> list[str]:
    """What a query names, in several parameters or between commas."""
    found = (part for text in query.getlist(name) for part in text.split(","))
    return [part for part in dict.fromkeys(found) if part]
