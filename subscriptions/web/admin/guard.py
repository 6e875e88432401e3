"""Who is at the desk: the cookie, the right that a page asks for, and where a POST comes from."""

import hashlib
import ipaddress
import re
from base64 import urlsafe_b64encode
from hmac import compare_digest
from typing import Any

from flask import abort, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from subscriptions import passwords
from subscriptions.actions import accounts, tries
from subscriptions.actions.accounts import SignedIn
from subscriptions.actions.tries import Tries
from subscriptions.domain.sites import host_of, origin_of
from subscriptions.languages import marked
from subscriptions.parts import Parts, current_parts
from subscriptions.store.audit import Act
from subscriptions.store.models import Account, ActorKind, List
from subscriptions.web.admin import pages
from subscriptions.web.http import headers, language
from subscriptions.web.http.adapter import incoming, now
from subscriptions.web.http.client_ip import is_straight_from_loopback, origin
from subscriptions.web.http.problems import answer
from subscriptions.web.http.routes import Who, route

KNOWN_LIFE = 180 * 24 * 3600  # seconds: how long a browser is remembered in which somebody was signed in
_MAY_POST = ("same-origin", "none")
_BROWSERS = ("Firefox", "Edg", "OPR", "Chrome", "Safari")
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux")
_SHOWN = {"Edg": "Edge", "OPR": "Opera", "Mac OS X": "macOS"}

_STRANGE = marked("This was not sent by a page of the desk, or that page is too old. Please open it again.")
_NOT_YOURS = marked("Your role does not include this. An owner can change that.")


@pages.before_request
def admit() -> BaseResponse | None:
    """Of every page of the desk: the network, then where a POST comes from, then who, then what they may."""
    parts = current_parts()
    if not _is_near(parts):
        abort(404)
    headers.refer("same-origin")  # so that browsers say where a form of ours comes from
    if request.method == "POST" and not _is_from_our_page(parts):
        return answer(403, _STRANGE)
    who = _signed_in(parts)
    if who is not None:
        g.desk = who
    row = route(request.endpoint)
    if row.who is Who.DESK:
        return None
    if who is None:
        return redirect(url_for("desk.sign_in_page", then=request.full_path if request.method == "GET" else None), 303)
    if request.method == "POST" and not compare_digest(request.form.get("csrf", "").encode(), csrf().encode()):
        return answer(403, _STRANGE)
    if not who.may(row.right):
        return answer(403, _NOT_YOURS)
    parts.follow()  # who has changed a list in one process, looks at it in another
    if row.is_grave and who.account is not None and not who.has_proved(now()):
        return _ask_again(who.account)
    return None


def _ask_again(account: Account) -> BaseResponse | None:
    """Before what is grave the password is asked for once more; what was sent stays in the form, and goes on."""
    password = request.form.get("proof", "")
    problem = _unproved(account, password) if password else ""
    if password and not problem:
        accounts.prove(who(), now(), tried_by(account.email))
        return None
    kept = [(name, text) for name, text in request.form.items(multi=True) if name not in ("proof", "csrf")]
    action = request.path
    if request.method == "GET":
        kept, action = [("then", request.full_path)], url_for("desk.prove")
    page = render_template("desk/prove.html", kept=kept, action=action, problem=problem)
    return BaseResponse(page, 422 if problem else 200, mimetype="text/html")


def _unproved(account: Account, password: str) -> str:
    """What stands against this password of who is signed in; empty: it is right."""
    if tries.count(tried_by(account.email), now()):
        return str(gettext("That was tried too often. Please wait a quarter of an hour."))
    try:
        return "" if passwords.matches(password, account.password) else str(gettext("That is not your password."))
    except passwords.Busy:
        return str(gettext("Many people are signing in at this moment. Please try again."))


def tried_by(email: str) -> Tries:
    """What a try to sign in counts for: the network, and the account by strangers or by a browser that was in."""
    parts = current_parts()
    is_own = knows(email) or (is_signed_in() and who().account is not None)
    key = parts.links.key(f"{'own' if is_own else 'stranger'} at the desk\0{email}")
    return Tries(origin(incoming(), parts).network, key, is_own=is_own)


def is_signed_in() -> bool:
    return "desk" in g


def who() -> SignedIn:
    """Who is signed in; only for pages that ask for it."""
    found: SignedIn = g.desk
    return found


def the_list(slug: str) -> List:
    """A list that may be seen; one of others is not there."""
    row = current_parts().catalogue.by_slug(slug)
    if row is None or not who().sees(row.id):
        abort(404)
    return row


def any_list(slug: str) -> List:
    """The same also of a draft, and in the archive; in its own language."""
    found = (row for row in current_parts().catalogue.lists.values() if row.slug == slug and who().sees(row.id))
    return next(found, None) or abort(404)


def lists() -> list[List]:
    """Those that may be seen, as the page's language tells them."""
    return language.told_of([row for row in current_parts().catalogue.configured if who().sees(row.id)])


def act(name: str, about: bytes | None = None, reason: str | None = None, **details: object) -> Act:
    """What is done just now by who is signed in, for the audit."""
    account, told = who().account, {name: value for name, value in details.items() if value is not None}
    actor = (ActorKind.ACCOUNT, str(account.id)) if account else (ActorKind.TRY_OUT, "desk")
    return Act(now(), *actor, name, about, reason=reason, details=told)


# The cookie


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


def then() -> str:
    """The page of the desk that was asked for before; no other address is followed."""
    to = request.values.get("then", "")
    return to if to.startswith("/admin") and "//" not in to and "\\" not in to and to.isprintable() else ""


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
    return request.cookies.get(cookie_name(current_parts()), "")


def csrf() -> str:
    """What a form of the desk carries: nobody has it who has not the cookie."""
    return urlsafe_b64encode(hashlib.sha256(b"desk-csrf\0" + secret().encode()).digest()[:18]).decode()


def _signed_in(parts: Parts) -> SignedIn | None:
    found = accounts.signed_in(secret(), now()) if secret() else None
    if found is not None and found.account is None and not is_here():
        return None
    return found


def is_here() -> bool:
    """Whether whoever asks sits at the machine of a service in try-out mode: there is nobody to keep out."""
    return current_parts().settings.mail.transport == "mailbox" and is_straight_from_loopback(incoming())


# Where from


def _is_near(parts: Parts) -> bool:
    networks = parts.settings.admin.networks
    if not networks:
        return True
    ip = origin(incoming(), parts).ip
    return ip is not None and any(ipaddress.ip_address(ip) in ipaddress.ip_network(net) for net in networks)


def _is_from_our_page(parts: Parts) -> bool:
    """By Fetch Metadata; of a browser without it, by Origin, which only a page that hides itself sends as null."""
    site, given = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        return site in _MAY_POST
    return given is None or given == parts.origin or host_of(origin_of(given) or "") == incoming().host


def agent() -> str:
    """The browser in a few words, by which somebody knows a session as their own."""
    said = request.headers.get("User-Agent", "")
    names = [next((name for name in kind if re.search(rf"\b{name}\b", said)), "") for kind in (_BROWSERS, _SYSTEMS)]
    return " · ".join(_SHOWN.get(name, name) for name in names if name)
