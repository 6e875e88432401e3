"""The handle of a visit: ours or not, what it says, and what nobody else learns from it."""

import base64
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from subscriptions.links.handles import MAILS, Handles

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MADE = Handles([b"the key of the tests"])
HANDLE = MADE.new(NOON, 7)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(st.integers(0, 200_000_000_000), st.integers(0, 999_999), st.integers(0, 255))
def test_a_handle_says_when_the_visit_was_and_where_its_mail_is_read(
    seconds: int, microseconds: int, webmail: int
) -> None:
    at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)
    visit = MADE.read(handle := MADE.new(at, webmail))
    assert visit is not None
    assert (visit.handle, visit.at, visit.webmail) == (handle, at.replace(microsecond=0), webmail)


def test_handles_are_of_one_form_and_never_the_same_twice() -> None:
    handles = [MADE.new(NOON + timedelta(seconds=n // 2), n % 9) for n in range(500)]
    assert len(set(handles)) == 500
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{40}", one) for one in handles)


def test_what_a_handle_says_is_sealed() -> None:
    """Every bit of it is one as often as not, also where it says the same as all the others."""
    octets = [base64.urlsafe_b64decode(MADE.new(NOON, 7)) for _ in range(2000)]
    for bit in range(240):
        ones = sum(one[bit // 8] >> bit % 8 & 1 for one in octets)
        assert 800 < ones < 1200, bit


def test_a_handle_with_any_character_changed_is_not_ours() -> None:
    for at, old in enumerate(HANDLE):
        for new in ALPHABET.replace(old, ""):
            assert MADE.read(HANDLE[:at] + new + HANDLE[at + 1 :]) is None


@given(st.text(max_size=60) | st.text(ALPHABET, min_size=38, max_size=42))
@example("")
@example("x" * 22)
@example("A" * 40)
@example(HANDLE + "\n")
@example(" " + HANDLE)
@example(HANDLE[:-1] + "é")
def test_no_other_text_is_a_handle_or_an_error(text: str) -> None:
    assert MADE.read(text) is None


def test_the_references_of_a_visit_differ_and_start_with_that_of_its_sign_up() -> None:
    visits = [MADE.read(MADE.new(NOON, 0)) for _ in range(50)]
    refs = [ref for one in visits if one for ref in one.refs]
    assert len(set(refs)) == 50 * MAILS and {len(ref) for ref in refs} == {16}
    assert all(one and one.refs[0] == MADE.ref(one.handle) for one in visits)


def test_a_visit_has_the_same_references_after_any_number_of_rotations() -> None:
    keys = [b"key number %d" % n for n in range(5)]
    for n in range(5):
        then = Handles(keys[n:])
        handle = then.new(NOON, 3)
        now = Handles(keys).read(handle)
        assert now is not None and now == then.read(handle) and now.refs[0] == then.ref(handle)


@pytest.mark.parametrize("other", [Handles([b"the key of another"]), Handles([b"a", b"b"])])
def test_another_installation_reads_none_of_our_handles(other: Handles) -> None:
    assert other.read(HANDLE) is None
    assert other.ref(HANDLE) != MADE.ref(HANDLE)
