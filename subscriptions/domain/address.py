"""What an e-mail address is, how two of them compare, and its key."""

import hashlib
import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

import email_validator
from email_validator import EmailNotValidError, validate_email

from subscriptions.domain.address_problems import LONGEST, LONGEST_LOCAL, probably, refuse, straight, trimmed
from subscriptions.domain.address_problems import BadAddress as BadAddress

KEY_BYTES = 16

# Names that are no one's on the Internet (RFC 6761 and others): each installation says whether it takes them, so the
# library must not refuse them. Its documentation has this list for that.
_SPECIAL = tuple(email_validator.SPECIAL_USE_DOMAIN_NAMES)
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

_PLAIN_LOCAL = re.compile(r"[a-zA-Z0-9_+-]+(\.[a-zA-Z0-9_+-]+)*")  # what no rule of the library could refuse
_PLAIN = re.compile(rf"{_PLAIN_LOCAL.pattern}@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)*\.[a-zA-Z][a-zA-Z0-9-]*")


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


def parsed(text: str) -> Address | None:
    """The same as `parse`; None where it is none."""
    try:
        return parse(text)
    except BadAddress:
        return None


def parse(text: str) -> Address:
    """The address in `text`, without what cannot be seen at its ends; raises BadAddress."""
    typed = trimmed(text)
    try:
        return _read(typed)
    except BadAddress as error:
        meant = probably(typed[: 4 * LONGEST])
        if meant != typed and (found := _found(meant)):
            local, _, domain = found.mailed.rpartition("@")
            raise BadAddress("did_you_mean", address=f"{straight(local)}@{domain}") from None
        raise error from None


def _found(text: str) -> Address | None:
    with suppress(BadAddress):
        return _read(text)
    return None


def _read(typed: str) -> Address:
    if len(typed) > LONGEST or not _PLAIN.fullmatch(typed):
        refuse(typed)
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
    names = _domain(domain)
    if _PLAIN_LOCAL.fullmatch(local):
        return local, *names
    try:
        checked = validate_email(f"{local}@example.org", check_deliverability=False, allow_smtputf8=True)
    except EmailNotValidError:
        raise BadAddress("local") from None
    return checked.local_part, *names


@lru_cache(4096)
def _domain(text: str) -> tuple[str, str]:
    try:
        checked = validate_email(f"x@{text}", check_deliverability=False, allow_smtputf8=True)
    except EmailNotValidError:
        raise BadAddress("domain") from None
    if not checked.ascii_domain[-1].isalpha():  # no top-level domain ends otherwise
        raise BadAddress("domain")
    return checked.domain, checked.ascii_domain


def ascii_name(host: str) -> str:
    """The name of a host as machines compare it: small letters, A-labels, no dot at its end."""
    name = host.lower().removesuffix(".")
    with suppress(BadAddress):
        return name if name.isascii() else _domain(name)[1].lower()
    return name


def special_ending(ascii_domain: str) -> str | None:
    """The ending under which no mail is delivered outside of a network of one's own: local, test and their like."""
    ending = ascii_domain.rpartition(".")[2]
    return ending if ending in _SPECIAL else None


def _refuse_long(local: str, ascii_domain: str, domain: str) -> None:
    octets = len(local.encode())
    if octets > LONGEST_LOCAL:
        raise BadAddress("local_too_long")
    if octets + 1 + max(len(ascii_domain), len(domain.encode())) > LONGEST:
        raise BadAddress("too_long")


def wire_form(mailed: str) -> str:
    """The address for SMTP: the domain as A-label, so that SMTPUTF8 is needed for the local part alone (RFC 6531)."""
    local, _, domain = mailed.rpartition("@")
    return mailed if domain.isascii() else f"{local}@{_domain(domain)[1]}"


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
_AT_GMAIL = tuple(f"@{domain}" for domain in GMAIL)


def mailbox_of(folded: str) -> str:
    """The mailbox of which a folded address is a spelling: without its `+tag`, and for Gmail without dots.

    No other sign is known to part a tag off at providers that share no rule; a guess would join two people.
    """
    if "+" not in folded and not folded.endswith(_AT_GMAIL):  # as most: asked for each sign-up, several times
        return folded
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
