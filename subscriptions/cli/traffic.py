"""What `flask abuse show` prints: the breaker, the last hour minute by minute, and what was done before."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions import clock as clocks
from subscriptions.domain.breaker import EVERYBODY, MINUTE, Cause, Openings, Scope, Thresholds, sentence
from subscriptions.parts import Parts
from subscriptions.store import attack, traffic
from subscriptions.store.engine import reading
from subscriptions.store.models import Audit

HOUR, BAR = 60, 40
NEWEST = 5000  # registrations that are looked through for the names of domains
LINES = 10
Series = Mapping[datetime, int]


def report(parts: Parts) -> Iterator[str]:
    """Line by line; names no person."""
    now = parts.clock.now()
    thresholds = parts.settings.thresholds
    if thresholds is None:
        yield 'Nothing is watched: signups_per_network in [limits] is "".'
        return
    with reading() as session:
        series = traffic.by_minute(session, traffic.minute_of(now) - (HOUR - 1) * MINUTE)
        openings = traffic.openings(session)
        names = _Names(parts, session, (*series, *openings))
        yield from _breaker(openings, names, now)
        yield from _chart(series.get(EVERYBODY, {}), now)
        yield from _lists(series, names, thresholds)
        yield from _domains(series, names, thresholds)
        yield from _audit(attack.newest_acts(session, LINES))


class _Names:
    """How people call lists and domains; a domain where a registration is left that has it."""

    def __init__(self, parts: Parts, session: Session, causes: tuple[Cause, ...]) -> None:
        self._lists = {str(id_): row.slug for id_, row in parts.catalogue.lists.items()}
        self._domains: dict[str, str] = {}
        if any(scope is Scope.DOMAIN for scope, _ in causes):
            found = {address.rpartition("@")[2].lower() for address in attack.newest_addresses(session, NEWEST)}
            self._domains = {parts.links.domain_name(domain): domain for domain in found}

    def of(self, scope: Scope, name: str) -> str:
        if scope is Scope.LIST:
            return self._lists.get(name, name)
        return self._domains.get(name, f"a mail domain (number {name[:8]}; the log of that time names it)")


def _breaker(openings: Openings, names: _Names, now: datetime) -> Iterator[str]:
    on = [opening for opening in openings.values() if opening.is_on(now)]
    yield "The breaker is on: those concerned are asked for a proof of work." if on else "The breaker is off."
    for opening in sorted(openings.values(), key=lambda opening: opening.since):
        told = sentence(opening.excess, names.of(*opening.excess.cause))
        end = "on until" if opening.is_on(now) else "over since"
        yield f"  {clocks.text(opening.since)}  {told}; {end} {clocks.text(opening.until)}"


def _chart(series: Series, now: datetime) -> Iterator[str]:
    yield ""
    if not series:
        yield "No sign-ups in the last hour."
        return
    yield "Sign-ups a minute, last hour (UTC):"
    first, most = min(series), max(series.values())
    for number in range(int((traffic.minute_of(now) - first) / MINUTE) + 1):
        at = first + number * MINUTE
        count = series.get(at, 0)
        yield f"  {at:%H:%M} {count:6}  {'#' * -(-count * BAR // most)}".rstrip()


def _lists(series: Mapping[Cause, Series], names: _Names, thresholds: Thresholds) -> Iterator[str]:
    rows = _rows(series, names, Scope.LIST, 0)
    if rows:
        yield from ("", f"By list, last hour (usual are at most {thresholds.of_list} a minute):", *rows)


def _domains(series: Mapping[Cause, Series], names: _Names, thresholds: Thresholds) -> Iterator[str]:
    limit = thresholds.of_domain
    rows = _rows(series, names, Scope.DOMAIN, limit) if limit else []
    if rows:
        yield from ("", f"Mail domains of more than {limit} sign-ups in a minute, last hour:", *rows[:LINES])


def _rows(series: Mapping[Cause, Series], names: _Names, scope: Scope, above: int) -> list[str]:
    found = [
        (sum(counts.values()), max(counts.values()), names.of(*cause))
        for cause, counts in series.items()
        if cause[0] is scope and max(counts.values()) > above
    ]
    return [f"  {total:8}  {name} (at most {most} in a minute)" for total, most, name in sorted(found, reverse=True)]


def _audit(rows: Sequence[Audit]) -> Iterator[str]:
    if rows:
        yield from ("", "Done by operators, newest first:")
    for done in rows:
        details = ", ".join(f"{name} {value}" for name, value in done.details.items() if value not in (None, []))
        yield f"  {clocks.text(done.at)}  {done.actor}: {done.act} ({details})"
