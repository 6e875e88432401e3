"""The colours of the design, read from where they stand: static/tokens.css. Mails and shades take them from here."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FILE = Path(__file__).resolve().parents[1] / "web" / "static" / "tokens.css"
DARK, MORE = "(prefers-color-scheme: dark)", "(prefers-contrast: more)"
SCHEMES = {  # which blocks of the file hold in it, the last one strongest
    "light": ("",),
    "dark": ("", DARK),
    "light, more contrast": ("", MORE),
    "dark, more contrast": ("", DARK, MORE, f"{MORE} and {DARK}"),
}
FIXED = {"light": "(max-width: 0)", "dark": "(min-width: 0)"}  # what never holds at night, or always
_BLOCK = re.compile(r"(?:@media ([^{]+?) \{\s*)?:root \{(.*?)\}", re.S)
_TOKEN = re.compile(r"--([a-z0-9-]+):\s*([^;]+);")


@cache
def tokens(scheme: str) -> Mapping[str, str]:
    """The tokens of a scheme by their names, without the hyphens before them."""
    blocks = _blocks(FILE.read_text("utf-8"))
    return {name: value for block in SCHEMES[scheme] for name, value in blocks[block].items()}


def fixed(css: str, scheme: str) -> str:
    """A style sheet that no longer asks whether it is night; as it is for any other scheme."""
    if scheme not in FIXED:
        return css
    return css.replace(DARK, FIXED[scheme]).replace("color-scheme: light dark", f"color-scheme: {scheme}")


def _blocks(css: str) -> dict[str, dict[str, str]]:
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    return {found[1] or "": dict(_TOKEN.findall(found[2])) for found in _BLOCK.finditer(css)}
