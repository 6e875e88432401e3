"""What programs that send tell us: bounces, spam reports, who left there."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, g, request

from subscriptions.actions import events
from subscriptions.actions.events import Kind, Told
from subscriptions.actions.returned import About, Effect
from subscriptions.domain.address import parse
from subscriptions.domain.bounces import STATUS, Weight, reply_of, weight_of
from subscriptions.parts import current_parts
from subscriptions.store.audit import Act
from subscriptions.store.models import ActorKind
from subscriptions.web.api.subscriptions import json_body, not_json
from subscriptions.web.http.problem import Problem
from subscriptions.web.http.problems import answer, json_answer, problem_told, wrong_in
from subscriptions.web.intake.on_behalf import is_time, time_in
from subscriptions.web.intake.parse import NotJson, address_in, read_json

pages = Blueprint("events", __name__, url_prefix="/api/v1")
pages.register_error_handler(NotJson, not_json)
AT_MOST, LONGEST = 1000, 2000


def _is_short(text: str) -> bool:
    return len(text) <= LONGEST


Fits = Callable[[Any], bool]
_SHORT = str, _is_short, f"A text of at most {LONGEST} characters."
MEMBERS: Mapping[str, tuple[type, Fits, str]] = {
    "type": (str, [*Kind].__contains__, f"One of {', '.join(Kind)}."),
    "id": _SHORT, "email": _SHORT, "list": _SHORT, "reason": _SHORT,
    "at": (str, is_time, 'A time with its zone (RFC 3339), such as "2026-11-23T12:00:00Z".'),
    "hard": (bool, lambda _: True, "True or false."),
    "status": (str, lambda text: bool(STATUS.fullmatch(text)), "A status such as 5.1.1 (RFC 3463)."),
}  # fmt: skip


@pages.post("/events")
def take() -> Response:
    """One event, or a list of them: what is right is done, and what is wrong with the others is told."""
    body = read_json(json_body())
    items = body if isinstance(body, list) else [body]
    if not 0 < len(items) <= AT_MOST:
        return wrong_in("body", [Problem("", f"From 1 to {AT_MOST} events.")])
    parts, found, problems = current_parts(), list[Told](), list[dict[str, str]]()
    usual = {"list": request.args["list"]} if "list" in request.args else {}
    slugs = {row.slug: row.id for row in parts.catalogue.lists.values()}
    for number, item in enumerate(items):
        item = usual | item if isinstance(item, dict) else {"": item}
        wrong = [problem_told(one) for one in _wrong(item, slugs)]
        where = f"/{number}" if isinstance(body, list) else ""
        problems += [one | {"pointer": where + one["pointer"]} for one in wrong]
        found += [] if wrong else [_told(item, slugs[item["list"]])]
    if not found:
        return answer(422, "No event in the body is as it should be.", members={"errors": problems})
    now, ids = parts.clock.now(), {id_: parts.links.subscription_ids(slug) for slug, id_ in slugs.items()}
    effects = events.take(
        events.with_keys(found, ids), now, parts.policy, Act(now, ActorKind.TOKEN, g.client, "events")
    )
    counts = {effect.value: effects[effect] for effect in Effect}
    return json_answer({"received": len(items), **counts, "problems": problems})


def _wrong(item: Mapping[str, Any], slugs: Collection[str]) -> Iterator[Problem]:
    for name, value in item.items():
        kind, fits, says = MEMBERS.get(name, (type(None), bool, "This member is not known here."))
        if not isinstance(value, kind) or not fits(value):
            yield Problem(name, says if name else "An event is a JSON object.")
        elif name == "list" and value not in slugs:
            yield Problem(name, "There is no such list.")
        elif name == "email" and isinstance(address := address_in(item, special=True), Problem):
            yield address
    for name in ({"type", "list"} if item.keys() & {"email", "id"} else {"type", "list", "email"}) - item.keys():
        yield Problem(name, "This member is required. (An id may stand for email, and the request's address for list.)")


def _told(item: Mapping[str, Any], list_id: int) -> Told:
    status, reason, links = item.get("status", ""), item.get("reason", ""), current_parts().links
    weight = weight_of(status, reason)
    if "hard" in item and weight is not Weight.OTHER:  # a provider that refuses us is no mailbox that is gone
        weight = Weight.HARD if item["hard"] else Weight.SOFT
    key = links.key(parse(item["email"]).folded) if "email" in item else b""
    reply = reply_of(status, reason, [item.get("email", "")]) or f"{weight} bounce"
    at = time_in(item["at"]) if "at" in item else None
    return Told(Kind(item["type"]), About(list_id, key), at, weight, reply, "" if key else item["id"])
