"""The shades of a list's own colour: buttons wear it as it is, texts as near to it as they stay readable."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache, lru_cache

from subscriptions.look.colour import contrast, lightness, mix, with_lightness
from subscriptions.look.tokens import SCHEMES, tokens

NEEDED = {"light": 4.5, "dark": 4.5, "light, more contrast": 7.0, "dark, more contrast": 7.0}
TINT = {"light": 0.1, "dark": 0.16}  # how much of the colour is in the ground of a consent box
PAPER = {"light": ("#ffffff", 0.06), "dark": ("#0c0f0e", 0.05)}  # of what, and how much of it, the page is
EDGE = 3.0  # of a button, by which it is seen
_STEPS = 200
WHITE, BLACK = "#ffffff", "#000000"


@dataclass(frozen=True, slots=True)
class Shades:
    """The tokens that a list's colour replaces, by their names in tokens.css."""

    accent: str  # of texts, and of what is drawn thin
    accent_strong: str  # where the pointer is
    fill: str  # of a button: the colour itself
    fill_strong: str
    fill_edge: str
    on_accent: str  # the text on a button
    tint: str
    paper: str


@lru_cache(256)
def shades(colour: str, scheme: str) -> Shades:
    """For a colour such as `#14634b`, or the design's own for none."""
    if not colour:
        own = tokens(scheme)
        accent, strong = own["accent"], own["accent-strong"]
        return Shades(accent, strong, accent, strong, accent, own["on-accent"], own["tint"], own["paper"])
    colour = colour.lower()
    tint, paper = _tint(colour, scheme), _paper(colour, scheme)
    grounds = tokens(scheme)["card"], paper, tint
    accent = _nearest(colour, scheme, lambda shade: _is_seen(shade, grounds, NEEDED[scheme]))
    fill = _filled(colour, scheme)
    on = _on(fill)
    edge = _nearest(fill, scheme, lambda shade: _is_seen(shade, grounds, EDGE))
    strong = _moved(accent, 0.09 if _is_dark(scheme) else -0.09)
    return Shades(accent, strong, fill, _moved(fill, 0.07 if on == BLACK else -0.07), edge, on, tint, paper)


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
    return WHITE if _is_dark(scheme) else BLACK


def _filled(colour: str, scheme: str) -> str:
    """The colour itself; where more contrast is asked for, away from the text on it until there is enough."""
    on, light = _on(colour), lightness(colour)
    for step in range(_STEPS + 1):
        shade = with_lightness(colour, light + ((on == BLACK) - light) * step / _STEPS) if step else colour
        if contrast(shade, on) >= NEEDED[scheme]:
            return shade
    return WHITE if on == BLACK else BLACK


def _is_seen(shade: str, grounds: Sequence[str], needed: float) -> bool:
    """On every ground there is, its own tint too."""
    return all(contrast(shade, ground) >= needed for ground in grounds)


def _tint(colour: str, scheme: str) -> str:
    return mix(tokens(scheme)["card"], colour, TINT["dark" if _is_dark(scheme) else "light"])


def _paper(colour: str, scheme: str) -> str:
    ground, share = PAPER["dark" if _is_dark(scheme) else "light"]
    return mix(ground, colour, share)


def _moved(shade: str, by: float) -> str:
    return with_lightness(shade, min(max(lightness(shade) + by, 0.0), 1.0))


def _on(fill: str) -> str:
    """White as long as it can be read: on every colour one of the two can."""
    return WHITE if contrast(WHITE, fill) >= NEEDED["light"] else BLACK


def _is_dark(scheme: str) -> bool:
    return scheme.startswith("dark")
