"""Tokens that may stand in the address of a mail: letters and digits alone, whose case means nothing.

Purposes and sizes never change: what was mailed is answered for ever.
"""

import base64
import re
from collections.abc import Callable, Sequence
from hmac import compare_digest
from struct import Struct
from urllib.parse import quote

from subscriptions.links.signing import BadLink, derived, mac_of

# each with what it carries beside the id of a list
LEAVE_BY_MAIL = b"leave by mail"  # the key of an address
RETURN = b"return"  # the same, of a mail to a subscriber
RETURN_OF_FORM = b"return of form"  # the reference of the form whose confirmation mail it is
LEAVES = "unsubscribe"  # the page, and the word of the subject
_OF, _LIST, _MAC = 16, 4, 10  # octets; 30 together: base32 leaves no bits over, so a token has one spelling
LOCAL = 64  # octets before the @ (RFC 5321)
TOKEN = 48  # characters
_FORM = re.compile(r"[a-z2-7]{48}")
_LETTERS = bytes.maketrans(bytes(range(32)), b"abcdefghijklmnopqrstuvwxyz234567")


def _every(lane: int, bits: int) -> int:
    """That many low bits of each lane of so many bits, of 384 in all."""
    return sum(((1 << bits) - 1) << at for at in range(0, 384, lane))


# 40 bits become twice 20, four times 10, eight times 5: the upper half of each lane, by how much it moves, the lower
_20, _10, _5 = [
    (_every(2 * to, bits) << bits, to - bits, _every(2 * to, bits)) for to, bits in ((32, 20), (16, 10), (8, 5))
]
_forties = Struct("5s" * 6).unpack


class ByMail:
    """`secret_keys`: newest first; the first signs, all verify.

    `address`: where people write to leave, if anywhere; `in_address`: their token stands in it, else in the subject.
    """

    def __init__(self, secret_keys: Sequence[bytes], address: str = "", in_address: bool = False) -> None:
        self.address, self.in_address = address, in_address
        self.returns_to = ""  # the envelope sender, where its mail is read here; it takes a token as the other does
        purposes = (LEAVE_BY_MAIL, RETURN, RETURN_OF_FORM)
        self._macs = {each: [mac_of(derived(b"by mail " + each, key)) for key in secret_keys] for each in purposes}

    def write(self, purpose: bytes, of: bytes, list_id: int) -> str:
        told = of + list_id.to_bytes(_LIST)
        return _base32(told + self._macs[purpose][0](told)[:_MAC])

    def read(self, purpose: bytes, text: str) -> tuple[bytes, int]:
        """What it carries, and the id of the list; raises BadLink."""
        if not _FORM.fullmatch(text := text.lower()):
            raise BadLink
        octets = base64.b32decode(text.upper())
        told, mac = octets[:-_MAC], octets[-_MAC:]
        if not any([compare_digest(make(told)[:_MAC], mac) for make in self._macs[purpose]]):
            raise BadLink
        return told[:_OF], int.from_bytes(told[_OF:])

    def leave_tag(self, list_id: int, key: bytes) -> str:
        return self.write(LEAVE_BY_MAIL, key, list_id)

    def url(self, page: str, token: str, in_address: str) -> str:
        """A mailto that does what that page does: `token` is the page's, `in_address` may be that of an address.

        Empty where nobody reads the mail.
        """
        if page == LEAVES and self.address and self.in_address:
            return f"mailto:{_quoted(tagged(self.address, in_address))}?subject={page}"
        return self.address and f"mailto:{_quoted(self.address)}?subject={page}%20{token}"


def returning(by_mail: ByMail, list_id: int) -> Callable[[bytes], str]:
    """By the key of an address, where a mail of that list to it comes back to."""
    if not by_mail.in_address:
        return lambda key: by_mail.returns_to
    return lambda key: tagged(by_mail.returns_to, by_mail.write(RETURN, key, list_id))


def _quoted(address: str) -> str:
    """For a mailto (RFC 6068); not the sign before a tag, which mail programs would send as %2B."""
    return quote(address, safe="@+\0")


def _base32(octets: bytes) -> str:
    """RFC 4648 in small letters, without padding, of 30 octets: with the MAC 3 us, where the library takes 6."""
    lanes = int.from_bytes(b"\0\0\0".join((b"", *_forties(octets))))
    lanes = (lanes & _20[0]) << _20[1] | lanes & _20[2]
    lanes = (lanes & _10[0]) << _10[1] | lanes & _10[2]
    lanes = (lanes & _5[0]) << _5[1] | lanes & _5[2]
    return lanes.to_bytes(TOKEN).translate(_LETTERS).decode()


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
