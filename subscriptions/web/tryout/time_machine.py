"""The time machine of the try-out mode: moves the clock of the app ahead and runs the jobs."""

from collections.abc import Callable
from datetime import datetime, timedelta

from flask import request

from subscriptions.domain.policy import months_after
from subscriptions.domain.sites import host_of
from subscriptions.jobs import lease
from subscriptions.jobs.jobs import NAMED, Run
from subscriptions.languages import marked
from subscriptions.parts import current_parts
from subscriptions.store import audit, meta, mode
from subscriptions.store.audit import Act
from subscriptions.store.engine import transaction
from subscriptions.store.models import ActorKind
from subscriptions.web.http.adapter import incoming

STEPS: dict[str, tuple[str, Callable[[datetime], datetime]]] = {
    "1h": (marked("+1 hour"), lambda now: now + timedelta(hours=1)),
    "24h": (marked("+24 hours"), lambda now: now + timedelta(hours=24)),
    "1month": (marked("+1 month"), lambda now: months_after(now, 1)),
}


def is_from_here() -> bool:
    """Whether no other website led here, as the browser says: an older one by the origin alone, and programs not."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if origin in (None, "null") and site:  # which hides it from a site that may not know where it was
        return site in ("same-origin", "none")
    return site in ("same-origin", "none", None) and (origin is None or host_of(origin) == incoming().host)


def jump(step: str) -> dict[str, int]:
    """How much each job did."""
    parts, (_, later) = current_parts(), STEPS[step]
    now = parts.clock.now()
    parts.clock.ahead += later(now) - now
    with transaction() as session:
        meta.put(session, mode.CLOCK_AHEAD, str(parts.clock.ahead.total_seconds()))
        audit.write(session, Act(parts.clock.now(), ActorKind.TRY_OUT, "time machine", "clock", details={"to": step}))
    counts = {name: _run(name) for name in ("deliver", "block", "purge")}
    for name in (
        "inbound",
        "imports",
        "numbers",
        "policies",
        "requests",
        "tidy",
        "seal",
    ):  # late for minutes, as the desk would say
        _run(name)
    return counts


def _run(name: str) -> int:
    parts = current_parts()
    if name == "deliver":
        return NAMED[name].work(Run(parts, parts.clock.now(), asked=True))
    try:
        return lease.run(NAMED[name], parts, asked=True, confirmed=True) or 0
    except lease.Running:
        return 0
