"""Bring the familiar catalogues in line with the others, and compile them: `make translations` runs it.

A text that is no longer in messages.po goes and is named on the terminal: whatever took its place may need a familiar
form as well.
"""

from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).resolve().parent


def update(own: Catalog, formal: Catalog) -> Iterator[str]:
    """Drop what no template says any more, and yield it; the others stand where the formal ones do."""
    for message in [message for message in own if message.id]:
        said = formal.get(message.id)
        if said is None:
            own.delete(message.id)
            yield str(message.id)
        else:
            message.locations = said.locations


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3])


def main() -> None:
    for path in sorted(HERE.glob("*/LC_MESSAGES/familiar.po")):
        own = _read(path)
        for gone in update(own, _read(path.with_name("messages.po"))):
            print(f"{path.parts[-3]}: no longer a text: {gone}")
        with path.open("wb") as file:
            write_po(file, own, width=0, sort_output=True, include_lineno=False)
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, own)


if __name__ == "__main__":
    main()
