"""What a list must hold to, whoever says it: one sentence for each thing that does not."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from subscriptions.domain.fields import FIELDS, OWN
from subscriptions.domain.sites import origin_of
from subscriptions.domain.texts import Sentence, marked
from subscriptions.settings import ListSettings, ListTexts
from subscriptions.settings.values import (
    WEB,
    Problem,
    logo_problems,
    sender_problems,
    unwritable,
    web,
    zone_problems,
)

_OF_YOURS = marked("must have at most 2,000 characters")
# what a text must match, all of it, and what is said else
_RULES = {
    "slug": (r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?",
             marked("must have only a-z, 0-9 and hyphens, at most 64 characters")),
    "name": (r"(?=.*\S)[^\x00-\x1f\x7f]{1,200}", marked("must be a single line of at most 200 characters")),
    "wording": (r"(?s).*\S.*", marked("must say what people consent to")),
    "welcome_text": (r"(?s).{0,2000}", _OF_YOURS),
    "confirmed_text": (r"(?s).{0,2000}", _OF_YOURS),
    "locale": (r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", marked('must be a language tag such as "en" or "de-AT"')),
    "address_form": (r"formal|familiar", marked('must be "formal" or "familiar"')),
    "colour": (r"(#[0-9a-fA-F]{6})?", marked('must be a colour such as "#14634b"')),
}  # fmt: skip
POLICY_FILES = {".html": "text/html", ".htm": "text/html", ".txt": "text/plain", ".md": "text/markdown",
                ".pdf": "application/pdf"}  # fmt: skip
_ORIGIN = re.compile(r"https?://([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(:[1-9]\d{0,4})?")
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,39}: *\S.{0,79}(\n\S.{0,299})?")  # its purpose on a second line
_OURS = "email list lists locale lang wording wordings website return_url altcha r code ip page time fields"
_TAKEN = {*_OURS.split(), *FIELDS}


def list_problems(configured: ListSettings, label: str, root: Path) -> Iterator[Problem]:
    """Each names the key and the list: `colour in list "news" must be …`."""
    yield from _broken(configured, label, _RULES)
    yield from unwritable(configured, label)
    for key in ("policy_url", "imprint_url"):
        if (url := getattr(configured, key)) and web(url) is None:
            yield Problem(f"{key} in {label}", WEB)
    yield from _policy_file(configured, label)
    for key in ("sender", "reply_to"):
        if text := getattr(configured, key):
            yield from sender_problems(f"{key} in {label}", text)
    if configured.timezone:
        yield from zone_problems(f"timezone in {label}", configured.timezone)
    for tag, texts in configured.texts.items():
        yield from _texts(configured, tag, texts, label)
    yield from site_problems(configured, label)
    if configured.logo:
        yield from logo_problems(f"logo in {label}", configured.logo, root)


def _broken(texts: ListSettings | ListTexts, label: str, keys: Iterable[str]) -> Iterator[Problem]:
    for key in keys:
        pattern, says = _RULES[key]
        if not re.fullmatch(pattern, getattr(texts, key)):
            yield Problem(f"{key} in {label}", says)


def _texts(configured: ListSettings, tag: str, texts: ListTexts, label: str) -> Iterator[Problem]:
    """The rules of the list's own texts, for those that there are."""
    own, label = configured.locale.lower(), f"{label}, texts.{tag},"
    if f"{own}-".startswith(f"{tag.lower()}-"):
        text = marked('are in the list\'s own language, "%(tag)s": put them in the list itself')
        yield Problem(f"texts in {label}", text, tag=configured.locale)
    said = ("name", "wording", "welcome_text", "confirmed_text")
    yield from _broken(texts, label, (key for key in said if getattr(texts, key)))
    yield from unwritable(texts, label)
    if texts.policy_url and web(texts.policy_url) is None:
        yield Problem(f"policy_url in {label}", WEB)
    yield from _policy_file(texts, label)
    keys = {key for text in configured.fields if (key := text.partition(":")[0]) != text}
    for text in texts.fields:
        key = text.partition(":")[0]
        if not _FIELD.fullmatch(text) or key not in keys:
            said_else = marked('contains "%(key)s": for the list\'s own fields (%(known)s), use %(example)s')
            known = ", ".join(sorted(keys)) or Sentence(marked("none"))
            yield Problem(f"fields in {label}", said_else, key=key, known=known, example=OWN)


def _policy_file(said: ListSettings | ListTexts, label: str) -> Iterator[Problem]:
    if said.policy_file and Path(said.policy_file).suffix.lower() not in POLICY_FILES:
        text = marked("must be a file that ends in %(known)s")
        yield Problem(f"policy_file in {label}", text, known=", ".join(POLICY_FILES))


def site_problems(configured: ListSettings, label: str) -> Iterator[Problem]:
    """Exact origins, redirects that stay on them, and fields that are told apart."""
    for origin in configured.origins:
        if not _ORIGIN.fullmatch(origin) or origin_of(origin) != origin:
            text = marked('contains "%(origin)s", which is not an origin such as "%(example)s"')
            yield Problem(f"origins in {label}", text, origin=origin, example="https://www.example.org")
    for key in ("thank_you_url", "confirmed_url"):
        url = getattr(configured, key)
        if url and origin_of(url) not in configured.origins:
            known = ", ".join(configured.origins) or Sentence(marked("none yet"))
            yield Problem(f"{key} in {label}", marked("must be on one of the list's origins (%(known)s)"), known=known)
    keys = [text.partition(":")[0] for text in configured.fields]
    for text, key in zip(configured.fields, keys, strict=True):
        if text not in FIELDS and (not _FIELD.fullmatch(text) or key in _TAKEN):
            said = marked('contains "%(key)s": use %(known)s, or a field of your own, %(example)s')
            yield Problem(f"fields in {label}", said, key=key, known=", ".join(FIELDS), example=OWN)
    if len(set(keys)) < len(keys):
        yield Problem(f"fields in {label}", marked("names a field twice"))
