"""Sign-ups that are plain: read without Flask, and answered the same as by it.

What is not plain, or not surely, is none: a token, a guard to pass, something wrong, a name server to be asked.
Reading has no effect, so whoever gets none may hand the request on.
"""

import json
from dataclasses import dataclass
from urllib.parse import urlencode

from werkzeug.utils import redirect

from subscriptions.actions.gate import Pass
from subscriptions.actions.subscribe import SignUp
from subscriptions.domain.evidence import Channel
from subscriptions.parts import Parts
from subscriptions.store.models import List
from subscriptions.web.http import language, open_tab, urls
from subscriptions.web.http.incoming import FORM, Incoming, form_in
from subscriptions.web.intake import guard, hints
from subscriptions.web.intake.parse import NotJson, UnknownList, from_form, from_json, taken
from subscriptions.web.intake.submit import complete, new_handle

Head = tuple[tuple[str, str], ...]
_JSON = json.JSONEncoder(ensure_ascii=False)
JSON_PATH, FORM_PATH = "/api/v1/subscriptions", "/subscribe/"
AT_MOST = 4096  # octets: to read them takes no longer than to hand them on, whatever they say
_SPECIAL = ("step", "altcha", urls.RETURN)  # fields of a form that lead elsewhere, where anything is in them


@dataclass(frozen=True, slots=True)
class Plain:
    """A sign-up, and the answer to it once it is committed: the same whatever is known of the address."""

    sign_up: SignUp
    status: int
    headers: Head
    body: bytes


def read(incoming: Incoming, parts: Parts) -> Plain | None:
    """A plain sign-up, if this request is one; it waits for nothing."""
    if incoming.method != "POST" or "authorization" in incoming.headers or incoming.query:
        return None
    if len(incoming.body) > AT_MOST:
        return None
    if parts.settings.mail.transport != "smtp":  # in try-out mode each request looks where the clock stands
        return None
    if incoming.path == JSON_PATH:
        return _by_json(incoming, parts)
    return _by_form(incoming, parts) if incoming.path.startswith(FORM_PATH) else None


def _by_json(incoming: Incoming, parts: Parts) -> Plain | None:
    if incoming.headers.get("content-type") != "application/json" or "origin" in incoming.headers:
        return None
    try:
        sign_up = from_json(incoming.body, parts.catalogue, special=parts.settings.takes_special)
    except (NotJson, UnknownList):
        return None
    if isinstance(sign_up, list) or sign_up.said or not _is_let_through(sign_up, incoming, parts):
        return None
    handle = new_handle(sign_up, parts)
    hint = hints.of(sign_up.address, parts, ask=False)
    told = taken(sign_up, handle) | ({"hint": hint.in_english} if hint else {})
    head = (("content-type", "application/json"), ("vary", "Origin"))
    return Plain(_complete(sign_up, handle, Channel.API, incoming, parts), 202, head, _JSON.encode(told).encode())


def _by_form(incoming: Incoming, parts: Parts) -> Plain | None:
    row = parts.catalogue.by_slug(incoming.path.removeprefix(FORM_PATH))
    if row is None or incoming.headers.get("content-type") != FORM:
        return None
    form = form_in(incoming.body)
    if hints.CHOSEN in form or any(any(form.getlist(name)) for name in _SPECIAL):
        return None
    here = parts.languages.best(form.get("lang") or form.get("locale"), incoming.languages, row.locale)
    locale, special = language.stored(row, here, parts.languages), parts.settings.takes_special
    sign_up = from_form(form, row, parts.catalogue, locale, special=special)
    if isinstance(sign_up, list) or guard.is_suspicious(form, parts, parts.clock.now()):
        return None
    if not _is_let_through(sign_up, incoming, parts) or hints.unseen(form, sign_up.address, parts, ask=False):
        return None
    handle = new_handle(sign_up, parts)
    head, body = _to_inbox(row, sign_up, handle, here, incoming, parts)
    return Plain(_complete(sign_up, handle, Channel.FORM, incoming, parts), 303, head, body)


def _is_let_through(sign_up: SignUp, incoming: Incoming, parts: Parts) -> bool:
    if sign_up.altcha or not hints.is_quick(sign_up.address, parts):
        return False
    return not guard.is_asked(sign_up, incoming, parts)


def _complete(sign_up: SignUp, handle: str, channel: Channel, incoming: Incoming, parts: Parts) -> SignUp:
    return complete(sign_up, parts.links.ref(handle), channel, incoming, parts, brings=Pass())


def _to_inbox(
    row: List, sign_up: SignUp, handle: str, here: str, incoming: Incoming, parts: Parts
) -> tuple[Head, bytes]:
    """Head and body of the redirect to the page after the form, or to the list's own."""
    asked: dict[str, object] = {"r": handle}
    if not row.thank_you_url:
        asked["a"] = parts.links.addresses.seal(handle, sign_up.address.mailed)
    more: Head = ()
    if not row.thank_you_url and open_tab.is_led_by_us(incoming):
        asked[open_tab.STAMP] = 1
        more = (("referrer-policy", open_tab.TO_OURSELVES),)
    if here != parts.languages.best(None, incoming.languages, row.locale):
        asked["lang"] = here
    location = row.thank_you_url or f"/subscribe/{row.slug}/check-inbox?{urlencode(asked)}"
    answer = redirect(location, 303)
    return (("content-type", answer.headers["Content-Type"]), ("location", location), *more), answer.get_data()
