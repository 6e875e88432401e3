"""The JSON API: the same actions as the pages, and for programs with a token the lists and exports."""

import base64
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec

from flask import Blueprint, Response, abort, g, request, stream_with_context, url_for

from subscriptions import clock as clocks
from subscriptions.actions.gate import Asked, Limited, Pass
from subscriptions.domain.evidence import Channel
from subscriptions.domain.fields import further
from subscriptions.export import stream
from subscriptions.parts import parts
from subscriptions.store import chapters, tokens
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import List, Subscription
from subscriptions.web import cors, guard, hints
from subscriptions.web.forms import NotJson, Problem, SignUp, UnknownList, from_json
from subscriptions.web.pages import submit, too_many
from subscriptions.web.problems import answer
from subscriptions.web.vouched import NOTHING, Vouched, vouched

log = logging.getLogger(__name__)
pages = Blueprint("api", __name__, url_prefix="/api/v1")
P = ParamSpec("P")
PAGE_DEFAULT, PAGE_AT_MOST = 100, 1000


def scope(wanted: str) -> Callable[[Callable[P, Response]], Callable[P, Response]]:
    """A route for tokens of one scope: 401 without one, 403 with another (Q-07)."""

    def guard(view: Callable[P, Response]) -> Callable[P, Response]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
            refused = refuse(wanted, needed=True)
            return refused or view(*args, **kwargs)

        guarded.scope = wanted  # type: ignore[attr-defined]
        return guarded

    return guard


def refuse(wanted: str, *, needed: bool) -> Response | None:
    """None when the request may go on; otherwise the answer that it gets."""
    g.pop("client", None)
    given = request.headers.get("Authorization")
    if given is None and not needed:
        return None
    kind, _, secret = (given or "").partition(" ")
    token = _token(secret.strip()) if kind.lower() == "bearer" else None
    if token is None:
        return answer(401, "A token of this service is needed.", headers={"WWW-Authenticate": 'Bearer realm="api"'})
    name, has = token
    if has != wanted:
        return answer(403, f'This needs a token of scope "{wanted}"; yours has "{has}".')
    g.client = name
    return None


def _token(secret: str) -> tuple[str, str] | None:
    digest, now = hashlib.sha256(secret.encode("utf-8", "replace")).digest(), parts().clock.now()
    with reading() as session:
        found = tokens.by_hash(session, digest)
    if found is None:
        return None
    if not tokens.is_noted(found, now):
        with transaction() as session:
            tokens.note_use(session, found.name, now)
    return found.name, found.scope


@pages.post("/subscriptions")
def subscribe() -> Response:
    refused = refuse("subscribe", needed=False)
    if refused:
        return refused
    cors.may_read_problems()
    if request.mimetype != "application/json" or request.mimetype_params.get("charset", "utf-8").lower() != "utf-8":
        return answer(415, "Send application/json in UTF-8.")
    try:
        asked = from_json(request.get_data(cache=False), parts().catalogue)
    except NotJson as trouble:
        return answer(400, str(trouble))
    except UnknownList:
        return answer(404, "There is no such list.")
    if isinstance(asked, list):
        return answer(422, "Something in the body is not as it should be.", errors=asked)
    closed = cors.refused([asked.list, *(one.list for one in asked.also)])
    if closed:
        return closed
    spoken_for = _spoken_for(asked.said)
    if isinstance(spoken_for, list):
        return answer(422, "Something in the body is not as it should be.", errors=spoken_for)
    client = g.get("client")
    verdict = Pass() if client else guard.judge_program(asked)
    handle = verdict if isinstance(verdict, Asked) else submit(asked, Channel.API, client, spoken_for, verdict)
    if isinstance(handle, Limited):
        return too_many(handle)
    if isinstance(handle, Asked):
        return guard.answer_program()
    lists = {"lists": [asked.list.slug, *(one.list.slug for one in asked.also)]}
    which = lists if asked.is_of_several else {"list": asked.list.slug}
    return _json({"status": "pending_confirmation", **which, "registration": handle, **_hint(asked)}, 202)


