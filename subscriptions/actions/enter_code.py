"""Enter the code of a confirmation mail where the sign-up was made: confirms there, or counts a wrong one."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions.actions.confirm import ConfirmMethod, ConfirmStatus, press
from subscriptions.actions.subscribe import Origin
from subscriptions.domain.codes import TRIES_AN_ADDRESS, visit_tries
from subscriptions.domain.evidence import Channel
from subscriptions.domain.policy import Policy
from subscriptions.links import Links, Visit
from subscriptions.store import counted_keys, registrations
from subscriptions.store.engine import repeated, transaction
from subscriptions.store.models import Counted

BY_PAGE = ConfirmMethod(Channel.FORM, "code typed on the page of the sign-up")
BY_JSON = ConfirmMethod(Channel.API, "code sent by the client of the sign-up")


@dataclass(frozen=True, slots=True)
class Entered:
    """`status`: what the code confirmed, or how it was too late; none where it was not the right one."""

    status: ConfirmStatus | None
    left: int  # tries


@repeated
def enter(
    visit: Visit, code: str, links: Links, now: datetime, policy: Policy, origin: Origin, method: ConfirmMethod
) -> Entered:
    """Confirm with a right code; a wrong one is answered and counted alike, whether or not anything is behind it.

    So is one that comes when the tries of the address are used up: to say so would tell that it is known here.
    """
    with transaction() as session:
        spent, left = _spend(session, visit, links, now, policy)
        ref = links.codes.ref_of(code, visit.refs)
        if ref is None or not spent:
            return Entered(None, left)
        for key in spent:
            counted_keys.give_back(session, key)
        return Entered(press(session, ref, now, policy, origin, method), left)


def _spend(session: Session, visit: Visit, links: Links, now: datetime, policy: Policy) -> tuple[list[bytes], int]:
    """Count one try of the visit and of the address; their keys, none where a try is no longer allowed, and the rest.

    Once those of the visit are used up, nobody can use up those of the address with it.
    """
    rate, mine = visit_tries(policy), links.try_key(visit.refs[0])
    _, used = counted_keys.add_one(session, Counted.TRIES, mine, now, rate.period)
    if used > rate.count:
        return [], 0
    behind = registrations.key_behind(session, visit.refs) or visit.refs[0]
    theirs = links.try_key(b"address" + behind)
    _, by_address = counted_keys.add_one(session, Counted.TRIES, theirs, now, TRIES_AN_ADDRESS.period)
    return [mine, theirs] if by_address <= TRIES_AN_ADDRESS.count else [], rate.count - used
