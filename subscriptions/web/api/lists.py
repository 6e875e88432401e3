"""For programs with a token: the lists, their subscriptions, and exports."""

import base64
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, g, request, stream_with_context, url_for

from subscriptions import clock as clocks
from subscriptions.domain.fields import further
from subscriptions.export import stream
from subscriptions.parts import current_parts
from subscriptions.store import subscriptions
from subscriptions.store.audit import Act
from subscriptions.store.engine import reading
from subscriptions.store.models import ActorKind, List, Subscription
from subscriptions.web.http.adapter import FROM_HERE
from subscriptions.web.http.lists import any_list
from subscriptions.web.http.problem import Problem
from subscriptions.web.http.problems import json_answer, wrong_in

log = logging.getLogger(__name__)
pages = Blueprint("lists", __name__, url_prefix="/api/v1")
PAGE_DEFAULT, PAGE_AT_MOST = 100, 1000


@pages.get("/lists")
def lists() -> Response:
    with reading() as session:
        counts = subscriptions.counts(session, current_parts().clock.now())
    rows = current_parts().catalogue.lists.values()
    return json_answer({"lists": [{"list": row.slug, "name": row.name, **counts[row.id]} for row in rows]})


@pages.get("/lists/<slug>/subscriptions")
def subscriptions_of(slug: str) -> Response:
    row = any_list(slug)
    problems, limit, after = _paging()
    if problems:
        return wrong_in("query", problems)
    with reading() as session:
        found = subscriptions.page(session, row.id, after, limit + 1, current_parts().clock.now())
    page, cursor = found[:limit], _cursor(found[limit - 1].id) if len(found) > limit else None
    response = json_answer({"subscriptions": [_subscription(found, row) for found in page], "next": cursor})
    if cursor:
        url = url_for("lists.subscriptions_of", slug=slug, limit=limit, cursor=cursor)
        response.headers["Link"] = f'<{url}>; rel="next"'
    return response


def _paging() -> tuple[list[Problem], int, int]:
    after = 0
    limit, problems = limit_asked()
    try:
        after = _read_cursor(request.args.get("cursor", ""))
    except ValueError:
        problems.append(Problem("cursor", "This is not a cursor from this service."))
    return problems, limit, after


def limit_asked() -> tuple[int, list[Problem]]:
    """How many rows at most, and what is wrong with it."""
    limit = request.args.get("limit", str(PAGE_DEFAULT))
    if limit.isascii() and limit.isdigit() and len(limit) < 6 and 1 <= int(limit) <= PAGE_AT_MOST:
        return int(limit), []
    return 0, [Problem("limit", f"A whole number from 1 to {PAGE_AT_MOST}.")]


def _cursor(id_: int) -> str:
    return base64.urlsafe_b64encode(f"s{id_}".encode()).decode().rstrip("=")


def _read_cursor(text: str) -> int:
    if not text:
        return 0
    plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    if not plain.startswith("s") or not plain[1:].isdigit() or len(plain) > 19 or _cursor(int(plain[1:])) != text:
        raise ValueError(text)
    return int(plain[1:])


def _subscription(found: Subscription, row: List) -> dict[str, Any]:
    fields = {"fields": found.fields or {}} if found.fields or further(row.fields) else {}
    return {"email": found.address, "name": found.name, **fields, "locale": found.locale, "status": found.state,
            "registered_at": clocks.text(found.registered_at), "confirmed_at": clocks.text(found.confirmed_at),
            "ended_at": clocks.text(found.ended_at) if found.ended_at else None}  # fmt: skip


@pages.get("/lists/<slug>/export")
def export(slug: str) -> Response:
    row = any_list(slug)
    kind = request.args.get("format", "csv")
    if kind not in stream.FORMATS:
        return wrong_in("query", [Problem("format", "csv or jsonl.")])
    dialect = request.args.get("dialect", stream.DIALECTS[0])
    if dialect not in stream.DIALECTS or (kind != "csv" and "dialect" in request.args):
        return wrong_in("query", [Problem("dialect", "rfc4180 or excel; of CSV alone.")])
    log.info("export", extra={"list": row.slug, "format": kind, "client": g.client})  # who took the addresses
    now = current_parts().clock.now()
    if request.method != "HEAD":
        details = {"list": row.slug, "format": kind}
        stream.account(row, Act(now, ActorKind.TOKEN, g.client, stream.ACT, details=details))
    here = request.environ[FROM_HERE] = [row.slug, kind, now.isoformat(), 0, dialect]
    response = Response(stream_with_context(go_on(here)), mimetype=stream.FORMATS[kind])
    name = f"{row.slug}-{now:%Y%m%dT%H%M%SZ}.{kind}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Export-Started-At"] = clocks.text(now)
    if kind == "csv":
        response.headers["X-Export-Left-Out"] = str(stream.left_out(row, now))
    return response


def go_on(here: list[Any]) -> Iterator[bytes]:
    """An export from here on: list, format, instant, the id behind which it begins (it goes along), dialect."""
    slug, kind, now, after, dialect = here
    row, links = any_list(slug), current_parts().links
    begun = datetime.fromisoformat(now)
    return stream.export(row, kind, links, begun, lambda _, id_: here.__setitem__(3, id_), after, dialect)
