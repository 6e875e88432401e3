"""The rows of the kinds of mail: what each says of itself is known, and what one does not say is forbidden."""

from datetime import UTC, datetime
from itertools import product

import pytest
from flask import Flask

from subscriptions.domain.lifecycle import Registration, Subscription
from subscriptions.domain.mail_kinds import MailKind, Row, SuppressionScope, noun
from subscriptions.domain.policy import is_wanted
from subscriptions.mail.compose import LINKS, VALUES
from subscriptions.store import outbox
from subscriptions.store.engine import transaction
from tests.support.rows import one_more_kind

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
STATES = [(one, None) for one in (None, *Registration)] + [(None, one) for one in Subscription]


def test_a_kind_that_says_nothing_reaches_subscribers_alone_whom_nothing_stands_against() -> None:
    with one_more_kind("birthday") as kind:
        reached = [
            (state, restricted, suppression)
            for state, restricted, suppression in product(STATES, (False, True), (None, *SuppressionScope))
            if is_wanted(kind, *state, restricted=restricted, suppression=suppression)
        ]
    assert reached == [((None, Subscription.CONFIRMED), False, None)]


def test_a_kind_that_says_nothing_is_within_the_budget_and_names_the_link_to_leave() -> None:
    assert (Row().budgeted, Row().leaves_by, Row().may_show_picture) == (True, "unsubscribe_url", False)


def test_what_a_stranger_can_cause_is_within_the_budget_of_the_address() -> None:
    budgeted = {kind for kind in MailKind if kind.row.budgeted}
    assert budgeted == {MailKind.CONFIRM, MailKind.MOVE, MailKind.INVITE, MailKind.ALREADY_SUBSCRIBED,
                        MailKind.PREFERENCES, MailKind.NOTHING_STORED, MailKind.LEAVE_ASKED}  # fmt: skip


def test_no_mail_passes_by_the_wish_for_none_but_about_the_erasure_and_about_requests() -> None:
    passing = [kind for kind in MailKind if kind.row.despite == "all"]
    assert passing == [MailKind.ERASED, *(kind for kind in MailKind if kind.row.of_request)]


def test_a_mail_of_the_budget_is_not_owed_without_its_time(app: Flask) -> None:
    with app.app_context(), pytest.raises(ValueError, match="already_subscribed"), transaction() as session:
        outbox.owe(session, MailKind.ALREADY_SUBSCRIBED, now=NOON)


def test_each_row_has_a_name_and_asks_for_links_and_values_that_there_are() -> None:
    for kind in MailKind:
        assert noun(kind.value) == kind.row.noun != Row().noun == noun("a kind of an earlier version")
        assert kind.row.leaves_by in {None, *LINKS}
        assert kind.row.says.keys() <= set(VALUES)
