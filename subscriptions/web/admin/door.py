"""The page of the way in, and what it carries through: where somebody wanted to go, and what they had typed."""

import json
import re
from typing import Any

from flask import render_template, request
from flask_babel import gettext

from subscriptions.actions import accounts
from subscriptions.domain.address import BadAddress, parse
from subscriptions.look.pictures import UPLOADED
from subscriptions.parts import current_parts
from subscriptions.web.admin import passkeys
from subscriptions.web.http.adapter import incoming
from subscriptions.web.http.client_ip import is_straight_from_loopback

Fields = list[tuple[str, str]]
SECRETS = frozenset({"csrf", "proof", "password", "code", "credential", "proof_key"})  # never written into a page
TOO_LONG = 320  # characters, for any address; what is cut off there is refused
LONGEST = 100_000  # characters that are carried along
_BROWSERS = ("Firefox", "Edg", "OPR", "Chrome", "Safari")
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux")
_SHOWN = {"Edg": "Edge", "OPR": "Opera", "Mac OS X": "macOS"}


def sign_in_page(problem: str = "", email: str = "", **shown: Any) -> str:
    """`shown`: `then` and `kept`, where the form at hand does not carry them itself."""
    carried = {"then": then(), "kept": kept(), **shown}
    passkey = passkeys.sign_options(passkeys.SIGN_IN) if passkeys.are_there() else ""
    return render_template("desk/sign_in.html", problem=problem, email=email, is_here=is_here(), passkey=passkey,
                           is_new=accounts.is_nobody_in(), **carried)  # fmt: skip


def sign_in_page_for_typed() -> str:
    """In place of what was sent when the session had ended: it comes back after the sign-in."""
    kept = [(name, text) for name, text in typed() if not text.startswith(UPLOADED)]
    fields = json.dumps(kept, ensure_ascii=False)
    is_long = len(fields) > LONGEST
    is_lost = is_long or len(kept) < len(typed()) or any(one.filename for one in request.files.values())
    return sign_in_page(then=request.path, kept="" if is_long else fields, is_over=True, is_lost=is_lost)


def address(typed: str) -> tuple[str, str]:
    """The address that was typed, as accounts and keys have it, or what is wrong with it."""
    try:
        return parse(typed.strip()[:TOO_LONG]).folded, ""
    except BadAddress as error:
        return "", gettext(error.sentence, **(error.values or {}))


def typed() -> Fields:
    """The form at hand without its secrets."""
    return [(name, text) for name, text in request.form.items(multi=True) if name not in SECRETS]


def then() -> str:
    """The page of the desk that was asked for before; no other address is followed."""
    to = request.values.get("then", "")
    return to if to.startswith("/admin") and "//" not in to and "\\" not in to and to.isprintable() else ""


def kept() -> str:
    """What was typed elsewhere, as the form at hand carries it along."""
    return request.form.get("kept", "")


def fields_kept() -> Fields:
    """The same, read; nothing where it is none of ours."""
    try:
        found = json.loads(kept()[: 2 * LONGEST] or "[]")
        pairs = [(str(name), str(text)) for name, text in (one for one in found if isinstance(one, list))]
    except (ValueError, TypeError, RecursionError):
        return []
    return [(name, text) for name, text in pairs if name not in SECRETS]


def is_here() -> bool:
    """Whether whoever asks sits at the machine of a service in try-out mode: there is nobody to keep out."""
    return current_parts().settings.mail.transport == "mailbox" and is_straight_from_loopback(incoming())


def agent() -> str:
    """The browser in a few words, by which somebody knows a session as their own."""
    said = request.headers.get("User-Agent", "")
    names = [next((name for name in kind if re.search(rf"\b{name}\b", said)), "") for kind in (_BROWSERS, _SYSTEMS)]
    return " · ".join(_SHOWN.get(name, name) for name in names if name)
