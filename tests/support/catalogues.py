"""Made-up languages: every text of ours in brackets, so that what was never translated stands outside of them."""

import re
from functools import cache
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

HOME = Path(__file__).resolve().parents[2]
TEMPLATE = HOME / "translations" / "messages.pot"
SPOKEN = ("aria-label", "alt", "title", "placeholder")


def bracketed(folder: Path, *tags: str) -> Path:
    """A folder of translations with these languages; each text says its language: ⟦ar: Name⟧."""
    for tag in tags:
        target = folder / tag / "LC_MESSAGES" / "messages.mo"
        target.parent.mkdir(parents=True)
        target.write_bytes(_compiled(tag))
    return folder


@cache
def _compiled(tag: str) -> bytes:
    with TEMPLATE.open("rb") as file:
        catalogue = read_po(file, locale=tag)
    for text in catalogue:
        if text.id:
            last = text.id if isinstance(text.id, str) else text.id[-1]
            said = f"⟦{tag}: {last}⟧"
            text.string = (said,) * catalogue.num_plurals if text.pluralizable else said
    out = BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


class Words(HTMLParser):
    """What a page says to people: its texts and what stands in attributes that are read out."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = [*self._open, tag] if tag in ("style", "pre") else self._open
        self.found += [f" {value} " for name, value in attrs if name in SPOKEN and value]

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open[:-1] if tag in self._open else self._open

    def handle_data(self, data: str) -> None:
        if not self._open:
            self.found.append(data)


def outside(text: str) -> str:
    """What is left of a text without all that stands in brackets."""
    shorter = re.sub(r"⟦[^⟦⟧]*⟧", "", text)
    return outside(shorter) if shorter != text else text
