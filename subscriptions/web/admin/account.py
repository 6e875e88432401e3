"""Your account: where one is signed in, codes of an app, passkeys, and another password."""

from typing import Any
from urllib.parse import urlsplit

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from markupsafe import Markup
from werkzeug.wrappers import Response

from subscriptions import passwords, totp
from subscriptions.actions import Refused, factors, sessions
from subscriptions.domain.codes import for_reading
from subscriptions.languages import marked
from subscriptions.parts import current_parts
from subscriptions.store.models import Account
from subscriptions.web.admin import Answer, coming_in, door, guard, pages, passkeys
from subscriptions.web.admin.coming_in import BUSY, device_time
from subscriptions.web.admin.links import shortest, wrong
from subscriptions.web.http.adapter import now

LONGEST_NAME = 64
_DONE = {
    "session": marked("That browser is signed out."),
    "off": marked("Done. You now sign in with your password alone."),
    "password": marked("Your password is changed. Every other browser is signed out."),
}


@pages.get("/account")
def account() -> str:
    return _account()


def _account(problem: str = "") -> str:
    who, done = guard.who(), _DONE.get(request.args.get("done", ""), "")
    keys = factors.passkeys(who.account) if who.account else ()
    return render_template("desk/account.html", sessions=sessions.sessions(who, now()), here=who.hash, passkeys=keys,
                           problem=problem, done=gettext(done) if done else "")  # fmt: skip


def _changed(what: str) -> Response:
    return redirect(url_for("desk.account", done=what), 303)


@pages.post("/account/end-session")
def end_session() -> Answer:
    try:
        digest = bytes.fromhex(request.form.get("session", "")[:64])
    except ValueError:
        digest = b""
    if not sessions.end(guard.who(), digest):
        return _account(gettext("That browser was signed out already.")), 404
    return _changed("session")


# Codes of an app


@pages.get("/account/second-factor")
def second_factor_page() -> str:
    return _second_factor()


def _second_factor(problem: str = "", sealed: str = "", **shown: Any) -> str:
    """`sealed`: what was offered before; a new one each time would not go with what the app has read."""
    mine, tokens = guard.account(), current_parts().links.desk
    is_on = bool(mine.totp) or "codes" in shown
    shown |= {"problem": problem, "left": len(mine.recovery or ()), "is_due": guard.lacks_second(mine)}
    if not is_on:
        secret = tokens.open(sealed, mine.id) if sealed else None
        if secret is None:
            sealed = tokens.seal(secret := totp.new_secret(), mine.id)
        issuer = urlsplit(current_parts().settings.server.base_url).hostname or "Yestwice"
        shown |= _picture(totp.uri(secret, mine.email, issuer)) | {"sealed": sealed, "secret": secret}
    return render_template("desk/second_factor.html", is_on=is_on, **shown)


def _picture(uri: str) -> dict[str, Any]:
    import segno  # here: only who sets it up needs it

    drawn = segno.make_qr(uri).svg_inline(scale=4, border=4, dark="#000", light="#fff")
    return {"uri": uri, "picture": Markup(drawn)}  # noqa: S704 drawn here, of letters that a path is made of


@pages.post("/account/second-factor")
def set_up() -> Answer:
    """It counts once the app has shown a first code."""
    mine, sealed = guard.account(), request.form.get("sealed", "")
    if mine.totp:
        return _second_factor(gettext("The second factor is already on. Nothing was changed.")), 409
    secret = current_parts().links.desk.open(sealed, mine.id)
    step = totp.step_of(secret, request.form.get("code", ""), device_time()) if secret else None
    if step is None:
        said = gettext("That is not the code the app shows for this key. Enter the one it shows now.")
        return _second_factor(said, sealed), 422
    codes, hashes = _recovery(mine)
    factors.change(mine, guard.act("account second factor"), totp=sealed, totp_step=step, recovery=hashes)
    return _second_factor(codes=codes)


def _recovery(mine: Account) -> tuple[list[str], list[str]]:
    """New ones as they are written down, and as they are kept."""
    made = factors.new_recovery_codes()
    return [for_reading(code) for code in made], [coming_in.recovery_hash(mine, code) for code in made]


@pages.post("/account/recovery-codes")
def renew_recovery() -> Answer:
    mine = guard.account()
    if not mine.totp:
        return redirect(url_for("desk.second_factor_page"), 303)
    codes, hashes = _recovery(mine)
    factors.change(mine, guard.act("account recovery codes"), recovery=hashes)
    return _second_factor(codes=codes)


@pages.post("/account/no-second-factor")
def take_away() -> Answer:
    """Asks for the password, however lately it was given: it has to be long enough to be the only factor."""
    mine, password = guard.account(), request.form.get("password", "")
    if problem := guard.proved_by(mine, password):
        return _second_factor(problem), 422
    if len(password) < passwords.SHORTEST:
        said = gettext("Your password is too short to be used alone. First choose one of at least %(num)d characters.",
                       num=passwords.SHORTEST)  # fmt: skip
        return _second_factor(said, is_short=True), 422
    factors.change(mine, guard.act("account no second factor"), totp=None, totp_step=None, recovery=None)
    return _changed("off")


# Passkeys


@pages.get("/account/passkeys")
def my_passkeys() -> str:
    return _passkeys()


def _passkeys(problem: str = "", **shown: Any) -> str:
    mine = guard.account()
    keys = factors.passkeys(mine)
    options = passkeys.make_options(_making(), mine, keys)
    return render_template("desk/passkeys.html", passkeys=keys, options=options, elsewhere=passkeys.as_localhost(),
                           problem=problem, agent=door.agent(), is_due=guard.lacks_second(mine), **shown)  # fmt: skip


def _making() -> bytes:
    return b"make\0" + guard.who().hash


@pages.post("/account/passkeys")
def add_passkey() -> Answer:
    mine, name = guard.account(), request.form.get("name", "").strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        said = gettext("Please give it a name of one line, at most %(num)d characters.", num=LONGEST_NAME)
        return _passkeys(said, typed=name), 422
    made = passkeys.made(_making(), name, request.form.get("credential", ""))
    if made is None:
        return _passkeys(gettext("No passkey was made, or it took too long. Please try again."), typed=name), 422
    try:
        factors.add_passkey(mine, *made, guard.act("account passkey"))
    except Refused as error:
        return _passkeys(gettext(str(error)), typed=name), 422
    return _passkeys(done=gettext("Done. You can now sign in with this passkey."))


@pages.post("/account/no-passkey")
def end_passkey() -> Answer:
    number = request.form.get("passkey", "")
    id_ = int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else 0
    if not id_ or not factors.end_passkey(guard.account(), id_, guard.act("account no passkey")):
        return _passkeys(gettext("That passkey was removed already.")), 404
    return _passkeys(done=gettext("Done. It no longer works here. Delete it on your device too."))


# The password


@pages.get("/account/password")
def password_page() -> str:
    return _password()


def _password(problem: str = "") -> str:
    return render_template("desk/password.html", account=(mine := guard.account()), problem=problem,
                           shortest=shortest(mine))  # fmt: skip


@pages.post("/account/password")
def change_password() -> Answer:
    mine, password = guard.account(), request.form.get("password", "")
    if problem := wrong(password, mine):
        return _password(problem), 422
    try:
        hashed = passwords.hashed(password)
    except passwords.Busy:
        return _password(gettext(BUSY)), 429
    factors.change_password(guard.who(), hashed, guard.act("account password"))
    return _changed("password")
