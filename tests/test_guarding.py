"""What makes a form suspicious and what answers the suspicion, by the rules alone."""

from datetime import timedelta

import pytest

from subscriptions.domain.policy import is_step_alive, is_too_fast, seconds_left
from tests.conftest import NOON


@pytest.mark.parametrize(
    ("passed", "left"), [(0, 10), (0.001, 10), (7, 3), (9, 1), (9.999, 1), (10, 0), (11, 0), (-5, 10)]
)
def test_a_step_takes_ten_seconds_told_in_whole_ones_and_no_more_where_clocks_differ(passed: float, left: int) -> None:
    assert seconds_left(NOON, NOON + timedelta(seconds=passed)) == left


@pytest.mark.parametrize(("age", "alive"), [(-60, False), (-59.9, True), (0, True), (3599.9, True), (3600, False)])
def test_a_step_works_for_an_hour_and_not_long_before_it_was_shown(age: float, alive: bool) -> None:
    assert is_step_alive(NOON, NOON + timedelta(seconds=age)) is alive


@pytest.mark.parametrize(("age", "fast"), [(-60, False), (-59.9, True), (0, True), (1.999, True), (2, False)])
def test_a_form_is_too_fast_within_the_least_time_and_a_minute_of_difference(age: float, fast: bool) -> None:
    at = NOON + timedelta(seconds=age)
    assert is_too_fast(NOON, at, timedelta(seconds=2)) is fast
    assert not is_too_fast(NOON, at, timedelta(0)) and not is_too_fast(None, at, timedelta(seconds=2))
