"""What a drawing (SVG) of somebody must not have in it: what runs, what leads elsewhere, what unfolds without end."""

from collections.abc import Iterator
from io import BytesIO
from xml.etree import ElementTree

_SVG = "{http://www.w3.org/2000/svg}"
_HTML = "{http://www.w3.org/1999/xhtml}"
# Others than these of SVG run, load or repeat something. Of further vocabularies, such as those of drawing programs,
# browsers do nothing with any but HTML.
_PARTS = frozenset(
    "svg g defs title desc metadata style path rect circle ellipse line polyline polygon text tspan "
    "linearGradient radialGradient stop clipPath mask switch".split()
)


class NoDrawing(ValueError):
    """It is no SVG."""


def flaw(octets: bytes) -> str:
    """The first of it, by its name in the file; empty: nothing."""
    for text in ("<!ENTITY", "<?xml-stylesheet"):
        if text.encode() in octets:
            return text
    try:
        root = ElementTree.parse(BytesIO(octets)).getroot()  # noqa: S314 it has no entities, and nothing is loaded
    except (ElementTree.ParseError, ValueError, LookupError):
        raise NoDrawing from None
    if root.tag != f"{_SVG}svg":
        raise NoDrawing
    return next((name for element in root.iter() for name in _flaws(element)), "")


def _flaws(element: ElementTree.Element) -> Iterator[str]:
    vocabulary, _, name = element.tag.rpartition("}")
    if f"{vocabulary}}}" == _HTML or (f"{vocabulary}}}" == _SVG and name not in _PARTS):
        yield name
    for key, value in element.attrib.items():
        attribute = key.rpartition("}")[2].lower()
        if attribute.startswith("on") or (attribute == "href" and not value.startswith("#")):
            yield attribute
        if _leads_elsewhere(value):
            yield "url()"
    if name == "style" and _leads_elsewhere("".join(element.itertext())):
        yield "url()"


def _leads_elsewhere(style: str) -> bool:
    """Whether it names anything but a part of the drawing; what is written in another way to hide it counts as well."""
    plain = style.lower().replace(" ", "").replace('"', "").replace("'", "")
    return "\\" in style or "@import" in plain or plain.count("url(") > plain.count("url(#")
