"""The links by which a password is chosen: of an invitation, or of one that was forgotten, which may be asked for."""

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext

from subscriptions import passwords
from subscriptions.actions import accounts, tries
from subscriptions.parts import current_parts
from subscriptions.store.models import Account
from subscriptions.web.admin import Answer, coming_in, door, guard, pages
from subscriptions.web.http.adapter import now

SECRET = 43  # characters of a link's


@pages.get("/forgotten")
def forgotten_page() -> str:
    return render_template("desk/forgotten.html")


@pages.post("/forgotten")
def forgotten() -> Answer:
    """The same answer, after the same time, for whoever has no account."""
    typed = request.form.get("email", "").strip()
    email, problem = door.address(typed)
    if problem:
        return render_template("desk/forgotten.html", problem=problem, typed=typed), 422
    if until := tries.count(guard.tried_by(f"forgotten\0{email}"), now()):
        return coming_in.later(until, lambda said: render_template("desk/forgotten.html", problem=said, typed=typed))
    accounts.ask(email, now(), current_parts().links.desk)
    current_parts().wake_sender()
    return render_template("desk/forgotten.html", email=email)


@pages.get("/come-in/<token>")
def come_in_page(token: str) -> str | tuple[str, int]:
    if len(token) != SECRET:  # it was cut off, or is an example
        abort(404)
    account = accounts.of_link(token, now())
    return _choose_page(account) if account else (render_template("desk/link_over.html"), 410)


def _choose_page(account: Account, problem: str = "") -> str:
    return render_template("desk/choose_password.html", account=account, problem=problem, shortest=shortest(account))


@pages.post("/come-in/<token>")
def come_in(token: str) -> Answer:
    account, password = accounts.of_link(token, now()), request.form.get("password", "")
    if account is None:
        return render_template("desk/link_over.html"), 410
    if problem := wrong(password, account):
        return _choose_page(account, problem), 422
    try:
        hashed = passwords.hashed(password)
    except passwords.Busy:
        return _choose_page(account, gettext(coming_in.BUSY)), 429
    chosen = accounts.choose_password(token, hashed, now())
    if chosen is None:
        return render_template("desk/link_over.html"), 410
    if coming_in.needs_passkey(chosen):
        return redirect(url_for("desk.sign_in_page"), 303)
    return coming_in.come_in(chosen)


def shortest(account: Account) -> int:
    return passwords.SHORTEST_OF_TWO if account.totp else passwords.SHORTEST


def wrong(password: str, account: Account) -> str:
    """Why this password may not be; empty where it may."""
    least, longest = shortest(account), passwords.LONGEST
    says: dict[str, str] = {
        "short": gettext("It is shorter than %(num)d characters. Four or five words make a good one.", num=least),
        "long": gettext("It is longer than %(num)d characters.", num=longest),
        "common": gettext("Many people use it, or it is easily guessed. Please choose another one."),
        "known": gettext("There is little more in it than your email address. Please choose another one."),
    }
    return says.get(passwords.problem(password, account.email, shortest=least), "")
