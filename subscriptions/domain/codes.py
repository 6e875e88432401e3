"""The code of a confirmation mail: how it is spelled, how forgivingly it is read, and how often it may be tried."""

import unicodedata
from datetime import datetime, timedelta

from subscriptions.domain.policy import Policy, Rate

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that looks like something else: no 0 and O, no 1, I and L, no U
LENGTH = 8
LONGEST_TYPED = 100
_CODES = len(ALPHABET) ** LENGTH

TRIES_A_VISIT = 3
TRIES_AN_ADDRESS = Rate(10, timedelta(days=1))


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
    return Rate(TRIES_A_VISIT, max(policy.confirm_within, TRIES_AN_ADDRESS.period))
