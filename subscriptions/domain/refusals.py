"""Permanent refusals of the relay: each is its mail's own, until so many come that they mean everybody."""

import re
from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum

WITHIN = timedelta(hours=1)
MAILBOXES, DOMAINS = 5, 3  # so many within that time, and no mail taken in between


class Refusal(StrEnum):
    """What a permanent refusal has made of an owed mail."""

    NOTED = "noted"  # it is given up once the relay takes another, or after an hour
    ASIDE = "aside"  # everybody is refused: it waits for the relay, and its budget was given back
    AGAIN = "again"  # the relay takes mails again: it is tried once more, and counts again


def means_everybody(refused: Collection[tuple[bytes, str]]) -> bool:
    """Whether these refusals, each of a mailbox at a domain, are the relay's rather than the mailboxes'."""
    mailboxes, domains = ({each[n] for each in refused} for n in (0, 1))
    return len(mailboxes) >= MAILBOXES and len(domains) >= DOMAINS


_ENHANCED = re.compile(r"(?:[A-Za-z ]+: )?(\d{3})(?:[ -]\d\.(\d{1,3})\.(\d{1,3})(?!\d))?")


def speaks_of_recipient(reply: str) -> bool:
    """Whether a refusal blames the mailbox or its domain: RFC 3463 3.2 and 3.3, RFC 7505 (no mail to that domain).

    Strangers cause as many of these as they like, by signing up addresses that do not exist.
    """
    found = _ENHANCED.match(reply)
    if found is None:
        return False
    code, subject, detail = found.groups()
    return code == "556" or subject == "2" or (subject == "1" and detail in ("1", "2", "3", "6", "10"))


_WORDS = re.compile(r"[^\s<>()\[\]:;,\"\\]+")  # each sign is looked at once, however long a mad relay's reply is
_STATUS = re.compile(r"(?:[A-Za-z ]+: )?\d{3}(?:[ -]\d\.\d{1,3}\.\d{1,3}(?!\S))?")
_ADDRESS = "<address>"


def redacted(reply: str, recipient: str, sender: str) -> str:
    """What a relay says, without the address that it is about: it is kept in evidence, which outlives an erasure.

    Relays repeat it in their own shapes: another's before an alias was followed, without its domain, without its tag,
    with the name of its domain as people write it. Only our own `sender` stays.
    """
    if "@" in reply:
        ours = sender.lower()
        reply = _WORDS.sub(
            lambda word: _ADDRESS if "@" in word[0] and word[0].strip(".'").lower() != ours else word[0], reply
        )
    local = recipient.rpartition("@")[0]
    for name in (local, local.partition("+")[0]):
        if name and name.lower() in reply.lower():  # seldom; an expression of its own for each mail costs 100 us
            head = found[0] if (found := _STATUS.match(reply)) else ""
            rest = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", _ADDRESS, reply[len(head) :], flags=re.IGNORECASE)
            reply = head + rest
    return reply[:500]
