"""Permanent refusals of the relay: each is its mail's own, until so many come that they mean everybody."""

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
