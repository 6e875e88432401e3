"""How an embedded form is wished for: which lists and fields, which colour, where it leads; read from a query."""

import re
from dataclasses import dataclass

from flask import abort
from werkzeug.datastructures import MultiDict

from subscriptions.domain.sites import origin_of
from subscriptions.parts import current_parts
from subscriptions.store.models import List
from subscriptions.web.http import language, urls
from subscriptions.web.intake.fields import is_compact, keys_in, keys_of, named, shown_fields
from subscriptions.web.pages.sign_up_form import SignUpForm, describe

COLOUR = re.compile(r"#[0-9a-f]{6}", re.I)
DEFAULT_COLOUR = "#14634b"
SCHEMES = ("light", "dark", "auto")


@dataclass(frozen=True, slots=True)
class Options:
    """What is not wished for, or cannot be, is as the lists have it."""

    rows: tuple[List, ...]  # the list itself, then the further ones of the same form
    fields: tuple[str, ...]  # as the configuration names them
    colour: str = ""
    return_url: str = ""
    scheme: str = ""  # by day or at night, or as the visitor has it; else like the page around it
    compact: bool = False  # address and button in one row

    @property
    def keys(self) -> tuple[str, ...]:
        return keys_in(self.fields)

    @property
    def origins(self) -> list[str]:
        """The sites that every list of the form knows."""
        return [origin for origin in self.rows[0].origins if all(origin in row.origins for row in self.rows)]

    @property
    def is_choice(self) -> bool:
        return len(self.rows) > 1

    def form(self) -> SignUpForm:
        """For other sites."""
        path = "/subscribe" if self.is_choice else f"/subscribe/{self.rows[0].slug}"
        return describe(self.rows, self.fields, urls.public(path), self.return_url, is_choice=self.is_choice)

    def query(self) -> dict[str, str]:
        """What a script or a frame must be told besides the list: only what is not as the list has it."""
        usual = () if self.compact else tuple(keys_of(self.rows))
        wished = {
            "lists": ",".join(row.slug for row in self.rows[1:]),
            "fields": "" if self.keys == usual else ",".join(self.keys) or "none",
            "colour": self.colour,
            "scheme": self.scheme,
            "compact": "1" if self.compact else "",
        }
        return {name: value for name, value in wished.items() if value}


def read(row: List, query: "MultiDict[str, str]") -> Options:
    """What of a query can be had: lists that there are, fields of theirs, a colour, a page on a site of theirs."""
    rows = _rows(row, query)
    colour, back = query.get("colour", ""), query.get("return_url", "")
    is_own = COLOUR.fullmatch(colour) and colour.lower() != (row.colour or DEFAULT_COLOUR).lower()
    known_colour = colour.lower() if is_own else ""
    return_url = back if all(origin_of(back) in row.origins for row in rows) else ""
    scheme = query.get("scheme", "")
    return Options(rows, shown_fields(rows, query), known_colour, return_url, scheme if scheme in SCHEMES else "",
                   is_compact(query))  # fmt: skip


def _rows(row: List, query: "MultiDict[str, str]") -> tuple[List, ...]:
    others = [current_parts().catalogue.by_slug(slug) for slug in named(query, "lists") if slug != row.slug]
    return (language.said(row), *(language.said(other or abort(404)) for other in others))
