"""Tokens in addresses (issue 12): one purpose each, at most 64 octets before the @, whatever becomes of the case."""

import json
import re
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from subscriptions.clock import Clock
from subscriptions.export.stream import json_line
from subscriptions.links import BadLink, Links
from subscriptions.links.by_mail import LEAVE_BY_MAIL, LOCAL, RETURN, RETURN_OF_FORM, TOKEN, ByMail, tag_in, tagged
from subscriptions.store.models import List
from tests.support.cases import each
from tests.support.letters_home import LEAVE

PURPOSES = (LEAVE_BY_MAIL, RETURN, RETURN_OF_FORM)
KEY, LIST = bytes(range(16)), 7
OURS = ByMail([b"the key of the tests"])


def refuses(by: ByMail, purpose: bytes, text: str) -> bool:
    try:
        by.read(purpose, text)
    except BadLink:
        return True
    return False


@given(st.binary(min_size=16, max_size=16), st.integers(0, 2**32 - 1), st.sampled_from(PURPOSES))
def test_a_token_in_an_address_says_what_was_put_into_it_in_any_case(of: bytes, list_id: int, purpose: bytes) -> None:
    token = OURS.write(purpose, of, list_id)
    assert len(token) == TOKEN and token.isalnum() and token == token.lower()
    assert OURS.read(purpose, token) == OURS.read(purpose, token.upper()) == (of, list_id)


TOKEN_OF_OURS = OURS.write(LEAVE_BY_MAIL, KEY, LIST)


@each("made", PURPOSES)
def test_a_token_in_an_address_is_of_one_purpose_and_one_installation(made: bytes) -> None:
    token = OURS.write(made, KEY, LIST)
    assert [purpose for purpose in PURPOSES if not refuses(OURS, purpose, token)] == [made]
    assert refuses(ByMail([b"another installation"]), made, token)
    assert not refuses(ByMail([b"a newer key", b"the key of the tests"]), made, token)


@each("at", range(TOKEN))
def test_a_token_with_any_letter_changed_or_missing_is_refused(at: int) -> None:
    head, letter, tail = TOKEN_OF_OURS[:at], TOKEN_OF_OURS[at], TOKEN_OF_OURS[at + 1 :]
    for other in ("b" if letter == "a" else "a", "", "1", "ä", " ", "=", letter * 2):
        assert refuses(OURS, LEAVE_BY_MAIL, head + other + tail)


@each("ours", ["leave@news.example.org", "news+out@example.org", "fifteen-letters@example.org"])
def test_the_token_stands_in_our_address_alone_and_fits(ours: str) -> None:
    address = tagged(ours, TOKEN_OF_OURS)
    assert len(address.rpartition("@")[0]) <= LOCAL
    assert tag_in(address, ours) == tag_in(address.upper(), ours) == TOKEN_OF_OURS
    for other in (ours, "x" + address, address + ".example.net", tagged("bounces@example.org", TOKEN_OF_OURS)):
        assert tag_in(other, ours) is None


@each("in_address", [False, True])
def test_a_line_of_an_export_names_one_https_uri_and_the_mailto_behind_it(in_address: bool) -> None:
    links = Links("https://news.example.org", [b"key"], b"pepper", Clock(), timedelta(1), LEAVE, in_address=in_address)
    line = json_line(List(id=LIST, slug="news", fields=[]), links)(
        (1, KEY, "a@b.example", None, None, "en", "", "", "")
    )
    said = json.loads(line)
    named = re.fullmatch(r"<(https://\S+)>, <mailto:([^?]+)[?]subject=(\S+)>", said["headers"]["List-Unsubscribe"])
    assert named and named[1] == said["unsubscribe_url"] == links.leave_url(LIST, KEY)
    tag = tag_in(named[2], LEAVE)
    if in_address:
        assert links.by_mail.read(LEAVE_BY_MAIL, tag or "") == (KEY, LIST) and named[3] == "unsubscribe"
    else:
        assert (named[2], named[3]) == (LEAVE, f"unsubscribe%20{links.leave_token(LIST, KEY)}")
