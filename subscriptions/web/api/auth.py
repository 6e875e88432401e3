"""Tokens: which program asks, and what it may."""

import hashlib

from flask import Flask, Response, abort, g, request

from subscriptions.parts import Parts, current_parts
from subscriptions.store import audit, tokens
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import Token
from subscriptions.web.http.adapter import incoming
from subscriptions.web.http.client_ip import is_straight_from_loopback
from subscriptions.web.http.problems import answer
from subscriptions.web.http.routes import Trace, Who, route


def init_app(app: Flask) -> None:
    """Before any view, of every route, is asked whom its row admits."""
    app.before_request(_admit)


def _admit() -> Response | None:
    row = route(request.endpoint)
    if request.endpoint is None or row.who in (Who.EVERYONE, Who.DESK, Who.ACCOUNT):  # the desk asks by itself
        return None
    if row.who in (Who.LOOPBACK, Who.LOOPBACK_OR_TOKEN) and is_straight_from_loopback(incoming()):
        return None
    if row.who in (Who.NOBODY, Who.LOOPBACK):
        abort(404)
    if request.method == "OPTIONS":  # browsers ask without credentials what they may
        return None
    return refuse(row.scope, needed=row.who is not Who.MAY_HAVE_TOKEN)


def refuse(wanted: str, *, needed: bool) -> Response | None:
    """None when the request may go on; otherwise 401 for who has no token of ours, 403 for one of another scope."""
    g.pop("client", None)
    given = request.headers.get("Authorization")
    if given is None and not needed:
        return None
    by_password = route(request.endpoint).by_password
    token = _token(_secret(given or "", by_password=by_password))
    if token is None:
        ways = 'Bearer realm="api", Basic realm="api"' if by_password else 'Bearer realm="api"'
        return answer(401, "A valid token of this service is required.", headers={"WWW-Authenticate": ways})
    _note_use(token, reads=token.scope == wanted and _is_counted())
    if token.scope != wanted:
        return answer(403, f'This needs a token of scope "{wanted}"; yours has "{token.scope}".')
    g.client = token.name
    return None


def _secret(given: str, *, by_password: bool) -> str:
    """What stands for a token; empty where there is nothing."""
    kind, _, secret = given.partition(" ")
    if kind.lower() == "bearer":
        return secret.strip()
    shown = request.authorization if by_password and kind.lower() == "basic" else None
    return (shown.password or "") if shown else ""


def _token(secret: str) -> Token | None:
    if not secret:
        return None
    digest = hashlib.sha256(secret.encode("utf-8", "replace")).digest()
    with reading() as session:
        return tokens.by_hash(session, digest)


def _is_counted() -> bool:
    row = route(request.endpoint)
    return row.who is not Who.EVERYONE and row.trace is Trace.COUNTED


def _note_use(token: Token, *, reads: bool) -> None:
    """That it was used, once a minute; what it has read meanwhile goes along, or with the next job of this process."""
    parts = current_parts()
    now = parts.clock.now()
    if reads:
        parts.reads.note((token.name, _list(parts), audit.hour_of(now)))
    if not tokens.is_noted(token, now):
        with parts.reads.taken() as counts, transaction() as session:
            tokens.note_use(session, token.name, now)
            audit.add_reads(session, counts)


def _list(parts: Parts) -> str:
    """The list that the request names, if there is one of that name."""
    slug = (request.view_args or {}).get("slug", "")
    return slug if any(row.slug == slug for row in parts.catalogue.lists.values()) else ""
