"""What a list's look must hold to: a colour, and a picture that is there, is one and is not large."""

import re
from collections.abc import Iterator
from pathlib import Path

from subscriptions.look.pictures import OCTETS_AT_MOST, TYPES, NoPicture, read_picture
from subscriptions.settings import ListSettings


def look_problems(configured: ListSettings, label: str, root: Path) -> Iterator[str]:
    """One sentence a problem, each naming the key."""
    if configured.colour and not re.fullmatch(r"#[0-9a-fA-F]{6}", configured.colour):
        yield f'colour in {label} must be written like "#14634b".'
    if configured.logo:
        yield from _picture_problems(root / configured.logo, label)


def _picture_problems(path: Path, label: str) -> Iterator[str]:
    if path.suffix.lower() not in TYPES:
        yield f"logo in {label} must be a file that ends in {', '.join(TYPES)}."
        return
    try:
        picture = read_picture(path)
    except NoPicture:
        yield f"logo in {label} names {path}, which is no picture of the type that its name says."
    except OSError:
        yield f"logo in {label} names {path}, which is no file that can be read."
    else:
        if len(picture.octets) > OCTETS_AT_MOST:
            yield f"logo in {label} is larger than {OCTETS_AT_MOST // 1000} kB: it stands on every page of the list."
