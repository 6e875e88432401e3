"""What the breaker sees: what is on, the last hour's sign-ups, by list and by mail domain, and earlier clean-ups."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions.domain.breaker import EVERYBODY, HOUR, MINUTE, Cause, Opening, Scope
from subscriptions.domain.texts import Sentence, marked
from subscriptions.parts import Parts
from subscriptions.store import attack, audit, traffic
from subscriptions.store.models import Audit

NEWEST = 5000  # registrations that are looked through for the names of domains
LINES = 10
CLEAN_UP = "abuse cancel"  # in the audit
Series = Mapping[datetime, int]


@dataclass(frozen=True, slots=True)
class Busy:
    """So many sign-ups of an hour, and at most so many in one minute of it."""

    name: str
    total: int
    most: int


@dataclass(frozen=True, slots=True)
class Flood:
    openings: list[tuple[str, Opening]]  # by the name of their cause, oldest first
    minutes: Series  # sign-ups in all
    lists: list[Busy]
    domains: list[Busy]  # with more than their threshold
    clean_ups: list[Audit]  # newest first


def look(session: Session, parts: Parts, now: datetime) -> Flood:
    """With the breaker switched off there is nothing but clean-ups."""
    limit = parts.settings.thresholds.of_domain if parts.settings.thresholds else 0
    series = traffic.by_minute(session, traffic.minute_of(now) - HOUR + MINUTE)
    openings = traffic.openings(session)
    name_of = _names(parts, session, (*series, *openings))
    return Flood(
        [(name_of(one.excess.cause), one) for one in sorted(openings.values(), key=lambda one: one.since)],
        series.get(EVERYBODY, {}), _busy(series, name_of, Scope.LIST, 0),
        _busy(series, name_of, Scope.DOMAIN, limit)[:LINES] if limit else [],
        [*audit.find(session, act=CLEAN_UP)][: -LINES - 1 : -1],
    )  # fmt: skip


def _names(parts: Parts, session: Session, causes: Iterable[Cause]) -> Callable[[Cause], str]:
    known = {(Scope.LIST, str(id_)): row.slug for id_, row in parts.catalogue.lists.items()}
    if any(scope is Scope.DOMAIN for scope, _ in causes):
        found = {address.rpartition("@")[2].lower() for address in attack.newest_addresses(session, NEWEST)}
        known |= {(Scope.DOMAIN, parts.links.domain_name(domain)): domain for domain in found}

    def name_of(cause: Cause) -> str:
        scope, name = cause
        unknown = marked("an email domain (number %(number)s; see the log of that time for its name)")
        return known.get(cause) or (name if scope is Scope.LIST else Sentence(unknown, number=name[:8]))

    return name_of


def _busy(
    series: Mapping[Cause, Series], name_of: Callable[[Cause], str], scope: Scope, above: int
) -> list[Busy]:  # fmt: skip
    """The busiest first."""
    found = [Busy(name_of(cause), sum(counts.values()), max(counts.values()))
             for cause, counts in series.items() if cause[0] is scope]  # fmt: skip
    return sorted((one for one in found if one.most > above), key=lambda one: (-one.total, -one.most, one.name))
