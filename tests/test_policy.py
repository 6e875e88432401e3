"""The rules with numbers, each on both sides of its boundary."""

from datetime import UTC, datetime, timedelta

import pytest

from subscriptions.domain.lifecycle import Registration, Subscription
from subscriptions.domain.mail_kinds import MailKind, SuppressionScope
from subscriptions.domain.policy import Policy, is_wanted, months_after, state_at
from tests.support.cases import each

ALL, CONFIRMATIONS = SuppressionScope
DEFAULT = Policy()
TICK = timedelta(microseconds=1)
PENDING, BLOCKED, CONFIRMED = Registration.PENDING, Registration.BLOCKED, Registration.CONFIRMED


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NOON = utc("2026-11-23 12:00")


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (timedelta(0), PENDING),
        (timedelta(hours=24) - TICK, PENDING),
        (timedelta(hours=24), BLOCKED),
        (timedelta(days=400), BLOCKED),
        (timedelta(seconds=-30), PENDING),
    ],
)
def test_a_registration_waits_until_the_last_instant_of_24_hours(age: timedelta, state: Registration) -> None:
    assert state_at(PENDING, DEFAULT.confirm_by(NOON), NOON + age) is state


@pytest.mark.parametrize("stored", [one for one in Registration if one is not PENDING])
def test_time_changes_nothing_but_what_waits(stored: Registration) -> None:
    assert state_at(stored, NOON, NOON + timedelta(days=400)) is stored


@pytest.mark.parametrize(
    ("registered", "purged"),
    [
        ("2026-11-23 12:00", "2026-12-23 12:00"),  # a month of 30 days
        ("2026-12-10 08:30", "2027-01-09 08:30"),  # 30 days are shorter than December
        ("2026-01-30 12:00", "2026-02-28 12:00"),
        ("2026-01-31 12:00", "2026-02-28 12:00"),
        ("2026-02-01 00:00", "2026-03-01 00:00"),
        ("2026-02-28 23:59", "2026-03-28 23:59"),
        ("2028-01-30 12:00", "2028-02-29 12:00"),  # a leap year
        ("2028-01-31 12:00", "2028-02-29 12:00"),
        ("2028-02-29 12:00", "2028-03-29 12:00"),
        ("2026-12-31 23:59", "2027-01-30 23:59"),
    ],
)
def test_a_registration_is_purged_at_the_earlier_of_30_days_and_a_month(registered: str, purged: str) -> None:
    assert DEFAULT.purge_at(utc(registered)) == utc(purged)


def test_a_month_is_the_longest_that_can_be_configured() -> None:
    assert Policy(purge_after=timedelta(days=31)).purge_at(utc("2026-02-01 00:00")) == utc("2026-03-01 00:00")


@each("day", range(366))
def test_no_registration_outlives_30_days_or_dies_before_28(day: int) -> None:
    made = utc("2028-01-01 12:00") + timedelta(days=day)
    assert timedelta(days=28) <= DEFAULT.purge_at(made) - made <= timedelta(days=30)


@pytest.mark.parametrize(
    ("start", "months", "then"),
    [
        ("2026-08-31 12:00", 1, "2026-09-30 12:00"),
        ("2026-12-31 12:00", 2, "2027-02-28 12:00"),
        ("2027-11-30 12:00", 3, "2028-02-29 12:00"),
        ("2028-02-29 12:00", 12, "2029-02-28 12:00"),
        ("2028-02-29 12:00", 48, "2032-02-29 12:00"),
        ("2026-11-23 12:00", 0, "2026-11-23 12:00"),
    ],
)
def test_a_day_that_the_month_lacks_becomes_its_last(start: str, months: int, then: str) -> None:
    assert months_after(utc(start), months) == utc(then)


