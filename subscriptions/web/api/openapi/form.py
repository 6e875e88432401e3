"""The description of a form as data: what the script of an embedded form builds it from."""

from dataclasses import fields
from typing import Any

from subscriptions.web.api.openapi.signup import TEXT, object_of
from subscriptions.web.intake.fields import Input

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
