"""Tokens: which program asks, and what it may."""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import Response, g, request

from subscriptions.parts import parts
from subscriptions.store import tokens
from subscriptions.store.engine import reading, transaction
from subscriptions.web.http.problems import answer

P = ParamSpec("P")


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
