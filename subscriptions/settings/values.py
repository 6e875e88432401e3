"""What a value must be that takes more than a pattern to see: an address, a time zone, a picture, a text to store."""

import re
from collections.abc import Iterator
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from subscriptions.domain.address import BadAddress, named, parse
from subscriptions.domain.texts import Sentence, marked
from subscriptions.look import pictures
from subscriptions.look.pictures import OCTETS_AT_MOST, SIDE_AT_MOST, TYPES, UPLOADED, NoPicture
from subscriptions.settings import ListSettings, ListTexts

STEERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # what ends a line or steers a terminal
# no database takes all of these; the last is how mails mark the place of a value
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]|QzX")
_LONGEST = 10_000
WEB = marked("must start with https:// or http://")
_CONTROLS = marked("must not contain control characters")
_LONG = marked("must have at most %(most)s characters")


class Problem(str):
    """What is wrong with a setting, which it names; `says` is the same where the setting stands beside it."""

    says: Sentence

    def __new__(cls, where: str, text: str, **values: object) -> Self:
        says = Sentence(text, **values)
        made = super().__new__(cls, f"{where} {says}.")
        made.says = says
        return made


def web(address: str) -> SplitResult | None:
    try:
        url = urlsplit(address)
        return url if url.scheme in ("http", "https") and url.hostname and url.port != 0 else None
    except ValueError:
        return None


def sender_problems(where: str, value: str) -> Iterator[Problem]:
    name, address = named(value)
    if not is_address(address) or (re.search("[<>]", name) and '"' not in value):
        yield Problem(where, marked('must be one address such as "%(example)s"'), example=_SENDER)
    elif not address.rpartition("@")[0].isascii():  # many relays take no such sender, and nobody could answer
        yield Problem(where, marked("must only have plain letters (a-z) before the @ of its address"))
    if STEERS.search(value) or "[" in name:
        yield Problem(where, marked("must not contain line breaks, control characters or placeholders"))


_SENDER = "Newsletter <newsletter@example.org>"


def is_address(text: str) -> bool:
    try:
        parse(text)
    except BadAddress:
        return False
    return True


def unwritable(texts: ListSettings | ListTexts, label: str) -> Iterator[Problem]:
    for setting in fields(texts):
        value = getattr(texts, setting.name)
        for text in [value] if isinstance(value, str) else value if isinstance(value, tuple) else ():
            if _UNWRITABLE.search(text):
                yield Problem(f"{setting.name} in {label}", _CONTROLS)
            if len(text) > _LONGEST and setting.name != "logo":
                yield Problem(f"{setting.name} in {label}", _LONG, most=f"{_LONGEST:,}")


def zone_problems(where: str, name: str) -> Iterator[Problem]:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        known = {each.lower(): each for each in available_timezones()}
        near = get_close_matches(name.lower(), known, 1)
        meant = Sentence(marked('; perhaps you mean "%(zone)s"'), zone=known[near[0]]) if near else ""
        text = marked('is "%(zone)s", which is not a time zone such as "%(example)s"%(meant)s')
        yield Problem(where, text, zone=name, example="Europe/Berlin", meant=meant)


def logo_problems(where: str, logo: str, root: Path) -> Iterator[Problem]:
    """A picture that is there, is one and is not large."""
    if logo.startswith(UPLOADED):
        yield from _uploaded(where, logo)
        return
    path = root / logo
    if path.suffix.lower() not in TYPES:
        yield Problem(where, marked("must be a file that ends in %(ends)s"), ends=", ".join(TYPES))
        return
    try:
        yield from _heavy(where, pictures.read_picture(path))
    except NoPicture:
        yield Problem(where, marked("names %(path)s, which is not a picture of the type in its file name"), path=path)
    except (OSError, ValueError):  # the latter of a path that no system takes
        yield Problem(where, marked("names %(path)s, which cannot be read"), path=path)


def _uploaded(where: str, logo: str) -> Iterator[Problem]:
    try:
        picture = pictures.read_uploaded(logo)
        flaw = pictures.flaw(picture)
    except NoPicture:
        yield Problem(where, marked("must be a picture: an SVG, PNG, JPEG or WebP file"))
        return
    yield from _heavy(where, picture)
    if flaw:
        has = marked('must not have "%(what)s" in its drawing: save it as a plain SVG, or as a PNG')
        yield Problem(where, has, what=flaw)
    elif picture.type != TYPES[".svg"] and max(picture.width, picture.height) > SIDE_AT_MOST:
        yield Problem(where, marked("must be at most %(most)s pixels wide and high"), most=f"{SIDE_AT_MOST:,}")


def _heavy(where: str, picture: pictures.Picture) -> Iterator[Problem]:
    if len(picture.octets) > OCTETS_AT_MOST:
        text = marked("is larger than %(most)s kB: every page of the list has to load it")
        yield Problem(where, text, most=OCTETS_AT_MOST // 1000)
