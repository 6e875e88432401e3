"""Mail that comes: what becomes of a message, and for how long we know that we have had it."""

from datetime import timedelta
from enum import StrEnum

REMEMBERED = timedelta(days=30)
LOOKS_BACK = REMEMBERED - timedelta(days=2)  # into a mailbox that is read anew: what it holds from then on is known
LETTERS_AT_MOST, OCTETS_AT_MOST = 1000, 200 * 2**20  # that wait for a human, of all together


class Outcome(StrEnum):
    DONE = "done"
    ASKED = "asked"  # by one mail with one button
    REPEATED = "repeated"  # had before: nothing happens
    NOTHING = "nothing"  # automatic, forged, or about nobody we know
    UNCLEAR = "unclear"  # for a human


ACTED = frozenset({Outcome.DONE, Outcome.ASKED})  # of these alone a hash stays
