"""The cookies of the desk: the session, and that an account was signed in in this browser before."""

import hashlib
from base64 import urlsafe_b64encode
from hmac import compare_digest
from typing import Any

from flask import g, request
from werkzeug.wrappers import Response as BaseResponse

from subscriptions.parts import Parts, current_parts

KNOWN_LIFE = 180 * 24 * 3600  # seconds: how long a browser is remembered in which somebody was signed in


def is_secure(parts: Parts) -> bool:
    return parts.settings.server.base_url.startswith("https:")


def cookie_name(parts: Parts) -> str:
    """`__Host-` holds it to this very host, over TLS alone; browsers take that name from no other answer."""
    return "__Host-desk" if is_secure(parts) else "desk"


def keep(response: BaseResponse, secret: str) -> BaseResponse:
    """Hand the session over to the browser, until it is closed."""
    parts = current_parts()
    response.set_cookie(cookie_name(parts), secret, **_of_cookies(parts))
    return response


def forget(response: BaseResponse) -> BaseResponse:
    parts = current_parts()
    response.delete_cookie(cookie_name(parts), **_of_cookies(parts))
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def remember(response: BaseResponse, email: str) -> None:
    """Note in the browser that this account was signed in in it, so that no stranger's guesses keep it out."""
    parts = current_parts()
    response.set_cookie(_known_name(parts), _known(parts, email), max_age=KNOWN_LIFE, **_of_cookies(parts))


def knows(email: str) -> bool:
    """Whether this account has been signed in in this browser."""
    parts = current_parts()
    return compare_digest(request.cookies.get(_known_name(parts), "").encode(), _known(parts, email).encode())


def _known_name(parts: Parts) -> str:
    return cookie_name(parts) + "-known"


def _known(parts: Parts, email: str) -> str:
    return parts.links.key(f"known at the desk\0{email}").hex()


def _of_cookies(parts: Parts) -> dict[str, Any]:
    return {"path": "/", "secure": is_secure(parts), "httponly": True, "samesite": "Lax"}


def secret() -> str:
    """That of the browser's session, or of the one that the answer at hand begins."""
    return str(g.get("begun") or request.cookies.get(cookie_name(current_parts()), ""))


def csrf() -> str:
    """What a form of the desk carries: nobody has it who has not the cookie."""
    return urlsafe_b64encode(hashlib.sha256(b"desk-csrf\0" + secret().encode()).digest()[:18]).decode()
