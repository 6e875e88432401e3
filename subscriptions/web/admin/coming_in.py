"""Signing in and out, the link of an invitation, and the password that is asked for once more."""

from datetime import datetime

from flask import redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from subscriptions import passwords
from subscriptions.actions import accounts, tries
from subscriptions.actions.tries import Tries
from subscriptions.domain.address import BadAddress, parse
from subscriptions.store.models import Account
from subscriptions.web.admin import guard, pages
from subscriptions.web.http.adapter import now

BUSY_FOR = 2  # seconds


# Signing in


@pages.get("/sign-in")
def sign_in_page() -> str | Response:
    return redirect(url_for("desk.start"), 303) if guard.is_signed_in() else _sign_in_page()


def _sign_in_page(problem: str = "", email: str = "") -> str:
    shown = {"problem": problem, "email": email, "then": guard.then(), "is_here": guard.is_here()}
    return render_template("desk/sign_in.html", is_new=accounts.is_nobody_in(), **shown)


@pages.post("/sign-in")
def sign_in() -> str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """The same answer, after the same time, for whoever has no account."""
    typed, password = request.form.get("email", "").strip(), request.form.get("password", "")
    email = _folded(typed)
    tried = guard.tried_by(email)
    if until := tries.count(tried, now()):
        return _later(until, typed)
    account = accounts.find(email)
    try:
        is_right = passwords.matches(password, account.password if account else None)
        renewed = passwords.renewed(password, account.password) if account and is_right else None
    except passwords.Busy:
        return _busy(typed)
    if account is None or not is_right:
        return _sign_in_page(gettext("Email address and password do not go together."), typed), 422
    return _come_in(account, renewed, tried)


def _folded(typed: str) -> str:
    """As accounts are stored; what is no address belongs to nobody."""
    try:
        return parse(typed[:320]).folded
    except BadAddress:
        return ""


def _later(until: datetime, typed: str) -> tuple[str, int, dict[str, str]]:
    seconds = max(1, round((until - now()).total_seconds()))
    minutes = -(-seconds // 60)
    said = ngettext("That was tried too often. Please try again in a minute.",
                    "That was tried too often. Please try again in %(num)d minutes.", minutes)  # fmt: skip
    return _sign_in_page(said, typed), 429, {"Retry-After": str(seconds)}


def _busy(typed: str) -> tuple[str, int, dict[str, str]]:
    said = gettext("Many people are signing in at this moment. Please try again.")
    return _sign_in_page(said, typed), 429, {"Retry-After": str(BUSY_FOR)}


def _come_in(
    account: Account, renewed: str | None = None, tried: Tries | None = None
) -> Response | tuple[str, int]:  # fmt: skip
    response = redirect(guard.then() or url_for("desk.start"), 303)
    try:
        guard.keep(response, accounts.begin(account, guard.agent(), now(), renewed, tried))
    except accounts.Refused as error:
        return _sign_in_page(gettext(str(error)), account.email), 422
    guard.remember(response, account.email)
    return response


@pages.post("/from-here")
def from_here() -> Response:
    """In try-out mode whoever sits at the machine comes in by a press: there is nobody to keep out."""
    if not guard.is_here():
        return redirect(url_for("desk.sign_in_page"), 303)
    response = redirect(url_for("desk.start"), 303)
    guard.keep(response, accounts.begin(None, guard.agent(), now()))
    return response


# The link of an invitation, or of a password that was forgotten


@pages.get("/come-in/<token>")
def come_in_page(token: str) -> str | tuple[str, int]:
    account = accounts.of_link(token, now())
    return _choose_page(account) if account else (render_template("desk/link_over.html"), 410)


def _choose_page(account: Account, problem: str = "") -> str:
    return render_template("desk/choose_password.html", account=account, problem=problem, shortest=passwords.SHORTEST)


@pages.post("/come-in/<token>")
def come_in(token: str) -> str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    account, password = accounts.of_link(token, now()), request.form.get("password", "")
    if account is None:
        return render_template("desk/link_over.html"), 410
    problem = _wrong(password, account.email)
    if problem:
        return _choose_page(account, problem), 422
    try:
        hashed = passwords.hashed(password)
    except passwords.Busy:
        return _choose_page(account, gettext("Many people are signing in at this moment. Please try again.")), 429
    chosen = accounts.choose_password(token, hashed, now())
    return _come_in(chosen) if chosen else (render_template("desk/link_over.html"), 410)


def _wrong(password: str, email: str) -> str:
    """Why this password may not be; empty where it may."""
    shortest, longest = passwords.SHORTEST, passwords.LONGEST
    says: dict[str, str] = {
        "short": gettext("It is shorter than %(num)d characters. Four or five words make a good one.", num=shortest),
        "long": gettext("It is longer than %(num)d characters.", num=longest),
        "common": gettext("Many people use it, or it is easily guessed. Please choose another one."),
        "known": gettext("There is little more in it than your email address. Please choose another one."),
    }
    return says.get(passwords.problem(password, email), "")


# Signed in


@pages.post("/prove")
def prove() -> Response:
    """The password was given again, as the row of this route asks: on to what was asked for."""
    return redirect(guard.then() or url_for("desk.start"), 303)


@pages.get("/account")
def account() -> str:
    who = guard.who()
    return render_template("desk/account.html", sessions=accounts.sessions(who, now()), here=who.hash)


@pages.post("/sign-out")
def sign_out() -> Response:
    accounts.leave(guard.who())
    return guard.forget(redirect(url_for("desk.sign_in_page"), 303))


@pages.post("/sign-out-everywhere")
def sign_out_everywhere() -> Response:
    accounts.leave(guard.who(), everywhere=True)
    return guard.forget(redirect(url_for("desk.sign_in_page"), 303))
