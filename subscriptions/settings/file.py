"""Reading the configuration: a TOML file, and the environment above it."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_type_hints

from subscriptions import places
from subscriptions.settings import BadSettings, ListSettings, Server, Settings
from subscriptions.settings.check import problems_of
from subscriptions.settings.tables import SECRETS, Reading, Said, meant, table, value_in

PREFIX = "SUBSCRIPTIONS_"

_NO_SECTIONS = ("lists", "root", "names_lists")
SECTIONS = {name: kind for name, kind in get_type_hints(Settings).items() if name not in _NO_SECTIONS}


def load(environ: Mapping[str, str] | None = None, home: Path | None = None) -> Settings:
    """Settings from the file and the environment; raises BadSettings with every problem there is.

    `home`: the folder where config.toml is looked for when the environment names no file.
    """
    environ = os.environ if environ is None else environ
    home = home or places.home()
    path, reading = path_of(environ, home), Reading()
    whole = _read(path, reading) if environ.get(PREFIX + "CONFIG") or path.exists() else True
    _from_environment(environ, reading)
    settings = _build(reading, home)
    if whole:  # half a configuration would be blamed for what it does not say
        found = problems_of(settings)
        reading.problems += [f"{problem[:-1]} ({_source(problem, settings, reading)})." for problem in found]
    if reading.problems:
        raise BadSettings("\n".join(reading.problems))
    return settings


def path_of(environ: Mapping[str, str], home: Path) -> Path:
    """Of the file, which may not be there."""
    return Path(environ.get(PREFIX + "CONFIG") or home / "config.toml")


def _source(problem: str, settings: Settings, reading: Reading) -> str:
    found = re.match(r'(\w+)(?: in \[(\w+)\]| in \[\[lists\]\] "(.*?)")', problem)
    if found is None:
        return reading.where("lists")
    key, section, slug = found.groups()
    if section:
        return reading.where(section, key)
    return reading.where("lists", str([configured.slug for configured in settings.lists].index(slug)), key)


def _read(path: Path, reading: Reading) -> bool:
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


def _from_environment(environ: Mapping[str, str], reading: Reading) -> None:
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name == PREFIX + "CONFIG":
            continue
        path = name.removeprefix(PREFIX).lower().split("__")
        value: Any = Said(environ[name]) if len(path) > 1 else value_in(environ[name])
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
    listed = value_in(text)
    return listed if isinstance(listed, list) else [line.strip() for line in text.splitlines() if line.strip()]


def _put(reading: Reading, path: list[str], value: Any, name: str) -> None:
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


def _build(reading: Reading, home: Path) -> Settings:
    for unknown in sorted(reading.raw.keys() - SECTIONS.keys() - {"lists"}):
        near = meant(unknown, [*SECTIONS, "lists"])
        where = f"[{unknown}] in {reading.where(unknown)}"
        reading.problems.append(f"{where} is not a section of the configuration; {near}")
    raw = reading.raw
    parts = {name: table(kind, reading, raw.get(name, {}), (name,), f"[{name}]") for name, kind in SECTIONS.items()}
    parts["server"] = reachable(parts["server"])
    return Settings(**parts, lists=_lists(reading), root=home, names_lists="lists" in raw)


def reachable(server: Server) -> Server:
    """A base_url that nobody has changed follows host and port: links in mails must lead here."""
    default = Server()
    if server.base_url != default.base_url or not 0 < server.port < 65536:
        return server
    host = default.host if server.host in ("0.0.0.0", "::") else server.host  # noqa: S104
    return replace(server, base_url=f"http://{f'[{host}]' if ':' in host else host}:{server.port}")


def _lists(reading: Reading) -> tuple[ListSettings, ...]:
    lists = reading.raw.get("lists", [{}])
    if not isinstance(lists, list) or not lists:
        reading.problems.append(f"[[lists]] in {reading.where('lists')} must be a list of at least one table.")
        return (ListSettings(),)
    tables = enumerate(lists)
    return tuple(table(ListSettings, reading, raw, ("lists", str(n)), f"[[lists]] no. {n + 1}") for n, raw in tables)
