"""Tokens that may stand in the address of a mail: letters and digits alone, whose case means nothing.

Purposes and sizes never change: what was mailed is answered for ever.
"""

import base64
import re
from collections.abc import Sequence
from hmac import compare_digest

from subscriptions.links.signing import BadLink, derived, mac_of

# each with what it carries beside the id of a list
LEAVE_BY_MAIL = b"leave by mail"  # the key of an address
RETURN = b"return"  # the same, of a mail to a subscriber
RETURN_OF_FORM = b"return of form"  # the reference of the form whose confirmation mail it is
_OF, _LIST, _MAC = 16, 4, 10  # octets; 30 together: base32 leaves no bits over, so a token has one spelling
LOCAL = 64  # octets before the @ (RFC 5321)
TOKEN = 48  # characters
_FORM = re.compile(r"[a-z2-7]{48}")


class ByMail:
    """`secret_keys`: newest first; the first signs, all verify."""

    def __init__(self, secret_keys: Sequence[bytes]) -> None:
        purposes = (LEAVE_BY_MAIL, RETURN, RETURN_OF_FORM)
        self._macs = {each: [mac_of(derived(b"by mail " + each, key)) for key in secret_keys] for each in purposes}

    def write(self, purpose: bytes, of: bytes, list_id: int) -> str:
        told = of + list_id.to_bytes(_LIST)
        return base64.b32encode(told + self._macs[purpose][0](told)[:_MAC]).decode().lower()

    def read(self, purpose: bytes, text: str) -> tuple[bytes, int]:
        """What it carries, and the id of the list; raises BadLink."""
        if not _FORM.fullmatch(text := text.lower()):
            raise BadLink
        octets = base64.b32decode(text.upper())
        told, mac = octets[:-_MAC], octets[-_MAC:]
        if not any([compare_digest(make(told)[:_MAC], mac) for make in self._macs[purpose]]):
            raise BadLink
        return told[:_OF], int.from_bytes(told[_OF:])


def tagged(address: str, token: str) -> str:
    """The address with the token in it, as a mail server delivers it to the same mailbox (RFC 5233)."""
    local, _, domain = address.rpartition("@")
    return f"{local}+{token}@{domain}"


def tag_in(address: str, ours: str) -> str | None:
    """What stands after the + in our address; None in any other. Some mail servers fold the case of all of it."""
    local, _, domain = address.lower().rpartition("@")
    our_local, _, our_domain = ours.lower().rpartition("@")
    is_ours = domain == our_domain and local.startswith(our_local + "+")
    return local[len(our_local) + 1 :] if is_ours else None
