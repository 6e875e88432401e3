"""When a proof of work is asked for, and which pages may compute one."""

import json
from datetime import datetime

from flask import Blueprint, Flask, Response, abort, current_app, request

from subscriptions.actions.gate import ProofNeeded
from subscriptions.actions.subscribe import Origin, SignUp
from subscriptions.parts import parts
from subscriptions.store.busy import busy_until
from subscriptions.store.engine import Contention, Unavailable, reading
from subscriptions.store.models import List
from subscriptions.web.http import headers
from subscriptions.web.http.client_ip import origin

pages = Blueprint("asking", __name__)
REMEMBERED = 10_000  # networks, by each process
NAME = "busy networks"
LOOKED = "yestwice.busy"  # of a request, in its environ


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
    app.register_blueprint(pages)


def _busy() -> Busy:
    found: Busy = current_app.extensions[NAME]
    return found


def may_compute() -> bool:
    return parts().settings.abuse.proof_of_work != "off"


def computes() -> bool:
    """Whether this page may let the browser compute; its answer allows the script then."""
    may = may_compute()
    if may:
        _let_it_compute()
    return may


def _let_it_compute() -> None:
    headers.allow(script_src="'self'", worker_src="'self'", connect_src="'self'")


def is_asked(asked: SignUp) -> bool:
    """As far as memory knows; the batch knows the count of the network exactly."""
    return any(_is_unusual(row, asked.address.ascii_domain) for row in asked.rows) or _is_busy_network()


def is_asked_here(*rows: List) -> bool:
    """Whether a form that is shown now will be asked, so that it can bring the proof at once."""
    environ = request.environ
    if LOOKED not in environ:  # once for a page of many lists
        environ[LOOKED] = _is_busy_network(look=True)
    found: bool = environ[LOOKED] or any(_is_unusual(row, "") for row in rows)
    if found:
        _let_it_compute()
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


def remember(where: Origin, needed: ProofNeeded) -> None:
    if where.network and needed.until:
        _busy().note(where.network, needed.until)


@pages.get("/api/v1/challenge")
def challenge() -> Response:
    if not may_compute():
        abort(404)
    return Response(json.dumps(parts().work.challenge()), mimetype="application/json")
