"""When a proof of work is asked for."""

from datetime import datetime

from subscriptions.actions.subscribe import SignUp
from subscriptions.parts import Parts
from subscriptions.store.counted_keys import busy_until
from subscriptions.store.engine import Contention, Unavailable, reading
from subscriptions.store.models import List
from subscriptions.web.http.client_ip import origin
from subscriptions.web.http.incoming import Incoming


def may_compute(parts: Parts) -> bool:
    return parts.settings.abuse.proof_of_work != "off"


def is_asked(sign_up: SignUp, incoming: Incoming, parts: Parts) -> bool:
    """As far as memory knows; the batch knows the count of the network exactly."""
    domain = sign_up.address.ascii_domain
    return any(is_unusual(row, domain, parts) for row in sign_up.rows) or is_busy(incoming, parts)


def is_unusual(row: List, domain: str, parts: Parts) -> bool:
    """Whether sign-ups for a list, or of a mail domain, are more than usual."""
    mode = parts.settings.abuse.proof_of_work
    if mode != "under_attack" or parts.policy.network is None:
        return mode == "always"
    return parts.watch.is_on(row.id, domain)


def is_busy(incoming: Incoming, parts: Parts) -> bool:
    """Whether the network has made many sign-ups, as far as this process was told."""
    if parts.policy.proof_from is None or not parts.busy:
        return False
    return parts.busy.has(origin(incoming, parts).network, parts.clock.now())


def look_whether_busy(incoming: Incoming, parts: Parts) -> bool:
    """The same by the database, which knows what other processes were told."""
    policy, where, now = parts.policy, origin(incoming, parts), parts.clock.now()
    if where.network is None or policy.network is None or policy.proof_from is None:
        return False
    if parts.busy.has(where.network, now):
        return True
    try:
        with reading() as session:
            until = busy_until(session, where.network, now, policy.network.period, policy.proof_from)
    except (Unavailable, Contention):  # a form is shown all the same
        return False
    if until:
        parts.busy.note(where.network, until)
    return until is not None


def work_of(sign_up: SignUp, parts: Parts) -> tuple[tuple[bytes, datetime], ...]:
    """What a sign-up has computed: what is used up by it, and until when that counts."""
    solved = parts.work.read(sign_up.altcha) if sign_up.altcha and may_compute(parts) else None
    return ((solved.hash, solved.until),) if solved else ()
