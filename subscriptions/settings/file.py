"""Reading the configuration: a TOML file, and the environment above it."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from babel import Locale, UnknownLocaleError

from subscriptions.domain.fields import OWN
from subscriptions.domain.texts import language_tag
from subscriptions.settings import BadSettings, ListSettings, ListTexts, Server, Settings
from subscriptions.settings.check import problems_of
from subscriptions.settings.spelling import in_one_spelling

PREFIX = "SUBSCRIPTIONS_"
SECRETS = {"secret_keys", "pepper", "password", "url"}

SECTIONS = {name: kind for name, kind in get_type_hints(Settings).items() if name not in ("lists", "root")}


class _Said(str):
    """A text of the environment: TOML where the setting wants something else, never at the cost of a text."""


@dataclass
class _Reading:
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


def load(environ: Mapping[str, str] | None = None, home: Path | None = None) -> Settings:
    """Settings from the file and the environment; raises BadSettings with every problem there is.

    `home`: the folder of app.py, where config.toml is looked for when the environment names no file.
    """
    environ = os.environ if environ is None else environ
    home = home or Path(__file__).resolve().parent.parent.parent
    named = environ.get(PREFIX + "CONFIG")
    path = Path(named) if named else home / "config.toml"
    reading = _Reading()
    whole = _read(path, reading) if named or path.exists() else True
    _from_environment(environ, reading)
    settings = _build(reading, home)
    if whole:  # half a configuration would be blamed for what it does not say
        found = problems_of(settings)
        reading.problems += [f"{problem[:-1]} ({_source(problem, settings, reading)})." for problem in found]
    if reading.problems:
        raise BadSettings("\n".join(reading.problems))
    return settings


def _source(problem: str, settings: Settings, reading: _Reading) -> str:
    found = re.match(r'(\w+)(?: in \[(\w+)\]| in \[\[lists\]\] "(.*?)")', problem)
    if found is None:
        return reading.where("lists")
    key, section, slug = found.groups()
    if section:
        return reading.where(section, key)
    return reading.where("lists", str([configured.slug for configured in settings.lists].index(slug)), key)


def _read(path: Path, reading: _Reading) -> bool:
    reading.file = str(path)
    try:
        reading.raw = tomllib.loads(path.read_text("utf-8-sig"))
        return True
    except OSError as error:
        reading.problems.append(f"The configuration file {path} cannot be read: {error.strerror}.")
    except UnicodeDecodeError:
        reading.problems.append(f"The configuration file {path} is not UTF-8.")
    except tomllib.TOMLDecodeError as error:
        reading.problems.append(f"The configuration file {path} is not valid TOML: {error}.")
    return False


def _from_environment(environ: Mapping[str, str], reading: _Reading) -> None:
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name == PREFIX + "CONFIG":
            continue
        path = name.removeprefix(PREFIX).lower().split("__")
        value: Any = _Said(environ[name]) if len(path) > 1 else _value(environ[name])
        if path[-1].endswith("_file") and path[-1].removesuffix("_file") in SECRETS:
            path[-1] = path[-1].removesuffix("_file")
            try:
                value = _secret(Path(environ[name]), path[-1])
            except (OSError, UnicodeDecodeError) as error:
                why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
                reading.problems.append(f"{name} names a file that cannot be read: {why}.")
                continue
        reading.named[tuple(path)] = name
        _put(reading, path, value, name)


def _secret(path: Path, key: str) -> Any:
    """A secret as the file holds it, less the last line end; keys one a line, or a TOML list."""
    text = path.read_text("utf-8").rstrip("\r\n")
    if key != "secret_keys":
        return text
    listed = _value(text)
    return listed if isinstance(listed, list) else [line.strip() for line in text.splitlines() if line.strip()]


def _put(reading: _Reading, path: list[str], value: Any, name: str) -> None:
    *above, last = path
    at: Any = reading.raw
    try:
        for step in above:
            at = _entry(at, step) if isinstance(at, list) else at.setdefault(step, [] if step == "lists" else {})
        at[last] = value
    except (KeyError, TypeError, AttributeError):
        reading.problems.append(f"{name} does not name a setting.")


def _entry(lists: list[Any], number: str) -> Any:
    """The list of that number, or the next one, made; raises where numbers leave a gap."""
    if number == str(len(lists)):
        lists.append({})
    return {str(n): table for n, table in enumerate(lists)}[number]


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"] if "\n" not in text else str(text)
    except tomllib.TOMLDecodeError:
        return str(text)


def _build(reading: _Reading, home: Path) -> Settings:
    for unknown in sorted(reading.raw.keys() - SECTIONS.keys() - {"lists"}):
        near = _meant(unknown, [*SECTIONS, "lists"])
        where = f"[{unknown}] in {reading.where(unknown)}"
        reading.problems.append(f"{where} is not a section of the configuration; {near}")
    raw = reading.raw
    parts = {name: _table(kind, reading, raw.get(name, {}), (name,), f"[{name}]") for name, kind in SECTIONS.items()}
    parts["server"] = reachable(parts["server"])
    return Settings(**parts, lists=_lists(reading), root=home)


def reachable(server: Server) -> Server:
    """A base_url that nobody has changed follows host and port: links in mails must lead here."""
    default = Server()
    if server.base_url != default.base_url or not 0 < server.port < 65536:
        return server
    host = default.host if server.host in ("0.0.0.0", "::") else server.host  # noqa: S104
    return replace(server, base_url=f"http://{f'[{host}]' if ':' in host else host}:{server.port}")


def _lists(reading: _Reading) -> tuple[ListSettings, ...]:
    lists = reading.raw.get("lists", [{}])
    if not isinstance(lists, list) or not lists:
        reading.problems.append(f"[[lists]] in {reading.where('lists')} must be a list of at least one table.")
        return (ListSettings(),)
    tables = enumerate(lists)
    return tuple(_table(ListSettings, reading, raw, ("lists", str(n)), f"[[lists]] no. {n + 1}") for n, raw in tables)


def _table(kind: type, reading: _Reading, raw: Any, path: tuple[str, ...], label: str) -> Any:
    if not isinstance(raw, dict):
        reading.problems.append(f"{label} in {reading.where(*path)} must be a table.")
        return kind()
    types = get_type_hints(kind)
    values: dict[str, Any] = {}
    known = [setting.name for setting in fields(kind)]
    for key, value in raw.items():
        where = f"{key} in {label} of {reading.where(*path, key)}"
        if key not in known:
            reading.problems.append(f"{where} is not a setting; {_meant(key, known)}")
            continue
        try:
            read = _texts(reading, value, path, label) if key == "texts" else _typed(types[key], value, key)
            values[key] = in_one_spelling(key, read)
        except TypeError as wanted:
            shown = "its value" if key in SECRETS else repr(value)
            reading.problems.append(f"{where} must be {wanted}, not {shown}.")
    return kind(**values)


def _texts(reading: _Reading, raw: Any, path: tuple[str, ...], label: str) -> dict[str, ListTexts]:
    """By language, its tag in the usual letters."""
    tables = _value(raw) if isinstance(raw, _Said) else raw
    if not isinstance(tables, dict):
        raise TypeError("a table for each language, such as [lists.texts.de]")
    found: dict[str, ListTexts] = {}
    for name, table in tables.items():
        where = f"[lists.texts.{name}] of {label}"
        read, tag = _table(ListTexts, reading, table, (*path, "texts", name), where), _language(name)
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
    if isinstance(value, _Said):
        read = _value(value)
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


def _meant(key: str, known: list[str]) -> str:
    near = get_close_matches(key, known, 1)
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}."
