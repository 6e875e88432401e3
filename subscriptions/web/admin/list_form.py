"""The form of a list: what stands in its fields, and what a filled one says, checked by the rules of config.toml."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from flask_babel import gettext
from werkzeug.datastructures import FileStorage, MultiDict

from subscriptions.domain.fields import FIELDS
from subscriptions.look import pictures
from subscriptions.mail import phrases
from subscriptions.parts import current_parts
from subscriptions.settings import ListSettings, ListTexts
from subscriptions.settings.tables import as_table, read_list
from subscriptions.settings.values import Problem

OWN = "own"  # stands for the list's own language where the form names one
MOST_LANGUAGES = 100  # besides the list's own; each has a dozen fields on the page
_TICKED = ("welcome", "public")
NOT_TYPED = {"slug", "policy_file", "texts"}  # forms rely on the first; the second names a file of the server
LOGO = f"{OWN}.logo"
_WHERE = re.compile(r'(\w+) in list ".*?"(?:, texts\.([\w-]+),)?')


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with one field; `field`: its name in the form."""

    field: str
    said: str


@dataclass
class ListForm:
    """`typed`: by the names of the fields, `own.name` or `de.name`; `tags`: the further languages."""

    typed: dict[str, str]
    tags: list[str]
    keys: list[str] = field(default_factory=list)  # of the usual fields that are ticked
    wrong: list[Wrong] = field(default_factory=list)


def filled_with(said: ListSettings) -> ListForm:
    """The form of a list as it is."""
    typed = {f"{OWN}.{name}": text for name, text in _texts(said).items()}
    typed |= {f"{tag}.{name}": text for tag, texts in said.texts.items() for name, text in _texts(texts).items()}
    return ListForm(typed, list(said.texts), [text for text in said.fields if text in FIELDS])


def _texts(said: ListSettings | ListTexts) -> dict[str, str]:
    """What stands in the fields of one language."""
    found = {}
    for one in fields(said):
        value = getattr(said, one.name)
        if one.name == "fields":
            found[one.name] = "\n".join(text.replace("\n", " | ") for text in value if text not in FIELDS)
        elif isinstance(value, tuple):
            found[one.name] = "\n".join(value)
        elif isinstance(value, bool):
            found[one.name] = "1" if value else ""
        elif isinstance(value, str):
            found[one.name] = value
    return found


def sent(form: "MultiDict[str, str]", file: FileStorage | None = None) -> ListForm:
    """The form as it was filled in; a language that was ticked for removal is no longer in it.

    `file`: a new logo. Else it is the picture that was sent before; never a path on the server.
    """
    typed = {name: text.replace("\r\n", "\n").strip() for name, text in form.items() if "." in name}
    if octets := file.read() if file else b"":
        typed[LOGO] = pictures.uploaded(octets)
    elif typed.get(f"{OWN}.no_logo"):
        typed[LOGO] = ""
    elif not typed.get(LOGO, "").startswith(pictures.UPLOADED):
        typed.pop(LOGO, None)
    tags = [tag for tag in [*dict.fromkeys(form.getlist("tags"))][:MOST_LANGUAGES] if not typed.get(f"{tag}.remove")]
    return ListForm(typed, tags, form.getlist("keys"))


def read(form: ListForm, before: ListSettings) -> ListSettings | None:
    """The list as the form says it, else nothing, and what is wrong stands in the form.

    `before`: what the form has no field for stays.
    """
    raw = as_table(before)
    raw |= _table(form.typed, OWN, raw.keys() - NOT_TYPED)
    raw |= {name: bool(form.typed.get(f"{OWN}.{name}")) for name in _TICKED}
    raw["fields"] = [*(key for key in FIELDS if key in form.keys), *(one for one in raw["fields"] if one not in FIELDS)]
    tag = current_parts().languages.best(None, (), raw["locale"])
    raw["wording"] = phrases.reworded(tag, before, raw["name"], raw["controller"], raw["wording"])
    typed = {one.name for one in fields(ListTexts)} - NOT_TYPED
    kept = {tag: {"policy_file": texts.policy_file} for tag, texts in before.texts.items()}
    raw["texts"] = {tag: kept.get(tag, {}) | _table(form.typed, tag, typed) for tag in form.tags}
    said, problems = read_list(raw, current_parts().settings.root)
    form.wrong = [*map(wrong, problems)]
    return None if problems else said


def _table(typed: Mapping[str, str], tag: str, known: Iterable[str]) -> dict[str, Any]:
    """As a table of the configuration has it."""
    found: dict[str, Any] = {name: typed[f"{tag}.{name}"] for name in known if f"{tag}.{name}" in typed}
    for name in ("origins", "fields"):
        if name in found:
            lines = (" ".join(line.split()) for line in found[name].splitlines())
            found[name] = [re.sub(r" ?\| ?", "\n", line, count=1) for line in lines if line]
    return found


def wrong(problem: str) -> Wrong:
    """In the page's language, and without the key and the list that it begins with: it stands at the field."""
    found = _WHERE.match(problem)
    if found is None or not isinstance(problem, Problem):
        return Wrong("", problem)
    return Wrong(f"{found[2] or OWN}.{found[1]}", f"{problem.says.told(gettext)}.")


def composed(form: ListForm, before: ListSettings, tag: str) -> str:
    """A wording from what the form says of the list, in that language."""

    def said(name: str) -> str:
        return form.typed.get(f"{tag}.{name}") or form.typed.get(f"{OWN}.{name}", "")

    of = form.typed.get(f"{OWN}.locale") or before.locale if tag == OWN else tag
    often, about = form.typed.get(f"{tag}.often", ""), form.typed.get(f"{tag}.about", "")
    return phrases.wording(current_parts().languages.best(None, (), of), said("name"), said("controller"), often, about)


def with_language(form: ListForm, tag: str) -> ListForm:
    """With fields for one more."""
    return replace(form, tags=[*dict.fromkeys([*form.tags, tag])])
