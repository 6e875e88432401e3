"""Reading the configuration: a TOML file, and the environment above it."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from subscriptions.settings import (
    BadSettings,
    Database,
    Lifecycle,
    Limits,
    ListSettings,
    Mail,
    Server,
    Settings,
)
from subscriptions.settings.check import problems_of

PREFIX = "SUBSCRIPTIONS_"
SECRETS = {"secret_keys", "pepper", "password", "url"}

SECTIONS: Mapping[str, type] = {
    "server": Server, "database": Database, "mail": Mail, "lifecycle": Lifecycle, "limits": Limits,
}  # fmt: skip


@dataclass
class _Reading:
    """What has been read so far: where from, and what was wrong with it."""

    file: str
    raw: dict[str, Any] = field(default_factory=dict)
    named: dict[tuple[str, ...], str] = field(default_factory=dict)  # settings that the environment named
    problems: list[str] = field(default_factory=list)

    def where(self, *path: str) -> str:
        return self.named.get(path, self.file)


def load(environ: Mapping[str, str] | None = None, home: Path | None = None) -> Settings:
    """Settings from the file and the environment; raises BadSettings with every problem there is.

    `home`: the folder of app.py, where config.toml is looked for when the environment names no file.
    """
    environ = os.environ if environ is None else environ
    home = home or Path(__file__).resolve().parent.parent.parent
    named = environ.get(PREFIX + "CONFIG")
    path = Path(named) if named else home / "config.toml"
    reading = _Reading(str(path))
    if named or path.exists():
        _read(path, reading)
    _from_environment(environ, reading)
    settings = _build(reading, home)
    if not reading.problems:
        reading.problems = [
            f"{problem[:-1]} ({path if reading.raw else 'defaults'})." for problem in problems_of(settings)
        ]
    if reading.problems:
        raise BadSettings("\n".join(reading.problems))
    return settings


def _read(path: Path, reading: _Reading) -> None:
    try:
        reading.raw = tomllib.loads(path.read_text("utf-8"))
    except OSError as trouble:
        reading.problems.append(f"The configuration {path} cannot be read: {trouble.strerror}.")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as trouble:
        reading.problems.append(f"The configuration {path} is not TOML: {trouble}.")


def _from_environment(environ: Mapping[str, str], reading: _Reading) -> None:
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name == PREFIX + "CONFIG":
            continue
        path, text = name.removeprefix(PREFIX).lower().split("__"), environ[name]
        if path[-1].endswith("_file") and path[-1].removesuffix("_file") in SECRETS:
            path[-1] = path[-1].removesuffix("_file")
            try:
                text = Path(text).read_text("utf-8").strip()
            except OSError as trouble:
                reading.problems.append(f"{name} names a file that cannot be read: {trouble.strerror}.")
                continue
        reading.named[tuple(path)] = name
        _put(reading, path, text, name)


def _put(reading: _Reading, path: list[str], text: str, name: str) -> None:
    *above, last = path
    at: Any = reading.raw
    try:
        for step in above:
            at = at[int(step)] if isinstance(at, list) else at.setdefault(step, [{}] if step == "lists" else {})
        at[int(last) if isinstance(at, list) else last] = _value(text)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        reading.problems.append(f"{name} does not name a setting.")


def _value(text: str) -> Any:
    """The text read as TOML where that parses, else the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"] if "\n" not in text else text
    except tomllib.TOMLDecodeError:
        return text


def _build(reading: _Reading, home: Path) -> Settings:
    for unknown in sorted(reading.raw.keys() - SECTIONS.keys() - {"lists"}):
        near = _meant(unknown, [*SECTIONS, "lists"])
        reading.problems.append(
            f"[{unknown}] in {reading.where(unknown)} is not a section of the configuration; {near}"
        )
    parts = {name: _section(kind, reading, name) for name, kind in SECTIONS.items()}
    parts["server"] = _reachable(parts["server"])
    return Settings(**parts, lists=_lists(reading), root=home)


def _reachable(server: Server) -> Server:
    """A base_url that nobody has changed follows host and port: links in mails must lead here."""
    default = Server()
    if server.base_url != default.base_url or (server.host, server.port) == (default.host, default.port):
        return server
    host = default.host if server.host in ("0.0.0.0", "::") else server.host  # noqa: S104
    return replace(server, base_url=f"http://{f'[{host}]' if ':' in host else host}:{server.port}")


def _section(kind: type, reading: _Reading, name: str) -> Any:
    return _table(kind, reading, reading.raw.get(name, {}), (name,), f"[{name}]")


def _lists(reading: _Reading) -> tuple[ListSettings, ...]:
    lists = reading.raw.get("lists", [{}])
    if not isinstance(lists, list) or not lists:
        reading.problems.append(f"[[lists]] in {reading.where('lists')} must be a list of at least one table.")
        return (ListSettings(),)
    return tuple(
        _table(ListSettings, reading, one, ("lists", str(n)), f"[[lists]] no. {n + 1}") for n, one in enumerate(lists)
    )


def _table(kind: type, reading: _Reading, raw: Any, path: tuple[str, ...], label: str) -> Any:
    if not isinstance(raw, dict):
        reading.problems.append(f"{label} in {reading.where(*path)} must be a table.")
        return kind()
    types = get_type_hints(kind)
    values: dict[str, Any] = {}
    known = [one.name for one in fields(kind)]
    for key, value in raw.items():
        where = f"{key} in {label} of {reading.where(*path, key)}"
        if key not in known:
            reading.problems.append(f"{where} is not a setting; {_meant(key, known)}")
            continue
        try:
            values[key] = _typed(types[key], value, key)
        except TypeError as wanted:
            shown = "its value" if key in SECRETS else repr(value)
            reading.problems.append(f"{where} must be {wanted}, not {shown}.")
    return kind(**values)


def _typed(wanted: Any, value: Any, key: str) -> Any:
    """The value as the setting wants it; raises TypeError that says what that is."""
    if get_origin(wanted) is tuple:
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
        raise TypeError("a list of texts")
    if wanted is str and key in SECRETS and type(value) in (int, float):
        return str(value)  # a password of digits, from the environment
    if type(value) is not wanted:
        raise TypeError({str: "a text", int: "a whole number", bool: "true or false"}[wanted])
    return value


def _meant(key: str, known: list[str]) -> str:
    near = get_close_matches(key, known, 1)
    return f"did you mean {near[0]}?" if near else f"it knows {', '.join(known)}."
