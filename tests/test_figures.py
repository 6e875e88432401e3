"""What the figures of a list say: how long people take, how many there were, whether nobody comes back."""

from datetime import UTC, date, datetime, timedelta

from subscriptions.domain.figures import (
    CONFIRMED,
    GONE,
    JOINED,
    LEFT,
    MAILED,
    Day,
    Figures,
    Funnel,
    HowOften,
    confirmed_after,
)
from tests.support.cases import each

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TODAY = MONDAY.date()


def of(day: str = "2026-11-23", people: int = 0, **counts: int) -> Figures:
    """`confirmed_03` is the fourth of the twelve times."""
    return Figures(people, {name.replace("_", "."): {day: number} for name, number in counts.items()})


TIMES = [(0, 0), (59, 0), (60, 1), (119, 1), (120, 2), (29 * 60, 4), (30 * 60, 5), (18 * 3600 - 1, 10),
         (18 * 3600, 11), (24 * 3600 - 1, 11)]  # fmt: skip


@each(("seconds", "place"), TIMES)
def test_a_confirmation_is_counted_by_how_long_it_took(seconds: int, place: int) -> None:
    assert confirmed_after(timedelta(seconds=seconds)) == f"{CONFIRMED}.{place:02}"


HALVES = [({}, None), ({"confirmed_00": 1}, 1), ({"confirmed_00": 1, "confirmed_04": 1}, 1),
          ({"confirmed_00": 1, "confirmed_04": 2}, 30), ({"confirmed_10": 1}, 18 * 60), ({"confirmed_11": 1}, None),
          ({"confirmed_03": 1, "confirmed_11": 2}, None)]  # fmt: skip


@each(("counts", "minutes"), HALVES)
def test_half_of_those_who_confirm_have_done_so_by_then(counts: dict[str, int], minutes: int | None) -> None:
    assert of(**counts).half_within(TODAY) == (timedelta(minutes=minutes) if minutes else None)


def test_the_funnel_is_of_the_sign_ups_of_these_days_and_of_no_others() -> None:
    counts = {"asked": 9, "mailed": 8, "confirmed_00": 4, "confirmed_11": 2, "left": 1, "joined": 50, "gone": 50}
    assert of(**counts).funnel(TODAY) == Funnel(9, 8, 6, 5)
    assert of("2026-11-22", **counts).funnel(TODAY) == Funnel(0, 0, 0, 0)


def test_the_course_leads_to_as_many_people_as_there_are() -> None:
    counted = {JOINED: {"2026-11-21": 5, "2026-11-23": 2}, GONE: {"2026-11-22": 1, "2026-11-23": 4}, LEFT: {}}
    assert Figures(10, counted).course(TODAY, 3) == [
        Day(date(2026, 11, 21), 5, 0, 13), Day(date(2026, 11, 22), 0, 1, 12), Day(TODAY, 2, 4, 10)
    ]  # fmt: skip
    assert Figures(10, counted).change(date(2026, 11, 22)) == -3
    assert [each.people for each in Figures().course(TODAY, 30)] == [0] * 30


SILENCES = [({MAILED: 20}, "2026-11-16", True), ({MAILED: 19}, "2026-11-16", False),
            ({MAILED: 20}, "2026-11-15", False), ({MAILED: 400, "confirmed_11": 1}, "2026-11-23", False)]  # fmt: skip


@each(("counts", "day", "is_silent"), SILENCES)
def test_nobody_confirms_where_twenty_were_mailed_in_a_week(counts: dict[str, int], day: str, is_silent: bool) -> None:
    assert of(day, **counts).nobody_confirms(TODAY) is is_silent


LOOKS = [
    (HowOften.NEVER, {"days": 100}, False), (HowOften.EACH, {"minutes": 0}, True),
    (HowOften.DAILY, {"hours": 17, "minutes": 59}, False), (HowOften.DAILY, {"hours": 18}, True),
    (HowOften.WEEKLY, {"days": 6, "hours": 17, "minutes": 59}, False),
    (HowOften.WEEKLY, {"days": 6, "hours": 18}, True),
    (HowOften.WEEKLY, {"days": 40}, True), (HowOften.DAILY, {"days": -2}, False),
]  # fmt: skip


@each(("how_often", "later", "is_due"), LOOKS)
def test_numbers_are_due_of_mornings_or_of_mondays(how_often: HowOften, later: dict[str, int], is_due: bool) -> None:
    assert how_often.is_due(MONDAY, MONDAY + timedelta(**later)) is is_due


def test_a_week_that_began_in_the_old_year_ends_in_the_new_one() -> None:
    friday = datetime(2027, 1, 1, 12, 0, tzinfo=UTC)
    assert [HowOften.WEEKLY.is_due(friday, friday + timedelta(days=days)) for days in (1, 2, 3)] == [False, False, True]
