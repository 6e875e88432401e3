"""What a list's look must hold to: a colour that texts stay readable with, a picture that is there."""

import re
from collections.abc import Iterator
from pathlib import Path

from subscriptions.settings import ListSettings

PICTURES = {
    ".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp",
}  # fmt: skip


def look_problems(one: ListSettings, label: str, root: Path) -> Iterator[str]:
    """One sentence a problem, each naming the key."""
    if one.colour and not re.fullmatch(r"#[0-9a-fA-F]{6}", one.colour):
        yield f'colour in {label} must be written like "#14634b".'
    if one.logo:
        path = root / one.logo
        if path.suffix.lower() not in PICTURES:
            yield f"logo in {label} must be a file that ends in {', '.join(PICTURES)}."
        elif not path.is_file():
            yield f"logo in {label} names {path}, which is no file that can be read."
