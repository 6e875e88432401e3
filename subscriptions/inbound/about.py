"""Which mail of ours another one is about: by the address it came to, else by the links that it brings back."""

import re
from collections.abc import Iterator
from contextlib import suppress

from subscriptions.actions.returned import About
from subscriptions.domain.address import named
from subscriptions.inbound.house import House
from subscriptions.inbound.message import Arrived
from subscriptions.links import BadLink, Links
from subscriptions.links.by_mail import RETURN, RETURN_OF_FORM, tag_in

_LINK = re.compile(r"/(unsubscribe|not-me)/([A-Za-z0-9_.-]{40,200})")
_RETURN = re.compile(r"\+([a-z2-7]{48})@", re.I)
TRIED = 20  # tokens of one mail


def about_of(arrived: Arrived, house: House) -> About | None:
    """None: nothing in it was signed by us, so it changes nothing (RFC 3834, section 6)."""
    ours = named(house.settings.mail.envelope_sender)[1]
    for address in (arrived.envelope_to, *arrived.recipients):
        if ours and (tag := tag_in(address or "", ours)) and (about := _by_return(tag, house.links)):
            return about
    for number, (purpose, token) in enumerate(_tokens(arrived)):
        if number == TRIED:
            break
        if about := _by_return(token, house.links) if purpose == "+" else _by_link(purpose, token, house.links):
            return about
    return None


def _tokens(arrived: Arrived) -> Iterator[tuple[str, str]]:
    """Of the mail that is returned: the address it came from, and its links in header and text."""
    for text in texts_of(arrived):
        yield from (("+", found) for found in _RETURN.findall(text))
        yield from _LINK.findall(text)


def texts_of(arrived: Arrived) -> Iterator[str]:
    """Every text in it, and the header fields of what is attached that name our links."""
    for part in arrived.message.walk():
        if part is not arrived.message:
            names = "Return-Path", "List-Unsubscribe", "Original-Mail-From", "X-Original-Mail-From"
            yield from (str(value) for name in names for value in part.get_all(name, ()))
        if part.get_content_maintype() == "text":
            octets = part.get_payload(decode=True)
            yield octets.decode("utf-8", "replace") if isinstance(octets, bytes) else ""


def _by_return(token: str, links: Links) -> About | None:
    with suppress(BadLink):
        key, list_id = links.by_mail.read(RETURN, token)
        return About(list_id, key)
    with suppress(BadLink):
        ref, list_id = links.by_mail.read(RETURN_OF_FORM, token)
        return About(list_id, ref=ref)
    return None


def _by_link(purpose: str, token: str, links: Links) -> About | None:
    with suppress(BadLink):
        if purpose == "unsubscribe":
            leave = links.read_leave(token)
            return About(leave.list_id, leave.key)
        sign_up = links.read_not_me(token)
        return About(sign_up.list_id, sign_up.key, sign_up.ref, sign_up.mailbox)
    return None
