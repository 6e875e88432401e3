"""Tokens: which program asks, and what it may."""

import hashlib

from flask import Flask, Response, abort, g, request

from subscriptions.parts import current_parts
from subscriptions.store import tokens
from subscriptions.store.engine import reading, transaction
from subscriptions.web.http.adapter import incoming
from subscriptions.web.http.client_ip import is_straight_from_loopback
from subscriptions.web.http.problems import answer
from subscriptions.web.http.routes import Who, route


def init_app(app: Flask) -> None:
    """Before any view, of every route, is asked whom its row admits."""
    app.before_request(_admit)


def _admit() -> Response | None:
    row = route(request.endpoint)
    if request.endpoint is None or row.who is Who.EVERYONE:
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
    digest, now = hashlib.sha256(secret.encode("utf-8", "replace")).digest(), current_parts().clock.now()
    with reading() as session:
        found = tokens.by_hash(session, digest)
    if found is None:
        return None
    if not tokens.is_noted(found, now):
        with transaction() as session:
            tokens.note_use(session, found.name, now)
    return found.name, found.scope
