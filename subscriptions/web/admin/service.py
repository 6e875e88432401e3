"""What an owner keeps: accounts and API tokens."""

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote

from flask import render_template, request
from flask_babel import gettext

from subscriptions.actions import Refused, accounts, tokens
from subscriptions.domain.policy import TokenScope
from subscriptions.domain.roles import Role
from subscriptions.parts import current_parts
from subscriptions.store import accounts as account_rows
from subscriptions.store import tokens as token_rows
from subscriptions.store.engine import reading
from subscriptions.web.admin import Answer, door, guard, pages
from subscriptions.web.http import urls
from subscriptions.web.http.adapter import now

LONGEST = 64  # characters of a token's name


# Accounts


@pages.get("/accounts")
def all_accounts() -> str:
    return _accounts()


def _accounts(**said: Any) -> str:
    with reading() as session:
        rows, second = account_rows.all_of(session), account_rows.with_second(session)
    me, lists = guard.who().account, guard.lists()
    second -= {me.id} if me else set()  # one's own ends at one's own page
    shown = {
        "accounts": rows,
        "roles": [*Role],
        "lists": lists,
        "names": {row.id: row.name for row in lists},
        "second": second,
    }
    return render_template("desk/accounts.html", **shown, **said)


@pages.post("/accounts/invite")
def invite() -> Answer:
    """A link is made, mailed, and shown this once."""
    typed, slugs = request.form.get("email", "").strip(), request.form.getlist("lists")
    named = request.form.get("role", "")
    kept = {"typed": typed, "role": named, "chosen": slugs}
    email, problem = door.address(typed)
    if problem or named not in [*Role]:
        return _accounts(problem=problem or gettext("Please choose a role."), **kept), 422
    role = Role(named)
    rows = [guard.the_list(slug) for slug in slugs] if role is not Role.OWNER else []
    act = guard.act("accounts invite", role=str(role), lists=[row.slug for row in rows] or None)
    ids, mails = [row.id for row in rows] or None, current_parts().links.desk
    return _made(lambda: accounts.invite(email, role, ids, now(), act, mails), email, kept)


@pages.post('/accounts/<int(max=9223372036854775807):id_>/<any(role, disable, reset, "second-factor"):what>')
def change_account(id_: int, what: str) -> Answer:
    with reading() as session:
        account = account_rows.find(session, id_)
    if account is None:
        return _accounts(problem=gettext("That account does not exist.")), 404
    if what == "second-factor" and (me := guard.who().account) and me.id == id_:
        return _accounts(problem=gettext("You can remove your own second factor under “Your account”.")), 422
    if what in ("reset", "second-factor"):
        is_second, mails = what == "second-factor", current_parts().links.desk
        act = guard.act("accounts second factor") if is_second else guard.act("accounts reset")
        make = partial(accounts.forgotten, account.email, now(), act, mails, second_factor=is_second)
        return _made(make, account.email, {})
    role = request.form.get("role", "")
    if what == "role" and role not in [*Role]:
        return _accounts(problem=gettext("Please choose a role.")), 422
    chosen = Role(role) if what == "role" else None
    act = guard.act(f"accounts {what}", role=role if chosen else None)
    try:
        accounts.change(account.email, now(), act, role=chosen, is_disabled=what == "disable")
    except Refused as error:
        return _accounts(problem=gettext(str(error))), 422
    said = gettext("Done. That account has to sign in again.") if chosen else gettext("Done. That account is closed.")
    return _accounts(done=said)


def _made(make: Callable[[], str], email: str, kept: dict[str, Any]) -> Answer:
    """The page with the link that was made."""
    try:
        secret = make()
    except Refused as error:
        return _accounts(problem=gettext(str(error)), **kept), 422
    current_parts().wake_sender()
    return _accounts(link=urls.public(f"/admin/come-in/{quote(secret)}"), link_for=email)


# Tokens


@pages.get("/tokens")
def all_tokens() -> str:
    return _tokens()


def _tokens(**said: Any) -> str:
    with reading() as session:
        rows = token_rows.all_of(session)
    return render_template("desk/tokens.html", tokens=rows, scopes=[*TokenScope], **said)


@pages.post("/tokens")
def create_token() -> Answer:
    name, scope = request.form.get("name", "").strip(), request.form.get("scope", "")
    kept = {"typed": name, "scope": scope}
    if not 0 < len(name) <= LONGEST or not name.isprintable() or "@" in name:
        said = gettext(
            "Please give it a name of one line, at most %(num)d characters, without an email address.", num=LONGEST
        )
        return _tokens(problem=said, **kept), 422
    if scope not in [*TokenScope]:
        return _tokens(problem=gettext("Please choose what it allows."), **kept), 422
    try:
        secret = tokens.create(name, TokenScope(scope), now(), guard.act("tokens create", token=name, scope=scope))
    except Refused:
        said = gettext("There is, or was, a token of that name. Please choose another name.")
        return _tokens(problem=said, **kept), 422
    return _tokens(secret=secret, made=name)


@pages.post("/tokens/revoke")
def revoke_token() -> Answer:
    name = request.form.get("name", "")
    try:
        tokens.revoke(name, now(), guard.act("tokens revoke", token=name))
    except Refused:
        return _tokens(problem=gettext("There is no such token that still works.")), 422
    return _tokens(done=gettext("Done. It does not work any more."))
