"""Whether the service lives, and whether it is ready; details for those who may see them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from subscriptions.domain.breaker import Scope
from subscriptions.domain.refusals import Refusal
from subscriptions.jobs.jobs import NAMED
from subscriptions.parts import current_parts
from subscriptions.store import counters, jobs, outbox, refusals, subscriptions
from subscriptions.store.engine import Contention, Unavailable, reading
from subscriptions.web.api.auth import refuse
from subscriptions.web.http import condition
from subscriptions.web.http.adapter import incoming
from subscriptions.web.http.client_ip import is_straight_from_loopback
from subscriptions.web.http.headers import hosts_of, is_known
from subscriptions.web.http.problems import json_answer
from subscriptions.web.http.routes import route

pages = Blueprint("health", __name__)


@pages.get("/healthz")
def healthz() -> Response:
    return json_answer({"status": "live"})


@pages.get("/readyz")
def readyz() -> Response:
    problems, details = condition.look()
    body: dict[str, Any] = {"status": "not ready" if problems else "ready"}
    if _may_see():
        warnings = [*current_parts().warnings, *condition.reviews(), *condition.findings()]
        body |= {"problems": problems, "warnings": warnings, **details}
    return json_answer(body, 503 if problems else 200)


def _may_see() -> bool:
    """Who asks by another name may be led here by a page of elsewhere, in a browser on this machine."""
    if not is_known(incoming(), hosts_of(current_parts().settings)):
        return False
    return is_straight_from_loopback(incoming()) or ("Authorization" in request.headers and _may_read())


def _may_read() -> bool:
    try:
        return refuse(route("health.metrics").scope, needed=True) is None
    except (Unavailable, Contention):
        return False


@pages.get("/metrics")
def metrics() -> Response:
    """Prometheus, computed from the database: the same whichever process answers."""
    from prometheus_client import generate_latest
    from prometheus_client.registry import Collector

    class Collected(Collector):
        def collect(self) -> list[Any]:
            return families

    with reading() as session:
        families = list(_families(session, current_parts().clock.now()))
    return Response(generate_latest(Collected()), mimetype="text/plain; version=0.0.4")


def _families(session: Session, now: datetime) -> Iterator[Any]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    waiting = current_parts().tally.waiting()  # what this process has yet to write
    for name, value in sorted(counters.totals(session).items()):
        yield CounterMetricFamily(f"yestwice_{name}", name.replace("_", " "), value=value + waiting.get(name, 0))
    for name, (about, *labels), values in _gauges(session, now):
        gauge = GaugeMetricFamily(f"yestwice_{name}", about, labels=labels)
        for of, number in values:
            gauge.add_metric(of, number)
        yield gauge


def _gauges(session: Session, now: datetime) -> Iterator[tuple[str, Sequence[str], Sequence[tuple[list[str], float]]]]:
    """Name; what it is, then its labels; the values, each with those of the labels."""
    lists, counts = current_parts().catalogue.lists.values(), subscriptions.counts(session, now)
    states = [([row.slug, state], number) for row in lists for state, number in counts[row.id].items()]
    yield "list", ("registrations and subscriptions by list and state", "list", "state"), states
    owed, oldest = outbox.waiting(session)
    yield "outbox_mails", ("mails that are owed",), [([], owed)]
    yield "outbox_oldest_seconds", ("age of the oldest owed mail",), [([], condition.age(oldest, now))]
    about = "mails that are set aside, since the relay refused everybody"
    yield "outbox_set_aside", (about,), [([], refusals.number(session, Refusal.ASIDE))]
    pauses = any(job.pause_until is not None for job in jobs.all_of(session))
    yield "queue_paused", ("1 while the queue of mails pauses; /readyz says why",), [([], pauses)]
    on = [opening.excess.scope for opening in condition.on(session, now)]
    yield "breaker", ("1 while sign-ups are unusual in some way",), [([], bool(on))]
    about = "how many causes of that scope are on: all, list, domain, unconfirmed"
    yield "breaker_on", (about, "scope"), [([scope.value], on.count(scope)) for scope in Scope]
    ended = {job.name: job.ended_at for job in jobs.all_of(session) if job.name in NAMED}
    last = [([name], at.timestamp() if at else 0.0) for name, at in ended.items()]
    yield "job_last_success_timestamp_seconds", ("end of the last good run", "job"), last
