"""What a sign-up by JSON may hold, and a form as data has, in the words of JSON Schema."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from subscriptions.domain.fields import LONGEST, Field, fields_of
from subscriptions.store.lists import Catalogue
from subscriptions.store.models import List
from subscriptions.web.intake.fields import Input
from subscriptions.web.intake.on_behalf import LONGEST_PAGE

TEXT = {"type": "string"}
TIME = {"type": "string", "format": "date-time"}


def object_of(required: Sequence[str], **properties: Any) -> dict[str, Any]:
    shape = {"type": "object", "properties": properties, "required": list(required)}
    return shape | {"additionalProperties": False}


# Addresses of this kind are always accepted; so are internationalised ones, which no pattern describes.
_ADDRESS = r"^[A-Za-z0-9]{1,20}([._+-][A-Za-z0-9]{1,10}){0,3}@([A-Za-z0-9]{1,20}\.){1,3}(com|net|org|eu|de)$"
_PRINTABLE = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffd]*$"
_VOLUNTARY = TEXT | {"maxLength": LONGEST, "pattern": _PRINTABLE}


_VISITOR = {
    "ip": TEXT | {"description": "Only with a token: the visitor's IP address, as the client vouches for it."},
    "page": TEXT
    | {"format": "uri", "maxLength": LONGEST_PAGE, "description": "Only with a token: the page; kept without query."},
    "time": TIME | {"description": "Only with a token: when the visitor asked, within the last 24 hours."},
}


def _members(rows: Sequence[List], **which: Any) -> dict[str, Any]:
    """What a sign-up for all of these lists may hold besides `which` they are."""
    told = [{field.key: field for field in fields_of(*row.fields)} for row in rows]
    shared = {key: field for key, field in told[0].items() if all(key in of_list for of_list in told)}
    return dict(
        email=TEXT | {"pattern": _ADDRESS, "examples": ["anne@example.org"]},
        locale=TEXT | {"pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$", "description": "A language tag."},
        altcha=TEXT | {"description": "A solved challenge, where a proof of work is asked for: base64 of JSON."},
        **which,
        **{key: _VOLUNTARY | {"description": _about(field)} for key, field in shared.items()},
        **_VISITOR,
    )


def _about(field: Field) -> str:
    return field.label if field.is_own else " ".join(filter(None, ("Voluntary.", field.hint, field.purpose)))


def _by_list(row: List, shown: dict[int, list[str]]) -> dict[str, Any]:
    """How a body names one list."""
    return {
        "list": {"const": row.slug, "description": "The first list where this member is missing."},
        "wording": {"enum": shown[row.id], "description": "Id of the consent text that was shown."},
    }


def _by_lists(rows: Sequence[List], shown: dict[int, list[str]]) -> dict[str, Any]:
    """How it names any number of them."""
    slugs = {"type": "array", "items": {"enum": [row.slug for row in rows]}, "minItems": 1, "uniqueItems": True}
    wordings = object_of((), **{row.slug: {"enum": shown[row.id]} for row in rows})
    return {
        "lists": slugs | {"description": "One mail for all of them; each is confirmed by itself."},
        "wordings": wordings | {"description": "Ids of the consent texts that were shown, by list."},
    }


def sign_up(catalogue: Catalogue) -> dict[str, Any]:
    """One kind for each list, and one for any number of them."""
    shown: dict[int, list[str]] = {}
    for wording in catalogue.wordings.values():
        shown.setdefault(wording.list_id, []).append(wording.id)
    lists = catalogue.configured
    kinds = [
        object_of(("email",) if row is lists[0] else ("email", "list"), **_members([row], **_by_list(row, shown)))
        for row in lists
    ]
    return {"anyOf": [*kinds, object_of(("email", "lists"), **_members(lists, **_by_lists(lists, shown)))]}


TEXTS = {"type": "object", "additionalProperties": TEXT}


def _all(**properties: Any) -> dict[str, Any]:
    """An object that has all of these, always."""
    return object_of(()) | {"properties": properties, "required": list(properties)}


_TYPES: dict[Any, Any] = {str: TEXT, int: {"type": "integer"}, bool: {"type": "boolean"}}
_FIELD = _all(**{part.name: _TYPES[part.type] for part in fields(Input)})
_LIST = _all(
    list=TEXT, name=TEXT, description=TEXT, lang=TEXT, wording=TEXT | {"description": "Send this id with the sign-up."},
    text=TEXT, purpose=TEXT, policy_url=TEXT,
)  # fmt: skip
_CODE = _all(
    heading=TEXT, field=_FIELD, confirm=TEXT, late=TEXT,
    wrong={"type": "array", "items": TEXT, "description": "What to say of a wrong code, by the tries that are left."},
    unread=TEXT, done=TEXT,
)  # fmt: skip
_INBOX = _all(
    heading=TEXT, lead=TEXT, hint=TEXT, facts={"type": "array", "items": {"type": "array", "items": TEXT}}, code=_CODE,
    more=TEXT, correct=TEXT,
)  # fmt: skip

FORM = _all(
    list=TEXT, lang=TEXT, dir={"enum": ["ltr", "rtl"]},
    action=TEXT | {"description": "Where the same form goes as a plain one."},
    frame=TEXT | {"description": "Where it goes within a frame."},
    fields={"type": "array", "items": _FIELD}, lists={"type": "array", "items": _LIST},
    honeypot=TEXT | {"description": "The name of a field that nobody sees or fills."},
    hidden=TEXTS, texts={"type": "object"},
    colours=TEXTS | {"description": "Of the button and of its text, by day and at night."},
    inbox=_INBOX,
)  # fmt: skip
