"""Who is at the desk: the cookie, the right that a page asks for, and where a POST comes from."""

import ipaddress
from hmac import compare_digest

from flask import abort, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from subscriptions import passwords
from subscriptions.actions import Refused, factors, sessions, tries
from subscriptions.actions.sessions import SignedIn
from subscriptions.actions.tries import Tries
from subscriptions.domain.sites import host_of, origin_of
from subscriptions.languages import marked
from subscriptions.parts import Parts, current_parts
from subscriptions.store.audit import Act
from subscriptions.store.models import Account, ActorKind, List
from subscriptions.web.admin import cookies, door, pages, passkeys
from subscriptions.web.http import headers, language
from subscriptions.web.http.adapter import incoming, now
from subscriptions.web.http.client_ip import origin
from subscriptions.web.http.problems import answer
from subscriptions.web.http.routes import Who, route

_MAY_POST = ("same-origin", "none")

_STRANGE = marked("This was not sent by a page of the desk, or that page is too old. Please open it again.")
TOO_OFTEN = marked("That was tried too often. Please wait a quarter of an hour.")
_NOT_YOURS = marked("Your role does not include this. An owner can change that.")
_EVERY_LIST = marked("This concerns every list, and you see only some. Please ask somebody who sees them all.")


@pages.before_request
def admit() -> BaseResponse | None:
    """Of every page of the desk: the network, then where a POST comes from, then who, then what they may."""
    parts = current_parts()
    if not _is_near(parts):
        abort(404)
    headers.refer("same-origin")  # so that browsers say where a form of ours comes from
    if request.method == "POST" and not _is_from_our_page(parts):
        return answer(403, _STRANGE)
    g.pop("begun", None), g.pop("desk", None)
    who = _signed_in(parts)
    if who is not None:
        g.desk = who
    row = route(request.endpoint)
    if row.who is Who.DESK:
        return None
    if who is None:
        return _way_in()
    if request.method == "POST" and not compare_digest(request.form.get("csrf", "").encode(), cookies.csrf().encode()):
        return answer(403, _STRANGE)
    if not row.is_first and lacks_second(who.account):
        return redirect(url_for("desk.second_factor_page"), 303)
    if not who.may(row.right):
        return answer(403, _NOT_YOURS)
    if row.of_all and not who.sees_all:
        return answer(403, _EVERY_LIST)
    parts.follow()  # who has changed a list in one process, looks at it in another
    if row.is_grave and who.account is not None and not who.has_proved(now()):
        return _ask_again(who.account)
    return None


def _way_in() -> BaseResponse:
    if request.method == "POST" and (door.typed() or request.files):
        return BaseResponse(door.sign_in_page_for_typed(), mimetype="text/html")
    return redirect(url_for("desk.sign_in_page", then=request.full_path if request.method == "GET" else None), 303)


def lacks_second(account: Account | None) -> bool:
    """Whether nothing is reached by this account before it has a second factor."""
    if account is None or account.totp or not current_parts().settings.admin.require_second_factor:
        return False
    return not factors.has_passkeys(account)


def _ask_again(account: Account) -> BaseResponse | None:
    """Before what is grave the password is asked for once more; what was sent stays in the form, and goes on."""
    password, key, problem = request.form.get("proof", ""), request.form.get("proof_key", ""), ""
    if password or key:
        problem = proved_by(account, password) if password else _unproved_by_passkey(account, key)
        if not problem:
            return None
    kept, action = door.typed(), request.path
    if request.method == "GET":
        kept, action = [("then", request.full_path)], url_for("desk.prove")
    keys = factors.passkeys(account)
    options = passkeys.sign_options(_proving(), keys) if keys else ""
    page = render_template("desk/prove.html", kept=kept, action=action, problem=problem, passkey=options)
    return BaseResponse(page, 422 if problem else 200, mimetype="text/html")


def _proving() -> bytes:
    """What a passkey signs here in place of the password."""
    return b"prove\0" + who().hash


def proved_by(account: Account, password: str) -> str:
    """What stands against this password of who is signed in; empty: it is right, and noted."""
    if not (problem := _wrong_password(account, password)):
        sessions.prove(who(), now(), tried_by(account.email))
    return problem


def _unproved_by_passkey(account: Account, key: str) -> str:
    tried = tried_by(account.email)
    if tries.count(tried, now()):
        return str(gettext(TOO_OFTEN))
    signed = passkeys.signed(_proving(), key)
    if signed is None:
        return str(gettext(passkeys.NO_GOOD))
    try:
        factors.prove(who(), signed, now(), tried)
    except Refused as error:
        return str(gettext(str(error)))
    return ""


def _wrong_password(account: Account, password: str) -> str:
    if tries.count(tried_by(account.email), now()):
        return str(gettext(TOO_OFTEN))
    try:
        return "" if passwords.matches(password, account.password) else str(gettext("That is not your password."))
    except passwords.Busy:
        return str(gettext("Many people are signing in at this moment. Please try again."))


def tried_by(email: str = "") -> Tries:
    """What a try to sign in counts for: the network, and the account by strangers or by a browser that was in."""
    parts = current_parts()
    if not email:
        return Tries(origin(incoming(), parts).network)
    mine = who().account if is_signed_in() else None
    is_own = cookies.knows(email) or (mine is not None and mine.email == email)
    key = parts.links.key(f"{'own' if is_own else 'stranger'} at the desk\0{email}")
    return Tries(origin(incoming(), parts).network, key, is_own=is_own)


def is_signed_in() -> bool:
    return "desk" in g


def who() -> SignedIn:
    """Who is signed in; only for pages that ask for it."""
    found: SignedIn = g.desk
    return found


def may(endpoint: str) -> bool:
    """Whether the row of that route lets in who is signed in."""
    row = route(endpoint)
    return who().may(row.right) and (who().sees_all or not row.of_all)


def account() -> Account:
    """Whose account this is; who is here without one finds nothing."""
    found = who().account
    if found is None:
        abort(404)
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


# Who, and where from


def _signed_in(parts: Parts) -> SignedIn | None:
    found = sessions.signed_in(cookies.secret(), now()) if cookies.secret() else None
    if found is not None and found.account is None and not door.is_here():
        return None
    return found


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
