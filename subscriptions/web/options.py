"""How an embedded form is wished for: which fields, which further lists, which colour; read from a query."""

import re
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from subscriptions.domain.sites import origin_of
from subscriptions.store.models import List

COLOUR = re.compile(r"#[0-9a-f]{6}", re.I)


@dataclass(frozen=True, slots=True)
class Options:
    """What is not wished for, or cannot be, is as the list has it."""

    fields: tuple[str, ...]  # keys
    colour: str
    return_url: str

    def query(self, row: List) -> dict[str, str]:
        """What a script or a frame must be told besides the list: only what is not as the list has it."""
        wished = {"fields": ",".join(self.fields) or "none", "colour": self.colour}
        usual = {"fields": ",".join(keys(row)) or "none", "colour": ""}
        return {name: value for name, value in wished.items() if value != usual[name]}


def read(row: List, query: "MultiDict[str, str]") -> Options:
    """What of a query can be had: fields that the list has, a colour, a page on a site of the list."""
    colour, back = query.get("colour", ""), query.get("return_url", "")
    return Options(
        fields=_fields(row, query),
        colour=colour.lower() if COLOUR.fullmatch(colour) else "",
        return_url=back if origin_of(back) in row.origins else "",
    )


def keys(row: List) -> tuple[str, ...]:
    return tuple(text.partition(":")[0] for text in row.fields)


def _fields(row: List, query: "MultiDict[str, str]") -> tuple[str, ...]:
    """Those that are named, `fields=name&fields=company` or `fields=name,company`; all where the query is silent."""
    named = {key for text in query.getlist("fields") for key in text.split(",")}
    return tuple(key for key in keys(row) if key in named) if "fields" in query else keys(row)
