"""Tables of a configuration, read into what the rest of the program knows: each value of its type."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from babel import Locale, UnknownLocaleError

from subscriptions.domain.fields import OWN
from subscriptions.domain.texts import language_tag
from subscriptions.settings import ListSettings, ListTexts
from subscriptions.settings.lists import list_problems
from subscriptions.settings.spelling import in_one_spelling

SECRETS = {"secret_keys", "pepper", "password", "imap_password", "url"}


class Said(str):
    """A text of the environment: TOML where the setting wants something else, never at the cost of a text."""


@dataclass
class Reading:
    file: str = "the defaults"
    raw: dict[str, Any] = field(default_factory=dict)
    named: dict[tuple[str, ...], str] = field(default_factory=dict)  # settings that the environment named
    problems: list[str] = field(default_factory=list)

    def where(self, *path: str) -> str:
        """The variable that named this setting, a part of it or its whole section; else the file."""
        for named in sorted(self.named, key=len, reverse=True):
            if named[: len(path)] == path or path[: len(named)] == named:
                return self.named[named]
        return self.file


def read_list(raw: Mapping[str, Any], root: Path) -> tuple[ListSettings, list[str]]:
    """A list as a table of [[lists]] says it, typed elsewhere; and what is wrong with it, a sentence each.

    A sentence begins with the key: `colour in list "news" must be …`, in a language `name in list "news", texts.de, …`.
    """
    label, reading = f'list "{raw.get("slug", "")}"', Reading()
    made: ListSettings = table(ListSettings, reading, dict(raw), (), label)
    said = (problem.replace(f"{label} of the defaults", label) for problem in reading.problems)
    return made, [*said] or [*list_problems(made, label, root)]


def as_table(said: ListSettings) -> dict[str, Any]:
    """The same the other way: the list as `read_list` takes it."""
    return _plain(said) | {"texts": {tag: _plain(texts) for tag, texts in said.texts.items()}}


def _plain(said: ListSettings | ListTexts) -> dict[str, Any]:
    values = {one.name: getattr(said, one.name) for one in fields(said)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def table(kind: type, reading: Reading, raw: Any, path: tuple[str, ...], label: str) -> Any:
    if not isinstance(raw, dict):
        reading.problems.append(f"{label} in {reading.where(*path)} must be a table.")
        return kind()
    types = get_type_hints(kind)
    values: dict[str, Any] = {}
    known = [setting.name for setting in fields(kind)]
    for key, value in raw.items():
        where = f"{key} in {label} of {reading.where(*path, key)}"
        if key not in known:
            reading.problems.append(f"{where} is not a setting; {meant(key, known)}")
            continue
        try:
            read = _texts(reading, value, path, label) if key == "texts" else _typed(types[key], value, key)
            values[key] = in_one_spelling(key, read)
        except TypeError as wanted:
            shown = "its value" if key in SECRETS else repr(value)
            reading.problems.append(f"{where} must be {wanted}, not {shown}.")
    return kind(**values)


def _texts(reading: Reading, raw: Any, path: tuple[str, ...], label: str) -> dict[str, ListTexts]:
    """By language, its tag in the usual letters."""
    tables = value_in(raw) if isinstance(raw, Said) else raw
    if not isinstance(tables, dict):
        raise TypeError("a table for each language, such as [lists.texts.de]")
    found: dict[str, ListTexts] = {}
    for name, said in tables.items():
        where = f"[lists.texts.{name}] of {label}"
        read, tag = table(ListTexts, reading, said, (*path, "texts", name), where), _language(name)
        if tag is None:
            reading.problems.append(f'{where} is not a known language: use a tag such as "de" or "pt-BR".')
        elif tag in found:
            reading.problems.append(f'{where} repeats the language "{tag}".')
        else:
            found[tag] = read
    return found


def _language(name: str) -> str | None:
    """Of any spelling that `locale` may have as well; none where nobody speaks it."""
    try:
        return str(Locale.parse(language_tag(name) or name, sep="-")).replace("_", "-")
    except (ValueError, UnknownLocaleError):
        return None


def _typed(wanted: Any, value: Any, key: str) -> Any:
    """The value as the setting wants it; raises TypeError that says what that is."""
    if isinstance(value, Said):
        read = value_in(value)
        value = str(value) if wanted is str and not isinstance(read, str) else read
    if key == "fields" and isinstance(value, list):
        return tuple(map(_field, value))
    if get_origin(wanted) is tuple:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise TypeError("a list of texts")
    if type(value) is not wanted:
        raise TypeError({str: "a text", int: "a whole number", bool: "true or false"}[wanted])
    return value


def _field(value: Any) -> str:
    """A field in one text, however it is written: its purpose stands on a line of its own."""
    if isinstance(value, str):
        return value
    told = dict(value) if isinstance(value, dict) else {}
    is_whole = {"key", "label"} <= told.keys() <= {"key", "label", "purpose"}
    if not is_whole or not all(isinstance(text, str) for text in told.values()):
        raise TypeError(f"a list of names, or of fields of your own such as {OWN}")
    lines = [f"{told['key']}: {told['label']}", told.get("purpose", "")]
    return "\n".join(" ".join(line.split()) for line in lines if line)


def meant(key: str, known: list[str]) -> str:
    near = get_close_matches(key, known, 1)
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}."


def value_in(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"] if "\n" not in text else str(text)
    except tomllib.TOMLDecodeError:
        return str(text)
