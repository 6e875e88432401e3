"""The shades of a list's own colour: as near to it as texts stay readable, in daylight and at night."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache, lru_cache

from subscriptions.look.colour import contrast, lightness, mix, with_lightness
from subscriptions.look.tokens import SCHEMES, tokens

NEEDED = {"light": 4.5, "dark": 4.5, "light, more contrast": 7.0, "dark, more contrast": 7.0}
TINT = {"light": 0.1, "dark": 0.16}  # how much of the colour is in the ground of a consent box
_STEPS = 200


@dataclass(frozen=True, slots=True)
class Shades:
    """The tokens that a list's colour replaces, by their names in tokens.css."""

    accent: str
    accent_strong: str  # where the pointer is
    on_accent: str  # the text on a button
    tint: str


@lru_cache(256)
def shades(colour: str, scheme: str) -> Shades:
    """For a colour such as `#14634b`, or the design's own for none."""
    if not colour:
        own = tokens(scheme)
        return Shades(own["accent"], own["accent-strong"], own["on-accent"], own["tint"])
    accent = _nearest(colour.lower(), scheme, lambda shade: _is_readable(shade, scheme))
    strong = _moved(accent, scheme, 0.09)
    return Shades(accent, strong, _on(accent, strong, scheme), _tint(accent, scheme))


def palette(colour: str, scheme: str) -> dict[str, str]:
    """Every colour of the design with the list's own in it, by the token's name with underscores: for mails."""
    named = {name.replace("-", "_"): value for name, value in tokens(scheme).items() if value.startswith("#")}
    return named | asdict(shades(colour, scheme))


@cache
def sheet(slug: str, colour: str) -> str:
    """A style sheet that gives the list's shades to whatever is of the class `look-<slug>`."""
    return "".join(_rule(slug, shades(colour, scheme), SCHEMES[scheme][-1]) for scheme in SCHEMES)


def _rule(slug: str, made: Shades, condition: str) -> str:
    # screen alone: on paper the design prints black
    media = " and ".join(filter(None, ("screen", condition)))
    lines = (f"--{name.replace('_', '-')}: {value};" for name, value in asdict(made).items())
    return f"@media {media} {{ .look-{slug} {{ {' '.join(lines)} }} }}\n"


def _nearest(colour: str, scheme: str, is_good: Callable[[str], bool]) -> str:
    if is_good(colour):
        return colour
    start, end = lightness(colour), float(_is_dark(scheme))
    for step in range(1, _STEPS + 1):
        shade = with_lightness(colour, start + (end - start) * step / _STEPS)
        if is_good(shade):
            return shade
    return "#ffffff" if _is_dark(scheme) else "#000000"


def _is_readable(accent: str, scheme: str) -> bool:
    """As a text on every ground there is, its own tint too."""
    own = tokens(scheme)
    grounds = (own["card"], own["paper"], _tint(accent, scheme))
    return all(contrast(accent, ground) >= NEEDED[scheme] for ground in grounds)


def _tint(accent: str, scheme: str) -> str:
    return mix(tokens(scheme)["card"], accent, TINT["dark" if _is_dark(scheme) else "light"])


def _moved(accent: str, scheme: str, by: float) -> str:
    light = lightness(accent)
    return with_lightness(accent, min(light + by, 1.0) if _is_dark(scheme) else max(light - by, 0.0))


def _on(accent: str, strong: str, scheme: str) -> str:
    if not _is_dark(scheme):
        return "#ffffff"
    dark = with_lightness(accent, 0.22)
    return dark if all(contrast(dark, ground) >= NEEDED[scheme] for ground in (accent, strong)) else "#000000"


def _is_dark(scheme: str) -> bool:
    return scheme.startswith("dark")
