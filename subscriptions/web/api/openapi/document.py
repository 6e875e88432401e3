"""The API's description of itself: OpenAPI 3.1, true to what is served."""

import json
from typing import Any

from flask import Blueprint, Response

from subscriptions import __version__
from subscriptions.parts import current_parts
from subscriptions.store.lists import Catalogue
from subscriptions.web.api.lists import PAGE_AT_MOST, PAGE_DEFAULT
from subscriptions.web.api.openapi.schemas import FORM, TEXT, TEXTS, TIME, object_of, sign_up
from subscriptions.web.http.routes import ROUTES

pages = Blueprint("openapi", __name__)

_COUNT = {"type": "integer", "minimum": 0}
_STATES = ("pending", "blocked", "confirmed", "unsubscribed", "bounced")
_SAYS = {
    400: "The request was not understood.",
    401: "No token, or not one of ours.",
    403: "The token has another scope, or the page's origin is not one of the list's.",
    404: "There is no such list.",
    405: "Not with this method.",
    410: "Too late: this sign-up can no longer be confirmed.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "Something in the request is not as it should be; `errors` says what.",
    429: "This network has signed up too often; try again after `Retry-After` seconds.",
    500: "A fault of ours.",
    503: "The database does not answer; nothing was changed. Try again after `Retry-After` seconds.",
}


@pages.get("/api/v1/openapi.json")
def openapi() -> Response:
    return Response(json.dumps(document(current_parts().catalogue)), mimetype="application/json")


def document(catalogue: Catalogue) -> dict[str, Any]:
    """The description, with the lists that there are now."""
    schemas = {**DOCUMENT["components"]["schemas"], "SignUp": sign_up(catalogue)}
    return {**DOCUMENT, "components": {**DOCUMENT["components"], "schemas": schemas}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _or_null(schema: dict[str, str]) -> dict[str, Any]:
    return schema | {"type": [schema["type"], "null"]}


def _query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _operation(
    id_: str, summary: str, answers: dict[str, Any], *problems: int, needs: str = "", **more: Any
) -> dict[str, Any]:
    """`needs`: the scope of the token that it asks for."""
    if needs:
        more = {"security": [{"token": []}], "description": f'Needs a token of scope "{needs}".', **more}
    return {"operationId": id_, "summary": summary, **more, "responses": {**answers, **_problems(*problems)}}


def _ok(description: str, schema: dict[str, Any], status: int = 200, **more: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return {str(status): {"description": description, "content": content, **more}}


def _problems(*statuses: int) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _ref("Problem")}}
    found: dict[str, Any] = {}
    for status in (*statuses, 400, 405, 413, 500, 503):
        found[str(status)] = {"description": _SAYS[status], "content": content}
        if status in (429, 503):
            found[str(status)]["headers"] = {"Retry-After": {"schema": _COUNT}}
    return found


def _body(name: str) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": _ref(name)}}}


def _taken(**which: Any) -> dict[str, Any]:
    return object_of(
        ("status", *which, "registration"),
        status={"const": "pending_confirmation"},
        **which,
        registration=TEXT | {"description": "A random handle of this visit; it tells nothing."},
        hint=TEXT | {"description": "A likely slip in the address, which was taken as it is."},
    )


def _confirmed(**which: Any) -> dict[str, Any]:
    return object_of(("status", *which), status={"const": "confirmed"}, **which)


_LIST = {"name": "list", "in": "path", "required": True, "schema": TEXT, "description": "The slug of a list."}
_LIMIT = {"type": "integer", "minimum": 1, "maximum": PAGE_AT_MOST, "default": PAGE_DEFAULT}
_LISTED = object_of(("list", "name", *_STATES), list=TEXT, name=TEXT, **dict.fromkeys(_STATES, _COUNT))
_FILE = {"200": {
    "description": "CSV (RFC 4180, safe from formula injection) or JSON lines (lossless).",
    "content": {"text/csv": {"schema": TEXT}, "application/jsonl": {"schema": TEXT}},
    "headers": {"X-Export-Started-At": {"schema": TIME}},
}}  # fmt: skip

