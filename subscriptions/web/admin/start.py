"""The first page of the desk: what needs somebody, and of each list how many people it has and how they came."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from babel.dates import format_date
from babel.units import format_unit
from flask import render_template
from flask_babel import get_locale

from subscriptions.domain.figures import Day, Figures
from subscriptions.languages import SOURCE, locale_of
from subscriptions.parts import current_parts
from subscriptions.store import figures, room
from subscriptions.store.engine import reading
from subscriptions.store.models import List
from subscriptions.web.admin import guard, needs, pages
from subscriptions.web.http import language
from subscriptions.web.http.adapter import now

DAYS, NEEDS = 30, 3  # shown
WIDE, HIGH = 300, 60  # of a curve


@pages.get("/")
def start() -> str:
    today, rows = now().date(), guard.lists()
    since = today - timedelta(days=DAYS - 1)
    with reading() as session:
        found = figures.read(session, [row.id for row in rows], min(since, today.replace(day=1)))
        new = {row.id for row in rows if not found[row.id].people and figures.is_new(session, row.id)}
        counted_since = figures.since(session)
        left = room.of(session, current_parts().settings.sqlite_file)
    wanted = needs.of(rows, found, left, today)
    return render_template(
        "desk/start.html", needs=wanted[:NEEDS], more=len(wanted[NEEDS:]), days=DAYS,
        lists=[{"list": row, "is_new": row.id in new, **_told(row, found[row.id], today, since)} for row in rows],
        counted_since=day(counted_since) if counted_since and counted_since > since else "",
    )  # fmt: skip


def _told(row: List, found: Figures, today: date, since: date) -> dict[str, Any]:
    course, funnel = found.course(today, DAYS), found.funnel(since)
    most = max(funnel[:3]) or 1
    return {
        "people": found.people, "change": _signed(found.change(today.replace(day=1))), "funnel": funnel,
        "parts": [round(100 * max(0, number) / most, 1) for number in funnel], "half": _span(found.half_within(since)),
        "curve": " ".join(_points([each.people for each in course])), "course": [_day(each) for each in course[::-1]],
        "first": course[0].people, "from_day": day(since), "to_day": day(today),
    }  # fmt: skip


def _signed(number: int) -> str:
    return f"{number:+}".replace("-", "\N{MINUS SIGN}") if number else ""


def _points(people: Sequence[int]) -> Iterator[str]:
    """From edge to edge, and all in the middle where it stays the same."""
    low, high = min(people), max(people)
    for place, number in enumerate(people):
        share = (number - low) / (high - low) if high > low else 0.5
        yield f"{place * WIDE / (len(people) - 1):.1f},{2 + (HIGH - 4) * (1 - share):.1f}"


def _day(each: Day) -> dict[str, object]:
    return {**each._asdict(), "day": day(each.day)}


def day(at: date) -> str:
    """For people: 29 Nov 2026."""
    return _day_in(at, language.current())


@lru_cache(512)  # every list has the same
def _day_in(at: date, tag: str) -> str:
    return format_date(at, "d MMM y" if tag == SOURCE else "medium", locale_of(tag))


def _span(time: timedelta | None) -> str:
    """For people: 5 minutes."""
    if time is None:
        return ""
    minutes = int(time.total_seconds()) // 60
    number, unit = (minutes // 60, "duration-hour") if minutes >= 60 else (minutes, "duration-minute")
    return format_unit(number, unit, locale=get_locale())
