"""The page of a privacy policy, looked at: a version is kept where it reads differently, and what is wrong is noted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from sqlalchemy.orm import Session

from subscriptions import clock
from subscriptions.domain.page_versions import EVERY, RESTLESS_AFTER, Step, step
from subscriptions.domain.readable import Unreadable
from subscriptions.domain.sites import is_example
from subscriptions.store import list_changes, migrate, policies
from subscriptions.store.engine import reading, repeated, transaction
from subscriptions.store.lists import Catalogue
from subscriptions.store.models import List
from subscriptions.store.policies import Look

AGAIN = EVERY / 24  # a page that could not be read is tried so often
RESTLESS = "reads differently at every look, so a version is kept only when more changes than what always changes"
Read = Callable[[str], tuple[str, bytes]]  # the text, and the page as it came, compressed; raises Unreadable


@dataclass(frozen=True, slots=True)
class Source:
    """Where a policy of a list is read."""

    list: List
    language: str
    url: str

    @property
    def key(self) -> str:
        return f"{self.list.id} {self.language}"


def sources(rows: Sequence[List]) -> list[Source]:
    of = [Source(row, language, url) for row in rows for language, url in policies.sources(row).items()]
    return [one for one in of if not is_example(one.url)]


def wrong(catalogue: Catalogue, rows: Sequence[List]) -> list[Mapping[str, object]]:
    """List, language, page, what is wrong with it and since when, by the names that a finding has for them."""
    looks = [(one, catalogue.looks.get(one.key)) for one in sources(rows)]
    return [{"list": one.list.slug, "tag": one.language, "url": one.url, "problem": look.problem,
             "time": clock.words(look.since)}
            for one, look in looks if look and look.problem and look.url == one.url]  # fmt: skip


def due(catalogue: Catalogue, now: datetime) -> list[Source]:
    """Those that were not looked at today, or since another page is named; what could not be read, sooner."""
    with reading() as session:  # the catalogue is read anew only where a look has found something else
        looks = policies.looks(session)

    def is_due(one: Source) -> bool:
        look = looks.get(one.key)
        if look is None or look.url != one.url or look.at > now:  # the clock may have gone back
            return True
        return bool(now >= look.at + (AGAIN if look.problem and look.problem != RESTLESS else EVERY))

    return [one for one in sources(catalogue.configured) if is_due(one)]


def look(one: Source, read: Read, now: datetime) -> Step | str:
    """Read it, and keep what is new; what came of it, or what is wrong."""
    try:
        text, raw = read(one.url)
    except Unreadable as error:
        _write(one, None, str(error), now)
        return str(error)
    return _write(one, (text, raw), "", now) or Step.SAME


@repeated
def _write(one: Source, page: tuple[str, bytes] | None, problem: str, now: datetime) -> Step | None:
    with transaction() as session:
        migrate.one_at_a_time(session.connection())
        came = _keep(session, one, *page, now) if page else None
        noted = policies.looks(session)
        said = _look(noted.get(one.key), one, RESTLESS if came is Step.RESTLESS else problem, now)
        policies.note_looks(session, noted | {one.key: said})
        list_changes.note_version(session)
    return came


def _keep(session: Session, one: Source, text: str, raw: bytes, now: datetime) -> Step:
    found = policies.before(session, one.list.id, one.language, RESTLESS_AFTER)
    before = [*takewhile(lambda row: row.url == one.url, found)]  # another page that was named begins anew
    came = step([(row.valid_from, row.text) for row in before], text, now)
    if came is Step.NEW:
        policies.keep(session, one.list, one.language, one.url, text, raw, now)
    else:
        policies.see(session, before[0].id, now)
    return came


def _look(last: Look | None, one: Source, problem: str, now: datetime) -> Look:
    """Since when something is wrong, whatever else was wrong in between."""
    goes_on = last is not None and last.url == one.url and bool(last.problem) == bool(problem)
    return Look(one.url, now, problem, last.since if last and goes_on else now)
