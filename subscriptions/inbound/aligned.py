"""Whether the author of a message is who its From says: by the results of our own mail server, or by the signature.

A domain signs for itself and for what is below it, as its owner could take that over by the DNS. Whatever a replay
could exchange must be signed, so a mail to somebody else, or of last year, is no wish of today.
"""

import logging
import re
from collections.abc import Callable, Iterator
from datetime import timedelta

from subscriptions.inbound.house import House
from subscriptions.inbound.message import Arrived
from subscriptions.links.by_mail import tag_in

logging.getLogger("dkimpy").disabled = True  # it repeats what a stranger wrote
_FRESH, _AHEAD = timedelta(days=14), timedelta(days=1)
_ONCE = ("From", "To", "Cc", "Subject", "Date", "Message-ID", "Content-Type")  # of two, a signature is about the lower
_SIGNED = {"from", "subject", "date", "message-id"}
_AT_MOST = 5  # signatures that are looked at
_PASS = re.compile(r"\s*(dkim|dmarc)\s*(?:/\s*\d+\s*)?=\s*pass\b(.*)", re.I | re.S)
_SAYS = re.compile(r"\bheader\s*\.\s*(d|i|from)\s*=\s*(\S+)", re.I)
_BY_LMTP = re.compile(r"\bwith\s+(?:UTF8)?LMTP", re.I)
_WITH = re.compile(r"\bwith\b", re.I)
_KEY_AT_MOST = 1500  # octets of a key; RSA of 8,192 bits has 1,400, and the arithmetic of 64 KiB takes hours
Tags = dict[str, str]


def is_aligned(arrived: Arrived, house: House) -> bool:
    """Whether its author has written it to us, lately; not whether it came before."""
    if len(arrived.authors) != 1 or not arrived.message_id or arrived.sent_at is None:
        return False
    if any(len(arrived.fields(name)) > 1 for name in _ONCE):
        return False
    if not -_AHEAD <= house.now - arrived.sent_at <= _FRESH:
        return False
    domain = arrived.authors[0].rpartition("@")[2]
    signed = {at: tags for at, tags in enumerate(_signatures(arrived)) if _speaks_for(tags.get("d", ""), domain)}
    # each of them: one that holds must not vouch for what only another one claims
    if not signed or not all(_covers(tags, arrived, house) for tags in signed.values()):
        return False
    return _is_said(arrived, domain, house) or any(_holds(arrived, at, house) for at in signed if at < _AT_MOST)


def _signatures(arrived: Arrived) -> Iterator[Tags]:
    for field in arrived.fields("DKIM-Signature"):
        pairs = (tag.partition("=") for tag in field.split(";"))
        yield {name.strip().lower(): "".join(value.split()) for name, _, value in pairs}


def _speaks_for(signer: str, domain: str) -> bool:
    signer = signer.lower().rstrip(".")
    return "." in signer and (signer == domain or domain.endswith("." + signer))


def _covers(tags: Tags, arrived: Arrived, house: House) -> bool:
    """Whether it signs the whole text, and all by which somebody could pass it on as another wish."""
    signed, expires = set(tags.get("h", "").lower().split(":")), tags.get("x", "")
    if "l" in tags or not tags.get("a", "").lower().endswith("-sha256") or not signed >= _SIGNED:
        return False
    if expires and not (expires.isdecimal() and len(expires) < 12 and int(expires) > house.now.timestamp()):
        return False
    ours = house.settings.inbound.address
    return any(name.lower() in signed and _names(arrived.fields(name), ours) for name in ("To", "Cc"))


def _names(fields: list[str], ours: str) -> bool:
    words = re.split(r"[\s<>,;:\"()]+", " ".join(fields))
    return any(word and (word.casefold() == ours.casefold() or tag_in(word, ours) is not None) for word in words)


def _is_said(arrived: Arrived, domain: str, house: House) -> bool:
    """By our own mail server: the topmost of its fields, which stands above its line of when the message came."""
    for name, value in arrived.message.raw_items():
        if name.lower() == "received" and not _is_lmtp(str(value)):
            return False
        if name.lower() == "authentication-results":
            who, *results = _pieces(str(value)) or [""]
            if (who.lower().split() or [""])[0] in map(str.lower, house.settings.inbound.authserv_ids):
                return any(_passes(result, domain) for result in results)
    return False


def _is_lmtp(received: str) -> bool:
    """Whether it only carries mail on to the mailbox. A stranger's server may call itself "x with LMTP"."""
    return bool(_BY_LMTP.search(received)) and len(_WITH.findall(received)) == 1


def _pieces(text: str) -> list[str]:
    """Of RFC 8601, without comments; what is quoted was a stranger's and can neither end a piece nor say anything."""
    said, depth, quoted, escaped = "", 0, False, False
    for char in text:
        if escaped or (char == "\\" and (quoted or depth)):
            escaped = not escaped
        elif char == '"' and not depth:
            quoted = not quoted
        elif quoted:
            said += char if char.isalnum() or char in ".-@" else "_"
        elif char in "()":
            depth, said = max(0, depth + (1 if char == "(" else -1)), said + " "
        elif not depth:
            said += char
    return [] if quoted or depth else said.split(";")


def _passes(result: str, domain: str) -> bool:
    found = _PASS.fullmatch(result)
    if not found:
        return False
    says = {name.lower(): value.rpartition("@")[2].lower() for name, value in reversed(_SAYS.findall(found[2]))}
    if found[1].lower() == "dmarc":
        return says.get("from") == domain
    return _speaks_for(says.get("d") or says.get("i", ""), domain)


def _holds(arrived: Arrived, at: int, house: House) -> bool:
    """By the key in the DNS, which a mail server of ours has not asked for."""
    ask = house.dkim_key
    if ask is None:
        return False
    import dkim  # here, and so are the DNS and its parts: by a pipe each message starts the program, and few need it

    try:
        return bool(dkim.DKIM(arrived.octets, minkey=1024).verify(at, lambda name, timeout=0: _short(ask, name)))
    except Exception:  # of whatever strangers put into a field, it raises all kinds of things
        return False


def _short(ask: Callable[[str], bytes | None], name: bytes) -> bytes | None:
    key = ask(name.decode("ascii"))
    return key if key and len(key) <= _KEY_AT_MOST else None
