"""The feed of changes: what a program that sends has to know, in order and at least once."""

from typing import Any

from flask import Blueprint, Response, request

from subscriptions import clock as clocks
from subscriptions.domain.fields import further
from subscriptions.parts import current_parts
from subscriptions.store import changes
from subscriptions.store.changes import Change
from subscriptions.store.engine import reading
from subscriptions.web.api.lists import limit_asked
from subscriptions.web.http.lists import any_list
from subscriptions.web.http.problem import Problem
from subscriptions.web.http.problems import answer, json_answer, wrong_in

pages = Blueprint("changes", __name__, url_prefix="/api/v1")
_DIGITS = 18
_OF_ANOTHER = "This cursor is from another database, or from before its people were removed: begin again without one."


@pages.get("/changes")
def since() -> Response:
    slug = request.args.get("list")
    row = any_list(slug) if slug is not None else None
    limit, problems = limit_asked()
    told = request.args.get("cursor") or "0"
    if not (told.isascii() and told.isdigit() and len(told) <= _DIGITS):
        problems.append(Problem("cursor", "This is not a cursor from this service."))
    if problems:
        return wrong_in("query", problems)
    cursor, now = int(told), current_parts().clock.now()
    with reading() as session:
        newest = changes.newest(session)
        if cursor > newest:
            return answer(409, _OF_ANOTHER)
        found = changes.between(session, cursor, newest, row.id if row else None, now, limit)
    end = found[-1].number if len(found) == limit else newest  # what is no change is not looked through again
    return json_answer({"changes": [_told(one) for one in found], "next": str(end)})


def _told(change: Change) -> dict[str, Any]:
    """Of somebody erased no more than by what the sender knows the subscription."""
    parts, row = current_parts(), change.subscription
    of_list = parts.catalogue.lists[row.list_id]
    told = {"cursor": str(change.number), "id": parts.links.subscription_ids(of_list.slug)(row.key),
            "list": of_list.slug, "change": change.fact, "at": clocks.text(change.at)}  # fmt: skip
    if not change.is_shown:
        return told | {"status": "erased"}
    fields = {"fields": row.fields or {}} if row.fields or further(of_list.fields) else {}
    return told | {"status": row.state, "email": row.address, "name": row.name, **fields, "locale": row.locale,
                   "restricted": row.restricted}  # fmt: skip
