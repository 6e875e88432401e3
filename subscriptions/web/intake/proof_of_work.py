"""When a proof of work is asked for."""

from datetime import datetime

from subscriptions.actions.subscribe import SignUp
from subscriptions.parts import Parts
from subscriptions.store.engine import Contention, Unavailable, reading
from subscriptions.store.models import List
from subscriptions.store.signups import busy_until
from subscriptions.web.http.client_ip import origin
from subscriptions.web.http.incoming import Incoming


def may_compute(joined: Parts) -> bool:
    return joined.settings.abuse.proof_of_work != "off"


def is_asked(sign_up: SignUp, incoming: Incoming, joined: Parts) -> bool:
    """As far as memory knows; the batch knows the count of the network exactly."""
    domain = sign_up.address.ascii_domain
    return any(is_unusual(row, domain, joined) for row in sign_up.rows) or is_busy(incoming, joined)


def is_unusual(row: List, domain: str, joined: Parts) -> bool:
    """Whether sign-ups for a list, or of a mail domain, are more than usual."""
    mode = joined.settings.abuse.proof_of_work
    if mode != "under_attack" or joined.policy.network is None:
        return mode == "always"
    return joined.watch.is_on(row.id, domain)


def is_busy(incoming: Incoming, joined: Parts) -> bool:
    """Whether the network has made many sign-ups, as far as this process was told."""
    if joined.policy.proof_from is None or not joined.busy:
        return False
    return joined.busy.has(origin(incoming, joined).network, joined.clock.now())


def look_whether_busy(incoming: Incoming, joined: Parts) -> bool:
    """The same by the database, which knows what other processes were told."""
    policy, where, now = joined.policy, origin(incoming, joined), joined.clock.now()
    if where.network is None or policy.network is None or policy.proof_from is None:
        return False
    if joined.busy.has(where.network, now):
        return True
    try:
        with reading() as session:
            until = busy_until(session, where.network, now, policy.network.period, policy.proof_from)
    except (Unavailable, Contention):  # a form is shown all the same
        return False
    if until:
        joined.busy.note(where.network, until)
    return until is not None


def work_of(sign_up: SignUp, joined: Parts) -> tuple[tuple[bytes, datetime], ...]:
    """What a sign-up has computed: what is used up by it, and until when that counts."""
    solved = joined.work.read(sign_up.altcha) if sign_up.altcha and may_compute(joined) else None
    return ((solved.hash, solved.until),) if solved else ()
