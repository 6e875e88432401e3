"""Who is let through at once, and who takes one more step: forms that programs filled, and times of attack."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from flask import Blueprint, Flask, Response, abort, current_app, request
from werkzeug.datastructures import MultiDict

from subscriptions.actions.gate import Asked, Need, Pass
from subscriptions.actions.subscribe import Origin
from subscriptions.domain.guarding import FORM_LIFE, STEP_LIFE, is_step_alive, is_too_fast, seconds_left
from subscriptions.links.forms import Step as Begun
from subscriptions.parts import parts
from subscriptions.store.busy import busy_until
from subscriptions.store.engine import Contention, Unavailable, reading
from subscriptions.store.models import List
from subscriptions.web.forms import HONEYPOT, Problem, SignUp
from subscriptions.web.headers import CSP
from subscriptions.web.limits import origin
from subscriptions.web.problems import answer

pages = Blueprint("guard", __name__)
COMPUTING_CSP = f"{CSP}; script-src 'self'; worker-src 'self'; connect-src 'self'"
REMEMBERED = 10_000  # networks, by each process
NAME = "busy networks"
COMPUTES, LOOKED = "yestwice.computes", "yestwice.busy"  # of a request, in its environ


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


class Busy:
    """Networks that have made many sign-ups in their hour, as far as this process was told; bounded, without a lock."""

    def __init__(self) -> None:
        self._until: dict[bytes, datetime] = {}

    def note(self, network: bytes, until: datetime) -> None:
        if len(self._until) >= REMEMBERED:  # the older half is forgotten: the batch will tell again
            self._until = dict(list(self._until.items())[REMEMBERED // 2 :])
        self._until[network] = until

    def has(self, network: bytes | None, now: datetime) -> bool:
        until = self._until.get(network) if network else None
        return until is not None and now < until

    def __len__(self) -> int:
        return len(self._until)


def init_app(app: Flask) -> None:
    app.extensions[NAME] = Busy()
    app.jinja_env.globals["form_time"] = form_time
    app.register_blueprint(pages)

    @app.after_request
    def let_it_compute(response: Response) -> Response:
        if request.environ.get(COMPUTES):
            response.headers["Content-Security-Policy"] = COMPUTING_CSP
        return response


def form_time(earlier: str | None = None) -> str:
    """When this form was shown; one that comes again with its errors keeps its time."""
    now = parts().clock.now()
    shown = parts().forms.read_time(earlier) if earlier else None
    return earlier if earlier and shown and now - shown < FORM_LIFE else parts().forms.time(now)


def _busy() -> Busy:
    found: Busy = current_app.extensions[NAME]
    return found


# Forms


def judge(form: "MultiDict[str, str]", asked: SignUp) -> Pass | Step:
    """What lets this form through, or the step that it takes first."""
    now = parts().clock.now()
    begun, work = _begun(form.get("step", ""), asked, now), _work(asked)
    if begun:
        return _finish(form["step"], begun, work, now)
    if _is_suspicious(form, now):
        return _step(Why.SUSPECTED, asked)
    if work:
        return Pass(Need.NOW, work)
    return _step(Why.ASKED, asked) if is_asked(asked) else Pass()


def _begun(token: str, asked: SignUp, now: datetime) -> Begun | None:
    found = parts().forms.read_step(token, _key(asked), [asked.list.id]) if token else None
    return found if found and is_step_alive(found.since, now) else None


def _finish(token: str, begun: Begun, work: tuple[tuple[bytes, datetime], ...], now: datetime) -> Pass | Step:
    """By computing or by waiting; whoever presses too early waits on, counted from the first page."""
    left = seconds_left(begun.since, now)
    if left and not work:
        return Step(Why.EARLY, token, left)
    return Pass(Need.NOW, (*work, (begun.hash, begun.since + STEP_LIFE)))


def _is_suspicious(form: "MultiDict[str, str]", now: datetime) -> bool:
    if form.get(HONEYPOT) or form.get("step"):  # a step that is old, forged or somebody else's begins anew
        return True
    least = timedelta(seconds=parts().settings.abuse.fill_seconds)
    return is_too_fast(parts().forms.read_time(form.get("t", "")), now, least)


def _work(asked: SignUp) -> tuple[tuple[bytes, datetime], ...]:
    solved = parts().work.read(asked.altcha) if asked.altcha and may_compute() else None
    return ((solved.hash, solved.until),) if solved else ()


def _step(why: Why, asked: SignUp) -> Step:
    if why is not Why.USED:  # that one was counted where it was refused
        parts().tally.note("suspected" if why is Why.SUSPECTED else "proof_asked")
    now = parts().clock.now()
    return Step(why, parts().forms.step(now, _key(asked), [asked.list.id]), seconds_left(now, now))


def _key(asked: SignUp) -> bytes:
    return parts().links.key(asked.address.folded)


def refused(asked: SignUp, brought: Pass | None) -> Step:
    """The step for a form that the batch did not take: its network is busy, or what it brought was used before."""
    return _step(Why.USED if brought and brought.once else Why.ASKED, asked)


# When a proof is asked for


def may_compute() -> bool:
    return parts().settings.abuse.proof_of_work != "off"


def computes() -> bool:
    """Whether this page may let the browser compute; its answer allows the script then."""
    request.environ[COMPUTES] = may = may_compute()
    return may


def is_asked(asked: SignUp) -> bool:
    """As far as memory knows; the batch knows the count of the network exactly."""
    return _is_unusual(asked.list, asked.address.mailed.rpartition("@")[2]) or _is_busy_network()


def is_asked_here(row: List) -> bool:
    """Whether a form that is shown now will be asked, so that it can bring the proof at once."""
    environ = request.environ
    if LOOKED not in environ:  # once for a page of many lists
        environ[LOOKED] = _is_busy_network(look=True)
    found: bool = environ[LOOKED] or _is_unusual(row, "")
    environ[COMPUTES] = environ.get(COMPUTES) or found
    return found


def _is_unusual(row: List, domain: str) -> bool:
    joined = parts()
    mode = joined.settings.abuse.proof_of_work
    if mode != "under_attack" or joined.policy.network is None:
        return mode == "always"
    return joined.watch.is_on(row.id, domain)


def _is_busy_network(*, look: bool = False) -> bool:
    """By memory; with `look`, by the database as well, which knows what other processes were asked."""
    if parts().policy.proof_from is None or not (look or _busy()):
        return False
    where, now = origin(request), parts().clock.now()
    return _busy().has(where.network, now) or (look and _look(where, now))


def _look(where: Origin, now: datetime) -> bool:
    policy = parts().policy
    if where.network is None or policy.network is None or policy.proof_from is None:
        return False
    try:
        with reading() as session:
            until = busy_until(session, where.network, now, policy.network.period, policy.proof_from)
    except (Unavailable, Contention):  # a form is shown all the same
        return False
    if until:
        _busy().note(where.network, until)
    return until is not None


def remember(where: Origin, asked: Asked) -> None:
    if where.network and asked.until:
        _busy().note(where.network, asked.until)


# Programs


def judge_program(asked: SignUp) -> Pass:
    """A program brings its proof in the member `altcha`; there is no page and no wait for it."""
    work = _work(asked)
    return Pass(Need.NOW if work or is_asked(asked) else Need.WHEN_BUSY, work)


def answer_program() -> Response:
    """422 with a fresh challenge, to be sent again with its solution."""
    return answer(
        422,
        "A proof of work is asked for: solve the challenge, and send the same again with its solution.",
        errors=[Problem("altcha", "A fresh solution of a challenge of ours, as base64 of JSON.")],
        members={"type": "urn:yestwice:proof-of-work", "challenge": parts().work.challenge()},
    )


@pages.get("/api/v1/challenge")
def challenge() -> Response:
    if not may_compute():
        abort(404)
    return Response(json.dumps(parts().work.challenge()), mimetype="application/json")
