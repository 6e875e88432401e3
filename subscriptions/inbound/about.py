"""Which mail of ours another one is about: by the address it came to, else by the links that it brings back."""

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from subscriptions.actions.returned import About
from subscriptions.domain.address import named
from subscriptions.inbound.house import House
from subscriptions.inbound.message import Arrived
from subscriptions.links import BadLink, Links
from subscriptions.links.by_mail import RETURN, RETURN_OF_FORM, tag_in

_OURS = re.compile(r"/(unsubscribe|not-me)/([A-Za-z0-9_.-]{40,200})|\+([A-Za-z2-7]{48})@")
_NAMING = "Return-Path", "List-Unsubscribe", "Original-Mail-From"  # fields that may hold one
TRIED = 20  # tokens of one mail


def about_of(arrived: Arrived, house: House) -> About | None:
    """None: nothing in it was signed by us, so it changes nothing (RFC 3834, section 6)."""
    ours = named(house.settings.mail.envelope_sender)[1]
    for address in (arrived.envelope_to, *arrived.recipients):
        if ours and (tag := tag_in(address or "", ours)) and (about := _by_return(tag, house.links)):
            return about
    found = (ours for text in _texts(arrived) for ours in _OURS.findall(text))
    for page, token, tag in islice(found, TRIED):
        if about := _by_return(tag, house.links) if tag else _by_link(page, token, house.links):
            return about
    return None


def _texts(arrived: Arrived) -> Iterator[str]:
    """Every text in it, and the fields of what it brings back."""
    for part in arrived.message.walk():
        if part is not arrived.message:
            yield from (str(value) for name in _NAMING for value in part.get_all(name, ()))
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
