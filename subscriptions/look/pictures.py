"""Pictures that a list may show: of which type a file is, by its own first octets, and how large it is drawn.

A logo is a file of the server, by its path, or was uploaded and is the picture itself, as a data: URL.
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from subscriptions.look import drawing

TYPES = {
    ".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp",
}  # fmt: skip
OCTETS_AT_MOST = 200_000  # it stands on every page of its list
SIDE_AT_MOST = 4000  # pixels of one that was uploaded: few octets can unfold to more than a browser can hold
UPLOADED = "data:"  # how the logo begins that is a picture itself
IN_MAILS = {"image/png", "image/jpeg"}  # no mail program worth naming fails at these; many show neither SVG nor WebP
_FRAMES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))  # JPEG's starts of a frame


class NoPicture(ValueError):
    """The file is not what its name says."""


@dataclass(frozen=True)
class Picture:
    """A logo: its octets, type and size."""

    octets: bytes
    type: str
    width: int
    height: int

    @cached_property
    def version(self) -> str:
        """Changes with the octets, so that a browser keeps the picture until then."""
        return hashlib.sha256(self.octets).hexdigest()[:12]

    @property
    def adapts(self) -> bool:
        """Whether it draws itself for the night, too."""
        return self.type == "image/svg+xml" and b"prefers-color-scheme" in self.octets

    def size_at(self, height: int, at_most: int) -> tuple[int, int]:
        """Width and height when drawn so high, or less where it would be too wide."""
        width = max(1, round(self.width * height / self.height))
        if width <= at_most:
            return width, height
        return at_most, max(1, round(self.height * at_most / self.width))


def read_picture(path: Path) -> Picture:
    """Raises NoPicture, or OSError."""
    return _measured(path.read_bytes(), TYPES[path.suffix.lower()])


def _measured(octets: bytes, type_: str) -> Picture:
    width, height = _SIZE[type_](octets)
    if not (width > 0 and height > 0):
        raise NoPicture
    return Picture(octets, type_, width, height)


def uploaded(octets: bytes) -> str:
    """A file that was uploaded as a logo; whether it is a picture, is told when it is read."""
    type_ = next((type_ for begins, type_ in _BEGINS if octets.startswith(begins)), TYPES[".svg"])
    return f"{UPLOADED}{type_};base64,{base64.b64encode(octets).decode()}"


def read_uploaded(logo: str) -> Picture:
    """Raises NoPicture."""
    type_, _, text = logo.removeprefix(UPLOADED).partition(";base64,")
    try:
        return _measured(base64.b64decode(text, validate=True), type_)
    except (ValueError, KeyError):
        raise NoPicture from None


def flaw(picture: Picture) -> str:
    """What a drawing that was uploaded must not have in it; empty: nothing. Raises NoPicture."""
    try:
        return drawing.flaw(picture.octets) if picture.type == TYPES[".svg"] else ""
    except drawing.NoDrawing:
        raise NoPicture from None


@lru_cache(64)
def known_picture(logo: str, root: Path) -> Picture | None:
    """Read once: a changed configuration needs a restart anyway. None where a list that is gone has left no file."""
    try:
        return read_uploaded(logo) if logo.startswith(UPLOADED) else read_picture(root / logo)
    except (OSError, NoPicture, KeyError):
        return None


def _png(octets: bytes) -> tuple[int, int]:
    if octets[:8] != b"\x89PNG\r\n\x1a\n" or octets[12:16] != b"IHDR" or len(octets) < 24:
        raise NoPicture
    return int.from_bytes(octets[16:20]), int.from_bytes(octets[20:24])


def _jpeg(octets: bytes) -> tuple[int, int]:
    for marker, segment in _segments(octets):
        if marker in _FRAMES:
            return int.from_bytes(segment[3:5]), int.from_bytes(segment[1:3])
    raise NoPicture


def _segments(octets: bytes) -> Iterator[tuple[int, bytes]]:
    at = 2 if octets[:2] == b"\xff\xd8" else len(octets)
    while octets[at : at + 1] == b"\xff" and at + 4 <= len(octets):
        size = int.from_bytes(octets[at + 2 : at + 4])
        yield octets[at + 1], octets[at + 4 : at + 2 + size]
        at += 2 + max(size, 2)


def _webp(octets: bytes) -> tuple[int, int]:
    kind, body = octets[12:16], octets[20:30]
    if octets[:4] != b"RIFF" or octets[8:12] != b"WEBP" or len(body) < 10:
        raise NoPicture
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L":
        packed = int.from_bytes(body[1:5], "little")
        return 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)
    return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF


def _svg(octets: bytes) -> tuple[int, int]:
    root = re.search(r"<svg\b[^>]*>", octets.decode("utf-8", "replace"), re.S)
    if root is None:
        raise NoPicture
    box = re.search(r"""\bviewBox\s*=\s*["']([^"']*)["']""", root[0])
    sides = re.split(r"[\s,]+", box[1].strip())[2:] if box else [_side(root[0], name) for name in ("width", "height")]
    try:
        width, height = map(float, sides)
        return round(width), round(height)
    except (ValueError, OverflowError):  # not two numbers, or no finite ones
        raise NoPicture from None


def _side(root: str, name: str) -> str:
    found = re.search(rf"""\s{name}\s*=\s*["']\s*([^"']*?)(?:px)?\s*["']""", root)
    return found[1] if found else ""


_BEGINS = (b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"RIFF", "image/webp")
_SIZE = {"image/png": _png, "image/jpeg": _jpeg, "image/webp": _webp, "image/svg+xml": _svg}
