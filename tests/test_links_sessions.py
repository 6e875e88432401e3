"""The tokens of the preferences page: one purpose each, half an hour, and no address in them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.links import BadLink, Session
from tests.test_links import KEY, NOON, REF, Stopped, links

MADE = links()
HALF = timedelta(minutes=30)
sixteen = st.binary(min_size=16, max_size=16)


@given(sixteen, sixteen)
def test_a_link_says_whose_it_is_and_which_one(nonce: bytes, key: bytes) -> None:
    found = MADE.read_preferences(MADE.preferences_token(nonce, key))
    assert (found.nonce, found.key, found.until) == (nonce, key, NOON + HALF)


@given(sixteen)
def test_a_session_says_whose_it_is_and_until_when(key: bytes) -> None:
    assert MADE.read_session(MADE.session_token(key)) == Session(key, NOON + HALF)


def test_an_old_token_is_still_read_since_it_says_who_asks() -> None:
    later = links(clock=Stopped(NOON + timedelta(days=900)))
    assert later.read_preferences(MADE.preferences_token(REF, KEY)).until == NOON + HALF


def test_a_token_works_on_after_a_rotation_of_the_keys() -> None:
    rotated = links("a newer key of the tests", "the key of the tests")
    assert rotated.read_session(MADE.session_token(KEY)).key == KEY


@pytest.mark.parametrize(
    "token", [MADE.preferences_token(REF, KEY), links().confirm_token(KEY), links("another key").session_token(KEY)]
)
def test_nothing_but_a_session_of_ours_is_read_as_one(token: str) -> None:
    with pytest.raises(BadLink):
        MADE.read_session(token)


@pytest.mark.parametrize("token", [MADE.session_token(KEY), links().not_me_token(REF, 1, KEY), ""])
def test_nothing_but_a_link_of_ours_is_read_as_one(token: str) -> None:
    with pytest.raises(BadLink):
        MADE.read_preferences(token)


def test_what_is_remembered_of_a_used_link_gives_nothing_away() -> None:
    opener = MADE.read_preferences(MADE.preferences_token(REF, KEY))
    assert len(opener.hash) == 16 and REF not in opener.hash and KEY not in opener.hash
    assert opener.hash != MADE.read_preferences(MADE.preferences_token(KEY, KEY)).hash