def _hint(asked: SignUp) -> dict[str, str]:
    """A likely slip, in the language that the address of the request asks for, else in English like all of the API."""
    hint = hints.of(asked.address)
    if not hint:
        return {}
    return {"hint": str(hint) if "lang" in request.args else hint.in_english}


def _spoken_for(said: Mapping[str, str]) -> Vouched | list[Problem]:
    """What a client says of the visitor that it speaks for; without a token nobody can vouch."""
    if "client" in g:
        return vouched(said, parts().clock.now())
    return [Problem(name, "Only a client with a token may send this member.") for name in said] or NOTHING


@pages.get("/lists")
@scope("read")
def lists() -> Response:
    with reading() as session:
        counts = chapters.counts(session, parts().clock.now())
    return _json({"lists": [{"list": one.slug, "name": one.name, **counts[one.id]} for one in _all_lists()]})


def _all_lists() -> list[List]:
    return list(parts().catalogue.lists.values())


@pages.get("/lists/<slug>/subscriptions")
@scope("read")
def subscriptions(slug: str) -> Response:
    row = the_list(slug)
    problems, limit, after = _paging()
    if problems:
        return answer(422, "Something in the query is not as it should be.", errors=problems)
    with reading() as session:
        found = chapters.page(session, row.id, after, limit + 1, parts().clock.now())
    page = found[:limit]
    cursor = _cursor(page[-1].id) if len(found) > limit else None
    response = _json({"subscriptions": [_subscription(one, row) for one in page], "next": cursor})
    if cursor:
        url = url_for("api.subscriptions", slug=slug, limit=limit, cursor=cursor)
        response.headers["Link"] = f'<{url}>; rel="next"'
    return response


def _paging() -> tuple[list[Problem], int, int]:
    problems: list[Problem] = []
    limit = request.args.get("limit", str(PAGE_DEFAULT))
    if not (limit.isascii() and limit.isdigit() and len(limit) < 6 and 1 <= int(limit) <= PAGE_AT_MOST):
        problems.append(Problem("limit", f"A whole number from 1 to {PAGE_AT_MOST}."))
    try:
        after = _read_cursor(request.args.get("cursor", ""))
    except ValueError:
        problems.append(Problem("cursor", "Not a cursor that this service gave."))
        after = 0
    return problems, 0 if problems else int(limit), after


def _cursor(id_: int) -> str:
    return base64.urlsafe_b64encode(f"s{id_}".encode()).decode().rstrip("=")


def _read_cursor(text: str) -> int:
    if not text:
        return 0
    plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    if not plain.startswith("s") or not plain[1:].isdigit() or len(plain) > 19 or _cursor(int(plain[1:])) != text:
        raise ValueError(text)
    return int(plain[1:])


def _subscription(one: Subscription, row: List) -> dict[str, Any]:
    return {
        "email": one.address,
        "name": one.name,
        **({"fields": one.fields or {}} if one.fields or further(row.fields) else {}),
        "locale": one.locale,
        "status": one.state,
        "registered_at": clocks.text(one.registered_at),
        "confirmed_at": clocks.text(one.confirmed_at),
        "ended_at": clocks.text(one.ended_at) if one.ended_at else None,
    }


@pages.get("/lists/<slug>/export")
@scope("export")
def export(slug: str) -> Response:
    row = the_list(slug)
    kind = request.args.get("format", "csv")
    if kind not in stream.FORMATS:
        return answer(
            422, "Something in the query is not as it should be.", errors=[Problem("format", "csv or jsonl.")]
        )
    log.info("export", extra={"list": row.slug, "format": kind, "client": g.client})  # P-07: who took the addresses
    now = parts().clock.now()
    rows = stream.export(row, kind, parts().links, now)
    response = Response(stream_with_context(rows), mimetype=stream.FORMATS[kind])
    name = f"{row.slug}-{now:%Y%m%dT%H%M%SZ}.{kind}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Export-Started-At"] = clocks.text(now)
    return response


def the_list(slug: str) -> List:
    """A list by its name, also one that takes no sign-ups any more; or 404."""
    for one in _all_lists():
        if one.slug == slug:
            return one
    abort(404)


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/json")
