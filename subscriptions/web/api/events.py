"""What programs that send tell us: bounces, spam reports, who left there."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, g, request

from subscriptions.actions import events
from subscriptions.actions.events import Kind, Told
from subscriptions.actions.returned import About, Effect
from subscriptions.domain.address import BadAddress, parse
from subscriptions.domain.bounces import STATUS, Weight, reply_of, weight_of
from subscriptions.parts import current_parts
from subscriptions.store.audit import Act
from subscriptions.store.models import ActorKind, List
from subscriptions.web.api.subscriptions import json_body
from subscriptions.web.http.problem import Problem
from subscriptions.web.http.problems import answer, json_answer, problem_told, wrong_in
from subscriptions.web.intake.on_behalf import time_in
from subscriptions.web.intake.parse import NotJson, read_json

pages = Blueprint("events", __name__, url_prefix="/api/v1")
AT_MOST, LONGEST = 1000, 2000
MEMBERS: Mapping[str, type] = {
    "type": str, "id": str, "email": str, "list": str, "at": str, "hard": bool, "status": str, "reason": str,
}  # fmt: skip


@pages.errorhandler(NotJson)
def not_json(error: NotJson) -> Response:
    return answer(400, str(error))


@pages.post("/events")
def take() -> Response:
    """One event, or a list of them: what is right is done, and what is wrong with the others is told."""
    body = read_json(json_body())
    items = body if isinstance(body, list) else [body]
    if not 0 < len(items) <= AT_MOST:
        return wrong_in("body", [Problem("", f"From 1 to {AT_MOST} events.")])
    parts, found, problems = current_parts(), list[tuple[Told, str]](), list[dict[str, str]]()
    for number, item in enumerate(items):
        told = _read(item, parts.clock.now())
        if isinstance(told, list):
            problems += _pointed(told, f"/{number}" if isinstance(body, list) else "")
        else:
            found.append(told)
    if not found:
        return answer(422, "No event in the body is as it should be.", members={"errors": problems})
    now = parts.clock.now()
    act = Act(now, ActorKind.TOKEN, g.client, "events")
    effects = events.take(_with_keys(found), now, parts.policy, act)
    counts = {effect.value: effects[effect] for effect in Effect}
    return json_answer({"received": len(items), **counts, "problems": problems})


def _pointed(problems: Sequence[Problem], where: str) -> list[dict[str, str]]:
    return [told | {"pointer": where + told["pointer"]} for told in map(problem_told, problems)]


def _read(item: Any, now: datetime) -> tuple[Told, str] | list[Problem]:
    """An event, and the id by which it names the person; empty where it names an address."""
    if not isinstance(item, dict):
        return [Problem("", "An event is a JSON object.")]
    item = {"list": request.args["list"], **item} if "list" in request.args else item
    problems = [*_wrong_members(item)]
    if problems:
        return problems
    row = next((row for row in current_parts().catalogue.lists.values() if row.slug == item["list"]), None)
    at = key = None
    if row is None:
        problems.append(Problem("list", "There is no such list."))
    try:
        at = time_in(item["at"]) if "at" in item else None
    except ValueError as error:
        problems.append(Problem("at", str(error)))
    try:
        key = current_parts().links.key(parse(item["email"]).folded) if "email" in item else b""
    except BadAddress as error:
        problems.append(Problem("email", error.sentence, error.values, error.code))
    if row is None or key is None or problems:
        return problems
    return _told(item, row, key, at and min(at, now)), "" if key else item["id"]


def _wrong_members(item: Mapping[str, Any]) -> Iterator[Problem]:
    for name, value in item.items():
        if name not in MEMBERS:
            yield Problem(name, "This member is not known here.")
        elif not isinstance(value, MEMBERS[name]) or len(str(value)) > LONGEST:
            yield Problem(
                name, "This member must be true or false." if name == "hard" else "This member must be a text."
            )
    if item.get("type") not in [*Kind]:
        yield Problem("type", f"One of {', '.join(Kind)}.")
    if "list" not in item:
        yield Problem("list", "This member is required, unless the address of the request names the list.")
    if "email" not in item and "id" not in item:
        yield Problem("email", "This member is required, unless there is an id.")
    if "status" in item and not STATUS.fullmatch(str(item["status"])):
        yield Problem("status", "A status such as 5.1.1 (RFC 3463).")


def _told(item: Mapping[str, Any], row: List, key: bytes, at: datetime | None) -> Told:
    status, reason = item.get("status", ""), item.get("reason", "")
    weight = weight_of(status, reason)
    if "hard" in item and weight is not Weight.OTHER:  # a provider that refuses us is no mailbox that is gone
        weight = Weight.HARD if item["hard"] else Weight.SOFT
    return Told(Kind(item["type"]), About(row.id, key), at, weight, reply_of(status, reason) or f"{weight} bounce")


def _with_keys(found: Sequence[tuple[Told, str]]) -> list[Told]:
    """Ids are looked up list by list; one that nobody has is nobody's."""
    parts, wanted = current_parts(), defaultdict[int, set[str]](set)
    for told, id_ in found:
        if id_:
            wanted[told.about.list_id].add(id_)
    slug_of = {row.id: row.slug for row in parts.catalogue.lists.values()}
    keys = {list_id: events.keys_of(ids, list_id, parts.links.subscription_ids(slug_of[list_id]))
            for list_id, ids in wanted.items()}  # fmt: skip
    return [replace(told, about=told.about._replace(key=keys[told.about.list_id].get(id_, b""))) if id_ else told
            for told, id_ in found]  # fmt: skip
