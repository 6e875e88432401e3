"""The mail budget of one address: 1 in 15 minutes, 3 in 24 hours, 5 in 30 days (B-01)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.domain.budget import Budget, longest
from subscriptions.domain.policy import Policy, Rate

RATES = Policy().mails
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
QUARTER, DAY, MONTH = timedelta(minutes=15), timedelta(hours=24), timedelta(days=30)


def ago(*times: timedelta) -> list[datetime]:
    return [NOON - one for one in times]


def test_the_budget_is_1_in_15_minutes_3_in_24_hours_5_in_30_days() -> None:
    assert (Rate(1, QUARTER), Rate(3, DAY), Rate(5, MONTH)) == RATES


def test_a_first_mail_leaves_at_once() -> None:
    assert Budget(RATES, []).mail_time(NOON, may_wait=False) == NOON


@pytest.mark.parametrize(
    ("period", "earlier"),
    [
        (QUARTER, [QUARTER]),
        (DAY, [timedelta(hours=1), timedelta(hours=2), DAY]),
        (MONTH, [timedelta(days=2), timedelta(days=3), timedelta(days=4), timedelta(days=5), MONTH]),
    ],
)
def test_a_rule_is_closed_to_its_last_instant(period: timedelta, earlier: list[timedelta]) -> None:
    assert Budget(RATES, ago(*earlier)).mail_time(NOON, may_wait=False) == NOON
    *others, last = earlier
    assert Budget(RATES, ago(*others, last - TICK)).mail_time(NOON, may_wait=False) is None
    assert Budget(RATES, ago(*others, last - TICK)).opens(NOON) == NOON + TICK


def test_a_first_sign_up_for_another_list_waits_for_the_end_of_the_15_minutes() -> None:
    sent = ago(timedelta(minutes=10))
    assert Budget(RATES, sent).mail_time(NOON, may_wait=True) == NOON + timedelta(minutes=5)


def test_who_waits_waits_behind_those_who_wait_already() -> None:
    sent = [*ago(timedelta(minutes=10)), NOON + timedelta(minutes=5)]
    assert Budget(RATES, sent).mail_time(NOON, may_wait=True) == NOON + timedelta(minutes=20)


@pytest.mark.parametrize(
    "earlier", [[timedelta(minutes=1), timedelta(hours=1), timedelta(hours=23)], [timedelta(days=n) for n in range(5)]]
)
def test_nobody_waits_for_the_longer_rules(earlier: list[timedelta]) -> None:
    assert Budget(RATES, ago(*earlier)).mail_time(NOON, may_wait=True) is None


def test_mails_that_wait_count_already() -> None:
    sent = [NOON, NOON + QUARTER, NOON + 2 * QUARTER]
    assert Budget(RATES, sent).mail_time(NOON, may_wait=True) is None


def test_without_rules_every_mail_leaves_at_once() -> None:
    assert Budget((), [NOON] * 100).mail_time(NOON, may_wait=False) == NOON
    assert (longest(()), Budget((), [NOON]).opens(NOON)) == (timedelta(0), NOON)


def test_a_mail_counts_as_long_as_the_longest_rule() -> None:
    assert longest(RATES) == MONTH


STEPS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3)) | st.sampled_from(
    [timedelta(0), TICK, QUARTER - TICK, QUARTER, DAY - TICK, DAY, MONTH - TICK, MONTH, timedelta(minutes=7)]
)
ASKS = st.lists(st.tuples(STEPS, st.booleans()), max_size=60)
ANY_RATES = st.lists(
    st.builds(Rate, st.integers(1, 4), st.sampled_from([QUARTER, timedelta(hours=1), DAY, MONTH])), max_size=3
)


def mails_of(asks: list[tuple[timedelta, bool]], rates: tuple[Rate, ...] = RATES) -> list[datetime]:
    """When mails leave, whoever asks whenever."""
    now, sent = NOON, list[datetime]()
    for step, may_wait in asks:
        now += step
        at = Budget(rates, sent).mail_time(now, may_wait=may_wait)
        if at is not None:
            assert at >= now
            sent.append(at)
    return sent


def most(mails: list[datetime], period: timedelta) -> int:
    """The most mails in any stretch of that length."""
    return max((sum(1 for one in mails if first <= one < first + period) for first in mails), default=0)


@given(ASKS)
def test_no_asking_whatever_gets_more_than_1_mail_in_15_minutes_3_in_24_hours_5_in_30_days(
    asks: list[tuple[timedelta, bool]],
) -> None:
    mails = mails_of(asks)
    assert (most(mails, QUARTER) <= 1, most(mails, DAY) <= 3, most(mails, MONTH) <= 5) == (True, True, True)


@given(ASKS, ANY_RATES)
def test_every_set_of_rules_holds(asks: list[tuple[timedelta, bool]], rates: list[Rate]) -> None:
    mails = mails_of(asks, tuple(rates))
    assert all(most(mails, rate.period) <= rate.count for rate in rates)


@given(ASKS)
def test_an_open_budget_is_never_closed_by_waiting(asks: list[tuple[timedelta, bool]]) -> None:
    mails = mails_of(asks)
    now = NOON + sum((step for step, _ in asks), timedelta(0))
    if Budget(RATES, mails).mail_time(now, may_wait=False) is not None:
        assert Budget(RATES, mails).mail_time(now, may_wait=True) == now


@given(ASKS)
def test_the_budget_opens_when_explain_says_so_and_not_before(asks: list[tuple[timedelta, bool]]) -> None:
    mails = mails_of(asks)
    now = NOON + sum((step for step, _ in asks), timedelta(0))
    at = Budget(RATES, mails).opens(now)
    assert Budget(RATES, mails).mail_time(at, may_wait=False) == at
    if at > now:
        assert Budget(RATES, mails).mail_time(at - TICK, may_wait=False) is None


@given(ASKS)
def test_nobody_waits_longer_than_the_15_minutes_of_those_before(asks: list[tuple[timedelta, bool]]) -> None:
    now, sent = NOON, list[datetime]()
    for step, may_wait in asks:
        now += step
        at = Budget(RATES, sent).mail_time(now, may_wait=may_wait)
        sent += [at] if at else []
        assert at is None or at - now <= 3 * QUARTER


@given(ASKS)
def test_a_budget_is_written_as_it_was_spent_without_what_counts_no_more(asks: list[tuple[timedelta, bool]]) -> None:
    mails = [at.replace(microsecond=at.microsecond // 1000 * 1000) for at in mails_of(asks)]
    budget, now = Budget.read("", RATES), NOON + sum((step for step, _ in asks), timedelta(0))
    for at in mails:
        budget.spend(at)
    again = Budget.read(budget.written(now), RATES)
    assert again.sent == [at for at in mails if at > now - MONTH] and not again.is_changed
    assert again.opens(now) == budget.opens(now)
    for may_wait in (False, True):
        at = Budget(RATES, mails).mail_time(now, may_wait=may_wait)
        assert again.mail_time(now, may_wait=may_wait) == budget.mail_time(now, may_wait=may_wait) == at


def test_what_is_a_month_old_is_written_no_more() -> None:
    last = NOON - MONTH + timedelta(milliseconds=1)
    assert Budget(RATES, [NOON - MONTH, last]).written(NOON) == Budget(RATES, [last]).written(NOON) != ""


def test_a_budget_is_written_back_where_something_was_spent() -> None:
    budget = Budget.read("", RATES)
    budget.spend(NOON)
    assert (budget.sent, budget.is_changed) == ([NOON], True)


def test_where_there_are_no_rules_nothing_is_spent() -> None:
    budget = Budget.read("", ())
    budget.spend(NOON)
    assert (budget.mail_time(NOON, may_wait=False), budget.is_changed) == (NOON, False)
