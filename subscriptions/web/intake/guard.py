"""Who is let through at once, and who takes one more step: forms that programs filled, and times of attack."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from werkzeug.datastructures import MultiDict

from subscriptions.actions.gate import Need, Pass, ProofNeeded
from subscriptions.actions.subscribe import SignUp
from subscriptions.domain.policy import STEP_LIFE, is_step_alive, is_too_fast, seconds_left
from subscriptions.links.forms import Step as Begun
from subscriptions.parts import Parts
from subscriptions.store.engine import Contention, Unavailable, reading
from subscriptions.store.guards import busy_until
from subscriptions.store.models import List
from subscriptions.web.http.client_ip import origin
from subscriptions.web.http.incoming import Incoming
from subscriptions.web.intake.parse import HONEYPOT

Form = MultiDict[str, str]


class Why(StrEnum):
    """Why a form gets the page of one more step."""

    SUSPECTED = "suspected"
    ASKED = "asked"
    EARLY = "early"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Step:
    """One more step: the token that comes back with it, and how long the wait takes where nothing computes."""

    why: Why
    token: str
    seconds: int


def judge(form: Form, sign_up: SignUp, incoming: Incoming, parts: Parts) -> Pass | Step:
    """What lets this form through, or the step that it takes first."""
    now = parts.clock.now()
    begun, work = _begun(form.get("step", ""), sign_up, parts, now), work_of(sign_up, parts)
    if begun:
        return _finish(form["step"], begun, work, now)
    if is_suspicious(form, parts, now):
        return _counted(Why.SUSPECTED, sign_up, parts)
    if work:
        return Pass(Need.NOW, work)
    return _counted(Why.ASKED, sign_up, parts) if is_asked(sign_up, incoming, parts) else Pass()


def judge_program(sign_up: SignUp, incoming: Incoming, parts: Parts) -> Pass | ProofNeeded:
    """A program brings its proof in the member `altcha`; there is no page and no wait for it."""
    work = work_of(sign_up, parts)
    if work:
        return Pass(Need.NOW, work)
    if not is_asked(sign_up, incoming, parts):
        return Pass()
    parts.tally.note("proof_asked")
    return ProofNeeded()


def refused(sign_up: SignUp, brought: Pass | None, parts: Parts) -> Step:
    """The step for a form that the batch did not take: its network is busy, or what it brought was used before.

    The batch has counted it.
    """
    return _step(Why.USED if brought and brought.once else Why.ASKED, sign_up, parts)


def is_suspicious(form: Form, parts: Parts, now: datetime) -> bool:
    """Filled by a program, or within a blink."""
    if form.get(HONEYPOT) or form.get("step"):  # a step that is old, forged or somebody else's begins anew
        return True
    least = timedelta(seconds=parts.settings.abuse.fill_seconds)
    return is_too_fast(parts.forms.read_time(form.get("t", "")), now, least)


def _begun(token: str, sign_up: SignUp, parts: Parts, now: datetime) -> Begun | None:
    found = parts.forms.read_step(token, *_whose(sign_up, parts)) if token else None
    return found if found and is_step_alive(found.since, now) else None


def _finish(token: str, begun: Begun, work: tuple[tuple[bytes, datetime], ...], now: datetime) -> Pass | Step:
    """By computing or by waiting; whoever presses too early waits on, counted from the first page."""
    left = seconds_left(begun.since, now)
    if left and not work:
        return Step(Why.EARLY, token, left)
    return Pass(Need.NOW, (*work, (begun.hash, begun.since + STEP_LIFE)))


def _counted(why: Why, sign_up: SignUp, parts: Parts) -> Step:
    parts.tally.note("suspected" if why is Why.SUSPECTED else "proof_asked")
    return _step(why, sign_up, parts)


def _step(why: Why, sign_up: SignUp, parts: Parts) -> Step:
    now = parts.clock.now()
    return Step(why, parts.forms.step(now, *_whose(sign_up, parts)), seconds_left(now, now))


def _whose(sign_up: SignUp, parts: Parts) -> tuple[bytes, list[int]]:
    return parts.links.key(sign_up.address.folded), [row.id for row in sign_up.rows]


# When a proof of work is asked for


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
