"""Signing in, by a password and perhaps a code, or by a passkey, and out; and the password that is asked for again."""

from collections.abc import Callable
from datetime import datetime

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from subscriptions import passwords, totp
from subscriptions.actions import Refused, accounts, factors, sessions, tries
from subscriptions.actions.factors import Code
from subscriptions.actions.tries import Tries
from subscriptions.domain import codes
from subscriptions.languages import marked
from subscriptions.parts import current_parts
from subscriptions.store.models import Account
from subscriptions.web.admin import Answer, cookies, door, guard, pages, passkeys
from subscriptions.web.admin.door import sign_in_page as page_of
from subscriptions.web.http.adapter import now

BUSY_FOR = 2  # seconds
BUSY = marked("Many people are signing in at this moment. Please try again.")


# Signing in


@pages.get("/sign-in")
def sign_in_page() -> str | Response:
    return redirect(url_for("desk.start"), 303) if guard.is_signed_in() else page_of()


@pages.post("/sign-in")
def sign_in() -> Answer:
    """The same answer, after the same time, for whoever has no account."""
    typed, password = request.form.get("email", "").strip(), request.form.get("password", "")
    email, _ = door.address(typed)  # what is none belongs to nobody
    tried = guard.tried_by(email)
    if until := tries.count(tried, now()):
        return later(until, lambda said: page_of(said, typed))
    account = accounts.find(email)
    try:
        is_right = passwords.matches(password, account.password if account else None)
        renewed = passwords.renewed(password, account.password) if account and is_right else None
    except passwords.Busy:
        return page_of(gettext(BUSY), typed), 429, {"Retry-After": str(BUSY_FOR)}
    if account is None or not is_right:
        return page_of(gettext("Email address and password do not go together."), typed), 422
    if needs_passkey(account):
        return page_of(gettext("A password alone is not enough here. Sign in with your passkey."), typed), 422
    try:
        return come_in(account, renewed, tried)
    except Refused as error:
        return page_of(gettext(str(error)), typed), 422


def come_in(account: Account, renewed: str | None = None, tried: Tries | None = None) -> Response:
    """Whose password was right: signed in, or at the second step. Raises Refused."""
    secret = sessions.begin(account, door.agent(), now(), renewed, tried)
    return _second_page(secret) if account.totp else _arrive(account, secret)


def needs_passkey(account: Account) -> bool:
    """Whether the password would be the only factor, where two are asked for and the other one is there."""
    is_asked = current_parts().settings.admin.require_second_factor and not account.totp
    return is_asked and factors.has_passkeys(account)


def later(until: datetime, page: Callable[[str], str]) -> tuple[str, int, dict[str, str]]:
    seconds = max(1, round((until - now()).total_seconds()))
    minutes = -(-seconds // 60)
    said = ngettext("That was tried too often. Please try again in a minute.",
                    "That was tried too often. Please try again in %(num)d minutes.", minutes)  # fmt: skip
    return page(said), 429, {"Retry-After": str(seconds)}


def _arrive(account: Account | None, secret: str) -> Response:
    """Signed in: on to where somebody wanted to go, or a look at what they had typed."""
    response = redirect(door.then() or url_for("desk.start"), 303)
    if door.then() and (fields := door.fields_kept()):
        g.begun, g.desk = secret, sessions.signed_in(secret, now())
        response = Response(render_template("desk/again.html", action=door.then(), fields=fields), mimetype="text/html")
    cookies.keep(response, secret)
    if account is not None:
        cookies.remember(response, account.email)
    return response


# The second step


def _second_page(secret: str = "", problem: str = "") -> Response:
    page = render_template("desk/second_step.html", problem=problem, then=door.then(), kept=door.kept())
    response = Response(page, 422 if problem else 200, mimetype="text/html")
    return cookies.keep(response, secret) if secret else response


@pages.post("/second-step")
def second_step() -> Answer:
    """A code of the app, or one of the recovery codes; counted like passwords."""
    account = factors.waiting(cookies.secret(), now())
    if account is None:
        return page_of(gettext("That took too long. Please sign in again.")), 422
    tried = guard.tried_by(account.email)
    if until := tries.count(tried, now()):
        return later(until, page_of)
    try:
        code = _code(account, request.form.get("code", ""))
        return _arrive(account, factors.finish(cookies.secret(), code, door.agent(), now(), tried))
    except Refused as error:
        return _second_page(problem=gettext(str(error)))


def _code(account: Account, typed: str) -> Code:
    parts = current_parts()
    secret = parts.links.desk.open(account.totp or "", account.id)
    step = totp.step_of(secret, typed, device_time()) if secret else None
    return Code(step, recovery_hash(account, codes.read(typed) or ""))


def device_time() -> datetime:
    """What a phone takes for the time, also where the clock of the try-out has been moved."""
    return now() - current_parts().clock.ahead


def recovery_hash(account: Account, code: str) -> str:
    return current_parts().links.key(f"recovery code\0{account.id}\0{code}").hex()


@pages.post("/passkey")
def passkey_in() -> Answer:
    """A passkey names its account by itself."""
    tried = guard.tried_by()
    if until := tries.count(tried, now()):
        return later(until, page_of)
    signed = passkeys.signed(passkeys.SIGN_IN, request.form.get("credential", ""))
    if signed is None:
        return page_of(gettext(passkeys.NO_GOOD)), 422
    try:
        return _arrive(*factors.come_in(signed, door.agent(), now(), tried))
    except Refused as error:
        return page_of(gettext(str(error))), 422


@pages.post("/from-here")
def from_here() -> Response:
    """In try-out mode whoever sits at the machine comes in by a press: there is nobody to keep out."""
    if not door.is_here():
        return redirect(url_for("desk.sign_in_page"), 303)
    if guard.is_signed_in():
        return redirect(url_for("desk.start"), 303)
    return _arrive(None, sessions.begin(None, door.agent(), now()))


# Signed in


@pages.post("/prove")
def prove() -> Response:
    """The password was given again, as the row of this route asks: on to what was asked for."""
    return redirect(door.then() or url_for("desk.start"), 303)


@pages.post("/sign-out")
def sign_out() -> Response:
    sessions.leave(guard.who())
    return cookies.forget(redirect(url_for("desk.sign_in_page"), 303))


@pages.post("/sign-out-everywhere")
def sign_out_everywhere() -> Response:
    sessions.leave(guard.who(), everywhere=True)
    return cookies.forget(redirect(url_for("desk.sign_in_page"), 303))
