"""The API's description of itself: OpenAPI 3.1, true to what is served. openapi.json has what depends on no list."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask import Blueprint, Response

from subscriptions import __version__
from subscriptions.domain.fields import LONGEST, Field, fields_of
from subscriptions.parts import current_parts
from subscriptions.store.lists import Catalogue
from subscriptions.store.models import List

pages = Blueprint("openapi", __name__)
FIXED: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
_SCHEMAS = FIXED["components"]["schemas"]
_VOLUNTARY = {"type": "string", "maxLength": LONGEST, "pattern": r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffd]*$"}


@pages.get("/api/v1/openapi.json")
def openapi() -> Response:
    return Response(json.dumps(document(current_parts().catalogue)), mimetype="application/json")


def document(catalogue: Catalogue) -> dict[str, Any]:
    """The description, with the lists that there are now."""
    told = _SCHEMAS["Event"] | {"properties": _SCHEMAS["Event"]["properties"] | {"list": _any_of(catalogue)}}
    schemas = _SCHEMAS | {"SignUp": {"anyOf": _sign_ups(catalogue)}, "Event": told}
    info = FIXED["info"] | {"version": __version__}
    return FIXED | {"info": info, "components": FIXED["components"] | {"schemas": schemas}}


def _any_of(catalogue: Catalogue) -> dict[str, Any]:
    return {"enum": [row.slug for row in catalogue.lists.values()]}


def _sign_ups(catalogue: Catalogue) -> list[dict[str, Any]]:
    shown: dict[int, list[str]] = {}
    for wording in catalogue.wordings.values():
        shown.setdefault(wording.list_id, []).append(wording.id)
    first, *others = lists = catalogue.configured
    kinds = [_kind([first], ["email"], _by_list(first, shown))]
    kinds += [_kind([row], ["email", "list"], _by_list(row, shown)) for row in others]
    return [*kinds, _kind(lists, ["email", "lists"], _by_lists(lists, shown))]


def _by_list(row: List, shown: dict[int, list[str]]) -> dict[str, Any]:
    return {
        "list": {"const": row.slug, "description": "Default: the first list."},
        "wording": {"enum": shown[row.id], "description": "Id of the consent text that was shown."},
    }


def _by_lists(rows: Sequence[List], shown: dict[int, list[str]]) -> dict[str, Any]:
    slugs = {"type": "array", "items": {"enum": [row.slug for row in rows]}, "minItems": 1, "uniqueItems": True}
    wordings = _object({row.slug: {"enum": shown[row.id]} for row in rows}, [])
    return {
        "lists": slugs | {"description": "One email asks for all of them; each can be confirmed separately."},
        "wordings": wordings | {"description": "Ids of the consent texts that were shown, by list."},
    }


def _kind(rows: Sequence[List], required: Sequence[str], which: dict[str, Any]) -> dict[str, Any]:
    first, *others = ({field.key: field for field in fields_of(*row.fields)} for row in rows)
    shared = [field for key, field in first.items() if all(key in of_list for of_list in others)]
    told = {field.key: _VOLUNTARY | {"description": _about(field)} for field in shared}
    return _object(_SCHEMAS["SignUp"]["properties"] | which | told, required)


def _about(field: Field) -> str:
    about = f"{field.label}." if field.is_own else field.hint
    return " ".join(filter(None, ("Voluntary.", about, field.purpose)))


def _object(properties: dict[str, Any], required: Sequence[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