_PATHS = {
    "/api/v1/subscriptions": {"post": _operation(
        "subscribe", "Sign an address up; the answer is the same for every address.",
        _ok("Taken. What became of it is told by mail alone.", _ref("Taken"), 202), 401, 403, 404, 415, 422, 429,
        security=[{}, {"token": []}], parameters=[_query("lang", TEXT, "The language of `hint`; English without it.")],
        requestBody=_body("SignUp"),
    )},
    "/api/v1/challenge": {"get": _operation(
        "challenge", "A challenge of the proof of work (ALTCHA), good once and for ten minutes.",
        _ok("To be solved.", _ref("Challenge")), 404,
    )},
    "/api/v1/confirmations": {"post": _operation(
        "confirm", "Confirm with the code from the mail; a wrong one is answered the same for every address.",
        _ok("Confirmed; so is a second time.", _ref("Confirmed")), 403, 410, 415, 422,
        security=[{}], requestBody=_body("Code"),
    )},
    "/api/v1/lists": {"get": _operation(
        "lists", "The lists with their counts.", _ok("Every list.", _ref("Lists")), 401, 403,
        needs=ROUTES["lists.lists"].scope,
    )},
    "/api/v1/lists/{list}/form": {"get": _operation(
        "form", "The form of a list as data, in the language asked for; for scripts of the list's origins.",
        _ok("The form.", _ref("Form")), 403, 404,
        parameters=[
            _LIST, _query("lang", TEXT, "A language tag."),
            _query("fields", TEXT, "The voluntary fields that are wanted, with commas between; `none`."),
            _query("lists", TEXT, "Slugs of further lists on the same form, with commas between."),
            _query("colour", TEXT, "A colour of its own for the button, such as #a03060."),
        ],
    )},
    "/api/v1/lists/{list}/subscriptions": {"get": _operation(
        "subscriptions", "The subscriptions of a list, page by page; never a registration.",
        _ok("One page.", _ref("Page"), headers={"Link": {"schema": TEXT}}), 401, 403, 404, 422,
        needs=ROUTES["lists.subscriptions_of"].scope,
        parameters=[
            _LIST, _query("limit", _LIMIT, "How many at most."),
            _query("cursor", TEXT, "The `next` of the page before."),
        ],
    )},
    "/api/v1/lists/{list}/export": {"get": _operation(
        "export", "A stream of the confirmed subscriptions, each with its own unsubscribe URL.",
        _FILE, 401, 403, 404, 422,
        needs=ROUTES["lists.export"].scope,
        parameters=[_LIST, _query("format", {"enum": ["csv", "jsonl"], "default": "csv"}, "CSV or JSON lines.")],
    )},
    "/api/v1/openapi.json": {"get": _operation(
        "openapi", "This document.", _ok("OpenAPI 3.1.", {"type": "object"}),
    )},
}  # fmt: skip

_SCHEMAS = {
    "Taken": {"oneOf": [_taken(list=TEXT), _taken(lists=_array(TEXT))]},
    "Code": object_of(
        ("registration", "code"),
        registration=TEXT | {"description": "The `registration` that the sign-up was answered with."},
        code=TEXT | {"description": "As typed; case, spaces and hyphens do not matter."},
    ),
    "Form": FORM,
    "Confirmed": {"oneOf": [_confirmed(list=TEXT), _confirmed(lists=_array(TEXT))]},
    "Lists": object_of(("lists",), lists=_array(_LISTED)),
    "Subscription": object_of(
        ("email", "name", "locale", "status", "registered_at", "confirmed_at", "ended_at"),
        email=TEXT, name=_or_null(TEXT), fields=TEXTS | {"description": "Where the list has any besides a name."},
        locale=TEXT, status={"enum": ["confirmed", "unsubscribed", "bounced"]},
        registered_at=TIME, confirmed_at=TIME, ended_at=_or_null(TIME),
    ),
    "Page": object_of(("subscriptions", "next"), subscriptions=_array(_ref("Subscription")), next=_or_null(TEXT)),
    "Challenge": object_of(("parameters", "signature"), parameters={"type": "object"}, signature=TEXT),
    "Problem": {
        "type": "object", "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": TEXT, "title": TEXT, "status": {"type": "integer"}, "detail": TEXT, "instance": TEXT,
            "challenge": _ref("Challenge"), "tries_left": {"type": "integer"},
            "errors": _array(object_of(("detail", "pointer"), detail=TEXT, pointer=TEXT)),
        },
    },
}  # fmt: skip

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Yestwice", "version": __version__, "description": "Double-opt-in subscriptions."},
    "paths": _PATHS,
    "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}, "schemas": _SCHEMAS},
}