@pytest.mark.parametrize(
    ("ended", "until"),
    [
        ("2026-01-01 00:00", "2030-01-01 00:00"),
        ("2026-11-23 12:00", "2030-01-01 00:00"),
        ("2026-12-31 23:59", "2030-01-01 00:00"),
        ("2027-01-01 00:00", "2031-01-01 00:00"),
    ],
)
def test_a_proof_is_kept_to_the_end_of_the_third_year_after_the_end(ended: str, until: str) -> None:
    assert DEFAULT.proof_until(utc(ended)) == utc(until)


def test_a_proof_may_be_kept_to_the_end_of_the_year_alone() -> None:
    assert Policy(keep_proof_years=0).proof_until(NOON) == utc("2027-01-01 00:00")


def test_ip_addresses_are_kept_for_12_months_after_the_confirmation() -> None:
    assert DEFAULT.ip_until(NOON) == utc("2027-11-23 12:00")


Case = tuple[MailKind, Registration | None, Subscription | None, bool, str | None, bool]
WANTED: list[Case] = [
    (MailKind.CONFIRM, PENDING, None, False, None, True),
    (MailKind.CONFIRM, BLOCKED, None, False, None, False),
    (MailKind.CONFIRM, CONFIRMED, None, False, None, False),
    (MailKind.CONFIRM, None, None, False, None, False),
    (MailKind.CONFIRM, PENDING, None, False, CONFIRMATIONS, False),
    (MailKind.CONFIRM, PENDING, None, False, ALL, False),
    (MailKind.WELCOME, None, Subscription.CONFIRMED, False, None, True),
    (MailKind.WELCOME, None, Subscription.CONFIRMED, False, CONFIRMATIONS, True),
    (MailKind.WELCOME, None, Subscription.CONFIRMED, False, ALL, False),
    (MailKind.WELCOME, None, Subscription.CONFIRMED, True, None, False),
    (MailKind.WELCOME, None, Subscription.UNSUBSCRIBED, False, None, False),
    (MailKind.WELCOME, None, Subscription.BOUNCED, False, None, False),
    (MailKind.WELCOME, None, None, False, None, False),
    (MailKind.ALREADY_SUBSCRIBED, None, Subscription.CONFIRMED, False, None, True),
    (MailKind.ALREADY_SUBSCRIBED, None, Subscription.CONFIRMED, False, CONFIRMATIONS, False),
    (MailKind.ALREADY_SUBSCRIBED, None, Subscription.CONFIRMED, False, ALL, False),
    (MailKind.ALREADY_SUBSCRIBED, None, Subscription.CONFIRMED, True, None, False),
    (MailKind.ALREADY_SUBSCRIBED, None, Subscription.UNSUBSCRIBED, False, None, False),
    (MailKind.ALREADY_SUBSCRIBED, None, Subscription.BOUNCED, False, None, False),
    (MailKind.ERASED, PENDING, None, False, ALL, True),
    (MailKind.ERASED, PENDING, None, True, CONFIRMATIONS, True),
    (MailKind.PREFERENCES, PENDING, None, False, None, True),
    (MailKind.PREFERENCES, BLOCKED, None, False, CONFIRMATIONS, True),
    (MailKind.PREFERENCES, None, Subscription.UNSUBSCRIBED, True, CONFIRMATIONS, True),
    (MailKind.PREFERENCES, None, Subscription.CONFIRMED, False, ALL, False),
    (MailKind.ADDRESS_CHANGED, None, Subscription.UNSUBSCRIBED, False, CONFIRMATIONS, True),
    (MailKind.ADDRESS_CHANGED, None, Subscription.UNSUBSCRIBED, False, ALL, False),
]


@each(("mail", "registration", "subscription", "restricted", "suppression", "wanted"), WANTED)
def test_an_owed_mail_leaves_only_while_its_reason_stands(
    mail: MailKind,
    registration: Registration | None,
    subscription: Subscription | None,
    restricted: bool,
    suppression: str | None,
    wanted: bool,
) -> None:
    found = is_wanted(mail, registration, subscription, restricted=restricted, suppression=suppression)
    assert found is wanted
