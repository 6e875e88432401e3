"""Colours as eyes see them: contrast as WCAG counts it, lightness as OKLCH does, so that a shade keeps its hue."""

import math
from collections.abc import Iterable, Sequence

_LINEAR_TO_CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_CONES_TO_LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
_LAB_TO_CONES = (
    (1.0, 0.3963377774, 0.2158037573),
    (1.0, -0.1055613458, -0.0638541728),
    (1.0, -0.0894841775, -1.2914855480),
)
_CONES_TO_LINEAR = (
    (4.0767416621, -3.3077115913, 0.2309699292),
    (-1.2684380046, 2.6097574011, -0.3413193965),
    (-0.0041960863, -0.7034186147, 1.7076147010),
)
Triple = tuple[float, float, float]


def contrast(first: str, second: str) -> float:
    """From 1 (the same) to 21 (black on white), of colours such as `#14634b`."""
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def mix(ground: str, layer: str, share: float) -> str:
    """`ground` with that share of `layer` in it, as a translucent layer would look."""
    pairs = zip(_octets(ground), _octets(layer), strict=True)
    return _hex(below + (above - below) * share for below, above in pairs)


def lightness(colour: str) -> float:
    """From 0 (black) to 1 (white)."""
    return _lab(colour)[0]


def with_lightness(colour: str, light: float) -> str:
    """The same hue, lighter or darker; paler where a screen has no such colour."""
    _, green_red, blue_yellow = _lab(colour)
    for step in range(20, -1, -1):
        linear = _from_lab((light, green_red * step / 20, blue_yellow * step / 20))
        if all(-0.0005 <= part <= 1.0005 for part in linear):
            break
    return _hex(255 * _gamma(min(max(part, 0.0), 1.0)) for part in linear)


def _lab(colour: str) -> Triple:
    cones = _times(_LINEAR_TO_CONES, _linear(colour))
    return _times(_CONES_TO_LAB, [*map(math.cbrt, cones)])


def _from_lab(lab: Sequence[float]) -> Triple:
    return _times(_CONES_TO_LINEAR, [cone**3 for cone in _times(_LAB_TO_CONES, lab)])


def _times(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> Triple:
    first, second, third = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return first, second, third


def _linear(colour: str) -> Triple:
    red, green, blue = (_straight(part / 255) for part in _octets(colour))
    return red, green, blue


def _straight(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _gamma(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else float(1.055 * part ** (1 / 2.4) - 0.055)


def _octets(colour: str) -> bytes:
    return bytes.fromhex(colour[1:])


def _hex(parts: Iterable[float]) -> str:
    return "#" + bytes(map(round, parts)).hex()
