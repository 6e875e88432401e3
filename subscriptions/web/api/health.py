"""Whether the service lives, and whether it is ready; details for those who may see them (O-01)."""

import json
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from subscriptions import clock as clocks
from subscriptions.domain.breaker import Scope
from subscriptions.jobs.jobs import NAMED
from subscriptions.parts import current_parts
from subscriptions.store import counters, jobs, migrate, outbox, subscriptions, traffic
from subscriptions.store.engine import Contention, Unavailable, reading
from subscriptions.web.api.auth import refuse
from subscriptions.web.http.adapter import incoming
from subscriptions.web.http.client_ip import is_straight_from_loopback
from subscriptions.web.http.routes import route

pages = Blueprint("health", __name__)


@pages.get("/healthz")
def healthz() -> Response:
    return Response('{"status": "live"}', mimetype="application/json")


@pages.get("/readyz")
def readyz() -> Response:
    problems, details = _look()
    body: dict[str, Any] = {"status": "not ready" if problems else "ready"}
    if is_straight_from_loopback(incoming()) or (request.headers.get("Authorization") and _may_read()):
        body |= {"problems": problems, "warnings": current_parts().warnings, **details}
    return Response(json.dumps(body), 503 if problems else 200, mimetype="application/json")


def _may_read() -> bool:
    try:
        return refuse(route("health.metrics").scope, needed=True) is None
    except (Unavailable, Contention):
        return False


def _look() -> tuple[list[str], dict[str, Any]]:
    now = current_parts().clock.now()
    try:
        if migrate.current() != migrate.HEAD:
            return ["the schema is not up to date: flask migrate"], {}
        with reading() as session:
            return _problems(session, now), _details(session, now)
    except (Unavailable, Contention, DBAPIError):
        return ["the database does not answer"], {}


def _problems(session: Session, now: datetime) -> list[str]:
    found = []
    for job in jobs.all_of(session):
        if job.name in NAMED and (job.ended_at is None or now - job.ended_at > NAMED[job.name].late_after):
            found.append(f"{job.name} is late: {job.error or 'it has not run'}")
        elif job.pause_until is not None and job.error:
            found.append(f"{job.name} pauses: {job.error}")
    return found


def _details(session: Session, now: datetime) -> dict[str, Any]:
    waiting, oldest = outbox.waiting(session)
    return {
        "jobs": {job.name: {"ended_at": clocks.text(job.ended_at) if job.ended_at else None, "count": job.count}
                 for job in jobs.all_of(session) if job.name in NAMED},
        "outbox": {"waiting": waiting, "oldest_seconds": _age(oldest, now)},
        "breaker": [f"{current_parts().watch.sentence(one.excess)}; on until {clocks.text(one.until)}"
                    for one in traffic.openings(session).values() if one.is_on(now)],
    }  # fmt: skip


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, round((now - since).total_seconds(), 1)) if since else 0.0


@pages.get("/metrics")
def metrics() -> Response:
    """Prometheus, computed from the database: the same whichever process answers."""
    now = current_parts().clock.now()
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    with reading() as session:
        registry.register(_Collected(list(_families(session, now))))
    return Response(generate_latest(registry), mimetype="text/plain; version=0.0.4")


def _counted(session: Session) -> dict[str, int]:
    """The counters, with what this process has yet to write."""
    waiting = current_parts().tally.waiting()
    return {name: value + waiting.get(name, 0) for name, value in counters.totals(session).items()}


class _Collected:
    def __init__(self, families: list[Any]) -> None:
        self._families = families

    def collect(self) -> list[Any]:
        return self._families


def _breaker(on: list[Scope]) -> Any:
    from prometheus_client.core import GaugeMetricFamily

    yield GaugeMetricFamily("yestwice_breaker", "1 while sign-ups are unusual in some way", value=bool(on))
    scopes = GaugeMetricFamily(
        "yestwice_breaker_on", "how many causes of that scope are on: all, list, domain, unconfirmed", labels=["scope"]
    )
    for scope in Scope:
        scopes.add_metric([scope.value], on.count(scope))
    yield scopes


def _families(session: Session, now: datetime) -> Any:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    for name, value in sorted(_counted(session).items()):
        yield CounterMetricFamily(f"yestwice_{name}", name.replace("_", " "), value=value)
    states = GaugeMetricFamily(
        "yestwice_list", "registrations and subscriptions by list and state", labels=["list", "state"]
    )
    counts = subscriptions.counts(session, now)
    for row in current_parts().catalogue.lists.values():
        for state, number in counts[row.id].items():
            states.add_metric([row.slug, state], number)
    yield states
    waiting, oldest = outbox.waiting(session)
    yield GaugeMetricFamily("yestwice_outbox_mails", "mails that are owed", value=waiting)
    yield GaugeMetricFamily("yestwice_outbox_oldest_seconds", "age of the oldest owed mail", value=_age(oldest, now))
    yield from _breaker([one.excess.scope for one in traffic.openings(session).values() if one.is_on(now)])
    last = GaugeMetricFamily("yestwice_job_last_success_timestamp_seconds", "end of the last good run", labels=["job"])
    for job in jobs.all_of(session):
        if job.name in NAMED:
            last.add_metric([job.name], job.ended_at.timestamp() if job.ended_at else 0)
    yield last
