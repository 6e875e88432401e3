"""The breaker by its rules alone: what is too much, for how long, and who hears of it (B-03, B-04)."""

from datetime import timedelta

import pytest

from subscriptions.domain.breaker import (
    EVERYBODY,
    MAIL_EVERY,
    NOBODY_CONFIRMS,
    REMEMBERED,
    STAYS_ON,
    Cause,
    Excess,
    Opening,
    Scope,
    Thresholds,
    after,
    exceeded,
    lately,
    sentence,
    to_tell,
    unconfirmed,
)
from tests.conftest import NOON

USUAL = Thresholds()
NEWS: Cause = (Scope.LIST, "1")
MAIL: Cause = (Scope.DOMAIN, "ab12")
MUCH = Excess(Scope.ALL, "", 601, 600)


@pytest.mark.parametrize(("cause", "limit"), [(EVERYBODY, 600), (NEWS, 300), (MAIL, 100)])
def test_a_minute_is_too_much_from_one_above_its_threshold_on(cause: Cause, limit: int) -> None:
    assert exceeded({cause: limit}, USUAL) == []
    assert exceeded({cause: limit + 1}, USUAL) == [Excess(*cause, limit + 1, limit)]


@pytest.mark.parametrize("cause", [EVERYBODY, NEWS, MAIL])
def test_a_threshold_of_nought_is_never_exceeded(cause: Cause) -> None:
    assert exceeded({cause: 10**6}, Thresholds(0, 0, 0, 0)) == []
    assert exceeded({cause: 2}, Thresholds(1, 1, 1, 1)) == [Excess(*cause, 2, 1)]


def test_the_last_minute_is_this_one_and_the_part_of_the_one_before_that_is_within_60_seconds() -> None:
    at = [lately(60, 7, NOON.replace(second=second)) for second in (0, 15, 59)]
    assert at == [67, 52, 8]
    assert lately(61, 7, NOON.replace(second=30)) == 37  # a half is not counted


@pytest.mark.parametrize(
    ("signed_up", "confirmed", "on"),
    [(200, 10, False), (200, 9, True), (199, 0, False), (1000, 50, False), (1000, 49, True), (200, 300, False)],
)
def test_too_few_confirmations_tell_something_from_200_sign_ups_on(signed_up: int, confirmed: int, on: bool) -> None:
    found = unconfirmed(signed_up, confirmed, USUAL)
    percent = 100 * (signed_up - confirmed) // signed_up
    assert found == [Excess(*NOBODY_CONFIRMS, percent, 95)] * on


def test_without_a_percentage_unconfirmed_sign_ups_are_not_watched() -> None:
    assert unconfirmed(10_000, 0, Thresholds(unconfirmed_percent=0)) == []


def test_it_stays_on_for_15_minutes_after_the_last_minute_that_was_too_much() -> None:
    openings, opened = after({}, [MUCH], NOON)
    assert opened == [Opening(MUCH, NOON, NOON + STAYS_ON)]
    later = NOON + timedelta(minutes=10)
    openings, again = after(openings, [MUCH], later)
    assert again == [] and openings[EVERYBODY].since == NOON
    end = later + STAYS_ON
    assert (openings[EVERYBODY].is_on(end - timedelta(seconds=1)), openings[EVERYBODY].is_on(end)) == (True, False)


def test_it_remembers_the_worst_that_it_saw() -> None:
    worse = Excess(Scope.ALL, "", 900, 600)
    for first, second in ((worse, MUCH), (MUCH, worse)):
        openings, _ = after({}, [first], NOON)
        openings, _ = after(openings, [second], NOON + timedelta(minutes=1))
        assert openings[EVERYBODY].excess == worse


def test_after_it_was_off_it_opens_anew() -> None:
    openings, _ = after({}, [MUCH], NOON)
    later = NOON + STAYS_ON
    openings, opened = after(openings, [MUCH], later)
    assert [one.since for one in opened] == [later]


def test_what_is_over_can_be_looked_at_for_a_day() -> None:
    openings, _ = after({}, [MUCH], NOON)
    end = NOON + STAYS_ON + REMEMBERED
    assert after(openings, [], end - timedelta(seconds=1))[0] and not after(openings, [], end)[0]


def test_a_mail_is_due_once_for_each_opening_and_once_an_hour_at_most() -> None:
    openings, _ = after({}, [MUCH], NOON)
    assert to_tell(openings, None, NOON)
    assert not to_tell(openings, NOON, NOON) and to_tell(openings, NOON + timedelta(seconds=1), NOON)
    lasting, _ = after(openings, [MUCH], NOON + timedelta(minutes=14))
    lasting, _ = after(lasting, [MUCH], NOON + timedelta(minutes=28))
    told = {cause: Opening(one.excess, one.since, one.until + MAIL_EVERY, told=True) for cause, one in lasting.items()}
    assert not to_tell(told, NOON, NOON + MAIL_EVERY)
    untold = {cause: Opening(one.excess, one.since, one.until) for cause, one in told.items()}
    assert not to_tell(untold, NOON, NOON + MAIL_EVERY - timedelta(seconds=1))
    assert to_tell(untold, NOON, NOON + MAIL_EVERY)


def test_what_is_over_is_not_mailed_about() -> None:
    openings, _ = after({}, [MUCH], NOON)
    assert not to_tell(openings, None, NOON + STAYS_ON)


def test_it_says_what_happened_in_words_with_numbers() -> None:
    said = [
        sentence(Excess(*EVERYBODY, 612, 600), ""),
        sentence(Excess(*NEWS, 301, 300), "newsletter"),
        sentence(Excess(*MAIL, 140, 100), "example.org"),
        sentence(Excess(*NOBODY_CONFIRMS, 99, 95), ""),
    ]
    assert said == [
        "612 sign-ups in a minute across all lists; at most 600 are usual",
        '301 sign-ups in a minute for the list "newsletter"; at most 300 are usual',
        "140 sign-ups in a minute for addresses at example.org; at most 100 are usual",
        "99% of an hour's sign-ups were not confirmed; at most 95% is usual",
    ]
