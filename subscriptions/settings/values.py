"""What a value of a list must be that takes more than a pattern to see: a time zone, a picture, a text to be stored."""

import re
from collections.abc import Iterator
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from subscriptions.look.pictures import OCTETS_AT_MOST, TYPES, NoPicture, read_picture
from subscriptions.settings import ListSettings, ListTexts

# no database takes all of these; the last is how mails mark the place of a value
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]|QzX")
_LONGEST = 10_000


def unwritable(texts: ListSettings | ListTexts, label: str) -> Iterator[str]:
    for setting in fields(texts):
        value = getattr(texts, setting.name)
        for text in [value] if isinstance(value, str) else value if isinstance(value, tuple) else ():
            if _UNWRITABLE.search(text):
                yield f"{setting.name} in {label} must not contain control characters."
            if len(text) > _LONGEST:
                yield f"{setting.name} in {label} must have at most {_LONGEST:,} characters."


def zone_problems(name: str, label: str) -> Iterator[str]:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        known = {each.lower(): each for each in available_timezones()}
        near = get_close_matches(name.lower(), known, 1)
        meant = f'; perhaps you mean "{known[near[0]]}"' if near else ""
        yield f'timezone in {label} is "{name}", which is not a time zone such as "Europe/Berlin"{meant}.'


def look_problems(configured: ListSettings, label: str, root: Path) -> Iterator[str]:
    """A picture that is there, is one and is not large."""
    path = root / configured.logo
    if not configured.logo:
        return
    if path.suffix.lower() not in TYPES:
        yield f"logo in {label} must be a file that ends in {', '.join(TYPES)}."
        return
    try:
        picture = read_picture(path)
    except NoPicture:
        yield f"logo in {label} names {path}, which is not a picture of the type in its file name."
    except OSError:
        yield f"logo in {label} names {path}, which cannot be read."
    else:
        if len(picture.octets) > OCTETS_AT_MOST:
            yield f"logo in {label} is larger than {OCTETS_AT_MOST // 1000} kB: every page of the list has to load it."
