"""The code of a confirmation mail: how it is spelled, how forgivingly it is read, and how often it may be tried."""

import unicodedata
from datetime import datetime, timedelta
from math import ceil

from subscriptions.domain.policy import Policy, Rate

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that looks like something else: no 0 and O, no 1, I and L, no U
LENGTH = 8
LONGEST_TYPED = 100
_CODES = len(ALPHABET) ** LENGTH

TRIES_A_VISIT = 3
DAY = timedelta(days=1)
VISITS_AT_LEAST = 6  # those of two days, as the mail budget is by default


def spell(number: int) -> str:
    """A large number as the eight characters of a code."""
    letters, number = "", number % _CODES  # the rest of it changes nothing, and small ones are quick
    for _ in range(LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        letters += ALPHABET[digit]
    return letters


def for_reading(code: str) -> str:
    """As a mail shows it: XXXX-XXXX."""
    return f"{code[:4]}-{code[4:]}"


def read(typed: str) -> str | None:
    """The code in what was typed or pasted, whatever its case, spaces and hyphens; None where it can be none."""
    if len(typed) > LONGEST_TYPED:
        return None
    plain = unicodedata.normalize("NFKC", typed).upper()
    code = "".join(sign for sign in plain if sign.isalnum())
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else None


def is_over(visited_at: datetime, now: datetime, policy: Policy) -> bool:
    """Whether what a visit has signed up can no longer be confirmed: then it has no tries, and counts none."""
    return now >= policy.confirm_by(visited_at)


def visit_tries(policy: Policy) -> Rate:
    """The tries of one visit are counted for as long as its sign-up can be confirmed, and a day at least."""
    return Rate(TRIES_A_VISIT, max(policy.confirm_within, DAY))


def address_tries(policy: Policy) -> Rate:
    """The tries of an address are counted for a day from the first one on.

    As many as all visits have whose codes can be typed in that day, also those of just before it, as far as the mail
    budget allows them: so a stranger who uses up every visit of theirs leaves the owner's three.
    """
    begun = policy.confirm_within + DAY
    visits = min((rate.count * ceil(begun / rate.period) for rate in policy.mails), default=0)
    return Rate(TRIES_A_VISIT * max(visits, VISITS_AT_LEAST), DAY)
