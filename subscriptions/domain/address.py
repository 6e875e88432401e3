"""What an e-mail address is, how two of them compare, and its key."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

LONGEST = 254  # octets, RFC 5321 4.5.3.1.3 less the angle brackets
LONGEST_LOCAL = 64  # octets, RFC 5321 4.5.3.1.1
KEY_BYTES = 16

_PLAIN_LOCAL = re.compile(r"[a-zA-Z0-9_+-]+(\.[a-zA-Z0-9_+-]+)*")  # what no rule of the library could refuse

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffd]")
_ENCODED_WORD = re.compile(r"=\?[^?]*\?[bq]\?", re.I)  # RFC 2047: some relays decode it even in an address


class BadAddress(ValueError):
    """The text is no address that we can mail; the message says why, in a sentence."""


class RefusedAddress(BadAddress):
    """The sentence is the library's: English, and naming what it found."""


@dataclass(frozen=True, slots=True)
class Address:
    """`mailed`: as typed, the domain in its canonical form. `folded`: what is compared. `typed`: the text itself."""

    mailed: str
    folded: str
    typed: str

    @property
    def domain(self) -> str:
        return self.mailed.rpartition("@")[2]

    @property
    def ascii_domain(self) -> str:
        """As machines compare it: small letters, A-labels."""
        return self.folded.rpartition("@")[2]


def parse(text: str) -> Address:
    """The address in `text`, white space around it ignored; raises BadAddress."""
    typed = text.strip(" \t\r\n")
    if not typed:
        raise BadAddress("Please enter your e-mail address.")
    if _CONTROL.search(typed) or _ENCODED_WORD.search(typed):
        raise BadAddress("The e-mail address contains a character that is not allowed.")
    if len(typed) > 4 * LONGEST:
        raise BadAddress("The e-mail address is too long.")
    local, domain, ascii_domain = _parts(typed)
    _refuse_long(local, ascii_domain, domain)
    return Address(f"{local}@{domain}", f"{_folded(local)}@{ascii_domain.lower()}", typed)


def _folded(local: str) -> str:
    if local.isascii():
        return local.lower()
    # the two small sigmas have one capital, and which of them lower() makes of it hangs on the letters around
    return unicodedata.normalize("NFC", local.lower().replace("ς", "σ"))


def _parts(typed: str) -> tuple[str, str, str]:
    """Local part, domain, and domain as A-labels; most domains have been asked about before (40 us each)."""
    local, _, domain = typed.rpartition("@")
    try:
        if _PLAIN_LOCAL.fullmatch(local):
            return local, *_domain(domain)
        checked = validate_email(typed, check_deliverability=False, allow_smtputf8=True)
    except EmailNotValidError as problem:
        raise RefusedAddress(str(problem)) from None
    return checked.local_part, checked.domain, checked.ascii_domain


@lru_cache(4096)
def _domain(text: str) -> tuple[str, str]:
    checked = validate_email(f"x@{text}", check_deliverability=False, allow_smtputf8=True)
    return checked.domain, checked.ascii_domain


def _refuse_long(local: str, ascii_domain: str, domain: str) -> None:
    octets = len(local.encode())
    if octets > LONGEST_LOCAL:
        raise BadAddress("The part of the e-mail address before the @-sign is too long.")
    if octets + 1 + max(len(ascii_domain), len(domain.encode())) > LONGEST:
        raise BadAddress("The e-mail address is too long.")


def wire_form(mailed: str) -> str:
    """The address for SMTP: the domain as A-label, so that SMTPUTF8 is needed for the local part alone (RFC 6531)."""
    if mailed.isascii():
        return mailed
    local, _, domain = mailed.rpartition("@")
    if domain.isascii():
        return mailed
    return f"{local}@{validate_email(mailed, check_deliverability=False).ascii_domain}"


_NAMED = re.compile(r"(?P<name>.*)<(?P<address>[^<>]*)>\s*|(?P<bare>[^\s<>()]*)\s*\((?P<comment>.*)\)\s*", re.DOTALL)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def named(text: str) -> tuple[str, str]:
    """The name and the address in "Name <address>", or no name.

    The name is taken as it stands, whatever signs it has: who writes a configuration need not know how headers quote.
    """
    found = _NAMED.fullmatch(text.strip())
    if found is None:
        return "", text.strip()
    name, address = found["name"], found["address"]
    if name is None:
        name, address = found["comment"], found["bare"]
    name = name.strip()
    if _QUOTED.fullmatch(name):
        name = re.sub(r"\\(.)", r"\1", name[1:-1], flags=re.DOTALL)
    return " ".join(name.split()), address.strip()


GMAIL = "gmail.com", "googlemail.com"


def mailbox_of(folded: str) -> str:
    """The mailbox of which a folded address is a spelling: without its `+tag`, and for Gmail without dots.

    No other sign is known to part a tag off at providers that share no rule; a guess would join two people.
    """
    local, _, domain = folded.rpartition("@")
    plain = local.partition("+")[0] or local  # what begins with it has no other name
    if domain in GMAIL:
        plain, domain = plain.replace(".", ""), GMAIL[0]
    return f"{plain}@{domain}"


def key_of(folded: str, pepper: bytes) -> bytes:
    """The key of an address: a keyed hash, 16 bytes, that without the pepper says nothing.

    BLAKE2b in its keyed mode (RFC 7693), `pepper` of at most 64 bytes; measured: 1 us, OpenSSL's HMAC 8.
    """
    return hashlib.blake2b(folded.encode(), key=pepper, digest_size=KEY_BYTES).digest()


_JOINS_NAMES = " '’.-·"


def is_harmless(name: str) -> bool:
    """Whether a name that a stranger typed may be echoed in a mail: letters alone, at most 60, no address."""
    # most names are nothing but letters, and that is asked the fastest; M: marks upon letters
    letters = name.replace(" ", "").isalpha() or all(
        sign in _JOINS_NAMES or unicodedata.category(sign)[0] in "LM" for sign in name
    )
    return len(name) <= 60 and name[:1].isalpha() and letters and not re.search(r"\.[^\s.]{2}", name)
