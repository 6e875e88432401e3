"""What the tokens of a form say, and to whom: when it was shown, and which step its visitor was asked for."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.links.forms import FormTokens, Step
from subscriptions.links.purposes import used_hash
from tests.test_links import KEY, LIFE, NOON, REF, Stopped, links
from tests.test_links_known import STEP

FORMS = FormTokens([b"the key of the tests"])


@given(st.timedeltas(timedelta(days=-20_000), timedelta(days=20_000)))
def test_a_form_says_to_the_thousandth_when_it_was_shown(ago: timedelta) -> None:
    at = NOON - timedelta(milliseconds=ago // timedelta(milliseconds=1))
    assert FORMS.read_time(FORMS.time(at)) == at
    step = FORMS.read_step(FORMS.step(at, KEY, [1]), KEY, [1])
    assert step is not None and step.since == at


def test_a_step_is_known_by_what_it_says_and_by_that_it_is_used_up() -> None:
    """The token as 0.2.0 made it: time, address and lists in one hash, and what is random, here nothing."""
    payload = bytes.fromhex("01a20846fe0086d937a67a75a0c7d9f6c7bd29e77b810000000000000000")
    assert FORMS.read_step(STEP, KEY, [7, 9]) == Step(NOON, used_hash(b"step", payload))


@pytest.mark.parametrize(("key", "lists"), [(REF, [9, 7]), (KEY, [7]), (KEY, [7, 8]), (KEY, [7, 9, 9]), (KEY, [])])
def test_a_step_is_of_one_address_and_its_lists_in_any_order(key: bytes, lists: list[int]) -> None:
    assert FORMS.read_step(STEP, KEY, [7, 9]) == FORMS.read_step(STEP, KEY, [9, 7])
    assert FORMS.read_step(STEP, key, lists) is None


def test_a_token_of_a_form_is_no_step_and_a_step_no_time_of_a_form() -> None:
    assert FORMS.read_step(FORMS.time(NOON), KEY, [1]) is None and FORMS.read_time(STEP) is None
    assert FORMS.read_step("x", KEY, [1]) is None and FORMS.read_time("x") is None


def test_links_are_written_as_they_were_once_with_each_key() -> None:
    """So a mail can be made again, to show what was sent."""
    now, keys = Stopped(NOON + timedelta(days=90)), ("new key", "old key")
    again = list(links(*keys, clock=now).as_written(NOON))
    then = [links(key, clock=Stopped(NOON)) for key in keys]
    assert [one.confirm_url(REF) for one in again] == [one.confirm_url(REF) for one in then]
    assert [one.leave_url(7, KEY) for one in again] == [one.leave_url(7, KEY) for one in then]
    late = [links(key, clock=Stopped(NOON - LIFE)).confirm_token(REF) for key in keys]
    assert [one.read_confirm(token) for one, token in zip(again, late, strict=True)] == [REF, REF]
    assert len({one.key("anne@example.org") for one in again}) == 1
