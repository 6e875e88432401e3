"""What a template may hold, checked without running the application: `python tests/check_templates.py`.

Exits 1 with one line for each problem.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, TemplateSyntaxError, meta, nodes

ROOT = Path(__file__).resolve().parents[1] / "templates"
PARTS = {"subject.txt", "body.txt", "body.html"}
LINKS = {"confirm_url", "not_me_url", "unsubscribe_url", "preferences_url", "preferences_page_url", "policy_url",
         "no_numbers_url", "desk_url", "request_url", "requests_page_url",
         "party.policy_url", "party.imprint_url"}  # fmt: skip
# policy_url and imprint_url alone may leave our origin (M-12)
MAKES_LINKS = {"link", "button"}  # macros of email/_parts.html, whose first argument is the link

NOT_IN_PAGES = {
    r"<style\b": "a style element",
    r"\sstyle\s*=": "an inline style",
    r"<script(?! src=\"\{\{[^{}<>]*\}\}\" (async|defer|type=\"module\")></script>)": "a strange script",
    r"\son[a-z]+\s*=\s*[\"'{]": "an event handler",
    r"javascript:": "a script as a link",
    r"<(?:object|embed|base(?! target=))\b": "a frame without a sandbox",
    r"<iframe(?![^>]*\s(?:sandbox\b|src=\"\{\{ frame_src))": "a frame without a sandbox",
    r"\b(?:src|srcset|data|action|poster)\s*=\s*[\"']?(?:https?:)?//": "a remote resource",
    r"<link\b[^>]*href\s*=\s*[\"']?(?:https?:)?//": "a remote resource",
}
NOT_IN_MAILS = {
    r"<(?:img|picture|svg|video|audio|input|form|iframe|object|embed|base|link)\b": "an image, form or remote element",
    r"<script\b": "a script",
    r"\s(?:src|srcset|background|poster|action|cite|ping)\s*=": "a resource",
    r"url\(|@import|@font-face": "a resource of a style",
    r"\son[a-z]+\s*=\s*[\"'{]": "an event handler",
    r"(?:https?:)?//[\w{]": "an address of the web that is written out",
    r"www\.": "an address of the web that is written out",
}
# The picture of the one mail that may show one: whoever gets it has confirmed (C-01).
PICTURE = {"email/welcome/body.html": r'<img class="logo" src="\{\{ logo\.url \}\}" alt="\{\{ list_name \}\}"[^>/]*>'}
# The words of an operator in the same mail may link anywhere: whoever gets it has asked for it, twice.
OWN_WORDS = {"email/welcome/body.html": {"own_link"}}
SPOKEN = r"\s(?:aria-label|alt|title|placeholder)=\"([^\"{]*[^\W\d_][^\"{]*)\""  # attributes that are read to people
NO_WORDS = (
    r"\{#.*?#\}",
    r"\{% block shape %\}.*?\{% endblock %\}",
    r"\{%-?\s*trans\b.*?\bendtrans\b.*?%\}",
    r"\{\{.*?\}\}",
    r"\{%.*?%\}",
    r"<style>.*?</style>",
    r"<[^>]*>",
    r"&\w+;",
)


def problems(root: Path = ROOT) -> Iterator[str]:
    """One line a problem, with file and line."""
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.*"))
    for name in names:
        text = (root / name).read_text("utf-8")
        try:
            tree = Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).parse(text)
        except TemplateSyntaxError as error:
            yield f"{name}:{error.lineno}: {error.message}"
            continue
        yield from _missing(name, tree, names)
        yield from _untranslated(name, text)
        yield from _unwanted(name, text, NOT_IN_PAGES if name.startswith(("pages/", "desk/")) else NOT_IN_MAILS)
        if name.startswith("email/"):
            yield from _links(name, text, tree)
    yield from _incomplete(root)


def _missing(name: str, tree: nodes.Template, names: list[str]) -> Iterator[str]:
    for one in meta.find_referenced_templates(tree):
        if one not in names:
            yield f"{name}:1: names {one}, which does not exist"


def _untranslated(name: str, text: str) -> Iterator[str]:
    """Words that stand outside of `_()` and `{% trans %}`, where no translation reaches them."""
    for pattern in NO_WORDS:
        text = re.sub(pattern, _hole, text, flags=re.S)
    for found in re.finditer(r"[^\W\d_][^\n<>]*", text):
        yield f"{name}:{text.count(chr(10), 0, found.start()) + 1}: is not translated: {found[0].strip()}"


def _hole(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n") + " ".join(f'"{one}"' for one in re.findall(SPOKEN, found[0]))


def _unwanted(name: str, text: str, unwanted: dict[str, str]) -> Iterator[str]:
    text = re.sub(r"\{#.*?#\}", lambda found: "\n" * found[0].count("\n"), text, flags=re.S)
    text = re.sub(PICTURE.get(name, r"(?!)"), "", text)
    for pattern, what in unwanted.items():
        for found in re.finditer(pattern, text, re.I):
            yield f"{name}:{text.count(chr(10), 0, found.start()) + 1}: holds {what}: {found[0].strip()}"


def _links(name: str, text: str, tree: nodes.Template) -> Iterator[str]:
    """Every link of a mail is one of ours, by its name."""
    for found in re.finditer(r"\bhref\s*=\s*(?:\"(.*?)\"|'(.*?)'|(\S+))", text, re.I):
        to = re.fullmatch(r"\{\{ ([\w.]+) \}\}", found[1] or found[2] or found[3])
        if to is None or to[1] not in LINKS | {"url"}:
            yield f"{name}:{text.count(chr(10), 0, found.start()) + 1}: links to something else: {found[0]}"
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in MAKES_LINKS:
            to_name = call.args[0].name if call.args and isinstance(call.args[0], nodes.Name) else "something else"
            if to_name not in LINKS | OWN_WORDS.get(name, set()):
                yield f"{name}:{call.lineno}: links to {to_name}"


def _incomplete(root: Path) -> Iterator[str]:
    for folder in sorted(one for one in (root / "email").iterdir() if one.is_dir()):
        found = {one.name for one in folder.iterdir()}
        yield from (f"email/{folder.name}:1: has no {part}" for part in sorted(PARTS - found))
        yield from (f"email/{folder.name}/{part}:1: is no part of a mail" for part in sorted(found - PARTS))


if __name__ == "__main__":
    told = list(problems(*map(Path, sys.argv[1:])))
    sys.exit("\n".join(told) if told else 0)
