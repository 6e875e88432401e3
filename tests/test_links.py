"""Signed links (K-01 … K-04, K-13, K-17, D-08): one purpose each, one spelling each, for every key we ever had."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from subscriptions.clock import Clock
from subscriptions.domain.address import parse
from subscriptions.links import BadLink, Leave, Links, NotMe, OldLink, fingerprint
from tests.support.cases import each

BASE = "https://news.example.org"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LIFE = timedelta(days=63)
REF, KEY, LIST = bytes(range(16)), bytes(range(16, 32)), 7
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."


class Stopped(Clock):
    """Stands where a test puts it."""

    def __init__(self, at: datetime = NOON) -> None:
        super().__init__()
        self.at = at

    def now(self) -> datetime:
        return self.at


def links(*keys: str, base: str = BASE, clock: Clock | None = None, pepper: bytes = b"pepper") -> Links:
    secrets = [one.encode() for one in keys or ("the key of the tests",)]
    return Links(base, secrets, pepper, clock or Stopped(), LIFE)


MADE = links()
TOKENS = {
    "confirm": MADE.confirm_token(REF),
    "not-me": MADE.not_me_token(REF, LIST, KEY),
    "unsubscribe": MADE.leave_token(LIST, KEY),
}
READERS: dict[str, Callable[[Links], Callable[[str], object]]] = {
    "confirm": lambda one: one.read_confirm,
    "not-me": lambda one: one.read_not_me,
    "unsubscribe": lambda one: one.read_leave,
}
SAYS: dict[str, object] = {"confirm": REF, "not-me": NotMe(REF, LIST, KEY), "unsubscribe": Leave(LIST, KEY)}
PURPOSE = pytest.mark.parametrize("purpose", TOKENS)


def read(purpose: str, token: str, by: Links = MADE) -> object:
    return READERS[purpose](by)(token)


@PURPOSE
def test_a_link_says_what_was_put_into_it(purpose: str) -> None:
    assert read(purpose, TOKENS[purpose]) == SAYS[purpose]


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16), st.integers(0, 2**32 - 1))
@example(b"\0" * 16, b"\xff" * 16, 0)
@example(b"." * 16, b"." * 16, int.from_bytes(b"...."))
def test_any_reference_key_and_list_come_back(ref: bytes, key: bytes, number: int) -> None:
    assert MADE.read_confirm(MADE.confirm_token(ref)) == ref
    assert MADE.read_not_me(MADE.not_me_token(ref, number, key)) == NotMe(ref, number, key)
    assert MADE.read_leave(MADE.leave_token(number, key)) == Leave(number, key)


@pytest.mark.parametrize("base", [BASE, BASE + "/"])
def test_a_link_stands_below_the_base_whether_or_not_that_ends_with_a_slash(base: str) -> None:
    one = links("new key", "old key", base=base)
    assert one.leave_url(LIST, KEY) == f"{BASE}/unsubscribe/{one.leave_token(LIST, KEY)}"


@pytest.mark.parametrize("made_for", TOKENS)
@pytest.mark.parametrize("used_for", TOKENS)
def test_a_link_serves_its_own_purpose_alone(made_for: str, used_for: str) -> None:
    if made_for == used_for:
        assert read(used_for, TOKENS[made_for]) == SAYS[made_for]
    else:
        with pytest.raises(BadLink):
            read(used_for, TOKENS[made_for])


@PURPOSE
def test_a_token_with_any_character_changed_is_refused(purpose: str) -> None:
    token = TOKENS[purpose]
    for at, old in enumerate(token):
        for new in ALPHABET:
            if new != old:
                with pytest.raises(BadLink):
                    read(purpose, token[:at] + new + token[at + 1 :])


@PURPOSE
def test_a_token_with_a_character_missing_is_refused(purpose: str) -> None:
    token = TOKENS[purpose]
    for at in range(len(token)):
        with pytest.raises(BadLink):
            read(purpose, token[:at] + token[at + 1 :])


@PURPOSE
@each("extra", [*" \t\r\n=.+/-_A%!~\x00é＝", "==", "%3D", "A=", "\n\n"])
def test_a_token_has_no_other_spelling(purpose: str, extra: str) -> None:
    token = TOKENS[purpose]
    for at in [0, *(found.end() for found in re.finditer(r"\.", token)), token.index("."), len(token) - 1, len(token)]:
        with pytest.raises(BadLink):
            read(purpose, token[:at] + extra + token[at:])


@PURPOSE
def test_the_other_alphabet_of_base64_is_refused(purpose: str) -> None:
    tokens = (links(f"key {n} of the tests") for n in range(50))
    odd = next(one for one in map(made(purpose), tokens) if set("-_") & set(one.rpartition(".")[2]))
    signer = next(one for n in range(50) if made(purpose)(one := links(f"key {n} of the tests")) == odd)
    head, _, signature = odd.rpartition(".")
    with pytest.raises(BadLink):
        read(purpose, f"{head}.{signature.replace('-', '+').replace('_', '/')}", signer)


def made(purpose: str) -> Callable[[Links], str]:
    return {
        "confirm": lambda one: one.confirm_token(REF),
        "not-me": lambda one: one.not_me_token(REF, LIST, KEY),
        "unsubscribe": lambda one: one.leave_token(LIST, KEY),
    }[purpose]


@PURPOSE
@given(st.text(max_size=250) | st.text(ALPHABET, max_size=250) | st.from_regex(r"\A[\w-]*\.[\w-]*(\.[\w-]*)?\Z"))
@example("")
@example(".")
@example("..")
@example("A" * 10_000)
@example("\ud800")
def test_no_text_whatever_is_a_link_or_an_error_of_another_kind(purpose: str, token: str) -> None:
    with pytest.raises(BadLink):
        read(purpose, token)


@PURPOSE
def test_the_newest_key_signs_and_every_older_one_verifies(purpose: str) -> None:
    old, rotated, without = links("old key"), links("new key", "old key"), links("new key")
    assert read(purpose, made(purpose)(old), rotated) == SAYS[purpose]
    assert read(purpose, made(purpose)(rotated), without) == SAYS[purpose]
    with pytest.raises(BadLink):
        read(purpose, made(purpose)(old), without)


@PURPOSE
def test_links_survive_ten_rotations(purpose: str) -> None:
    keys = [f"key number {n}" for n in range(10)]
    rotated = links(*keys)
    assert all(read(purpose, made(purpose)(links(one)), rotated) == SAYS[purpose] for one in keys)


@PURPOSE
def test_another_installation_reads_none_of_our_links(purpose: str) -> None:
    with pytest.raises(BadLink):
        read(purpose, TOKENS[purpose], links("the key of another"))


@pytest.mark.parametrize(("age", "read_still"), [(LIFE, True), (LIFE + timedelta(seconds=1), False)])
def test_a_confirm_link_is_read_no_longer_than_a_row_can_live(age: timedelta, read_still: bool) -> None:
    later = links(clock=Stopped(NOON + age))
    if read_still:
        assert later.read_confirm(TOKENS["confirm"]) == REF
    else:
        with pytest.raises(OldLink):
            later.read_confirm(TOKENS["confirm"])


def test_a_confirm_link_from_a_clock_that_is_ahead_is_read() -> None:
    ahead = links(clock=Stopped(NOON + timedelta(minutes=5)))
    assert MADE.read_confirm(ahead.confirm_token(REF)) == REF


def test_a_forged_old_link_is_forged_and_not_old() -> None:
    with pytest.raises(BadLink):
        links("another key", clock=Stopped(NOON + 2 * LIFE)).read_confirm(TOKENS["confirm"])


def test_unsubscribe_and_not_me_links_never_expire() -> None:
    later = links(clock=Stopped(NOON + timedelta(days=36500)))
    assert later.read_leave(TOKENS["unsubscribe"]) == SAYS["unsubscribe"]
    assert later.read_not_me(TOKENS["not-me"]) == SAYS["not-me"]


@pytest.mark.parametrize("base", [BASE, BASE + "/", "http://127.0.0.1:8000", "http://[::1]:8000"])
def test_every_link_begins_with_the_configured_address(base: str) -> None:
    one = links(base=base)
    for url, purpose in zip(urls(one), TOKENS, strict=True):
        assert url == f"{base.rstrip('/')}/{purpose}/{urlsplit(url).path.rpartition('/')[2]}"
        assert read(purpose, url.rpartition("/")[2]) == SAYS[purpose]


def urls(one: Links) -> list[str]:
    return [one.confirm_url(REF), one.not_me_url(REF, LIST, KEY), one.leave_url(LIST, KEY)]


def test_no_link_holds_an_address_or_needs_escaping() -> None:
    key = MADE.key(parse("anne@example.org").folded)
    for url in [MADE.confirm_url(REF), MADE.not_me_url(REF, LIST, key), MADE.leave_url(LIST, key)]:
        assert re.fullmatch(r"[A-Za-z0-9_.-]+", urlsplit(url).path.rpartition("/")[2])
        assert "anne" not in url and not urlsplit(url).query


def test_signatures_are_sha_256() -> None:
    assert [len(one.rpartition(".")[2]) for one in TOKENS.values()] == [43, 43, 43]  # 32 bytes; SHA-1 has 20


def test_handles_are_random_and_say_nothing_of_their_reference() -> None:
    handles = {MADE.new_handle() for _ in range(100)}
    assert {visit and (visit.at, visit.webmail) for visit in map(MADE.visit, handles)} == {(NOON, 0)}
    assert len(handles) == 100 and all(len(one) >= 22 for one in handles)
    refs = {MADE.ref(one) for one in handles}
    assert len(refs) == 100 and all(len(one) == 16 for one in refs)
    assert not refs & {links("another key").ref(one) for one in handles}


def test_keys_of_addresses_and_networks_hang_on_the_pepper_and_never_meet() -> None:
    other = links(pepper=b"salt")
    assert MADE.key("anne@example.org") != other.key("anne@example.org")
    assert MADE.key("198.51.100.7") != MADE.network_key("198.51.100.7")
    assert links("new key").key("anne@example.org") == MADE.key("anne@example.org")


def test_a_pepper_of_any_length_makes_keys() -> None:
    assert len({links(pepper=b"p" * size).key("anne@example.org") for size in (16, 64, 65, 1000)}) == 4


def test_the_fingerprint_tells_peppers_apart_and_gives_none_away() -> None:
    assert fingerprint(b"one pepper") != fingerprint(b"another pepper")
    assert len(fingerprint(b"one pepper")) == 32 and b"one pepper".hex() not in fingerprint(b"one pepper")


def test_the_header_pair_of_one_click_names_the_link() -> None:
    pair = MADE.one_click_headers("https://news.example.org/unsubscribe/x")
    assert pair == {
        "List-Unsubscribe": "<https://news.example.org/unsubscribe/x>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
