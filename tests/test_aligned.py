"""Who is who they say they are (issue 12, W-05): by our own mail server, or by the signature; and who is not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.clock import Clock
from subscriptions.inbound.aligned import is_aligned
from subscriptions.inbound.house import House
from subscriptions.inbound.message import read
from subscriptions.links import Links
from subscriptions.links.by_mail import tagged
from subscriptions.lookup import Lookup
from subscriptions.settings import Inbound, Settings
from tests.support.cases import each
from tests.support.letters_home import LEAVE, OURS, RECORD, SIGNED, keys, letter, signed, trusted
from tests.support.names import NameServer

NOW = datetime.now(UTC).replace(microsecond=0)  # the library goes by the real time as well
SETTINGS = Settings(inbound=Inbound(address=LEAVE, authserv_ids=(OURS,)))
LINKS = Links("https://news.example.org", [b"key"], b"pepper", Clock(), timedelta(hours=24))
RECEIVED = f"Received: from a by {OURS} with ESMTPS; now"
HOUSE = House(SETTINGS, LINKS, NOW, {})
BY_KEY = replace(HOUSE, dkim_key=keys({"s._domainkey.example.org": RECORD}))
UNSIGNED = letter(NOW)
GOOD = signed(UNSIGNED)


def aligned(octets: bytes, house: House = HOUSE) -> bool:
    return is_aligned(read(octets), house)


SAYS = [
    "dkim=pass header.d=example.org",
    "dkim=pass (2048-bit key; unprotected) header.d=example.org header.i=@example.org header.b=abc",
    'spf=fail smtp.mailfrom=x.example;\r\n DKIM/1 = pass (good; really) reason="all; fine" header.i=@Example.ORG',
    "dmarc=pass (p=none dis=none) header.from=example.org",
    "dkim=fail header.d=other.example; dkim=pass header.d=example.org",
]


@each("says", SAYS)
def test_what_our_mail_server_says_of_a_signed_message_is_believed(says: str) -> None:
    assert aligned(trusted(GOOD, says))
    lmtp = b"Received: from mx by mx with LMTP; now\r\n"  # one that only carries it from the server to the mailbox
    assert aligned(lmtp + trusted(GOOD, says))


DOUBTFUL = [
    "dkim=fail header.d=example.org", "dkim=pass header.d=evil.example", "dmarc=pass header.from=evil.example",
    "dkim=pass", "spf=pass smtp.mailfrom=example.org", "dmarc=fail header.from=example.org", "none",
    "dkim=pass header.d=org", "dkim=pass header.d=news.example.org", "dkim=pass header.d=ample.org",
    'spf=pass smtp.mailfrom="x; dkim=pass header.d=example.org"@evil.example',
    "spf=none (x; dkim=pass header.d=example.org) smtp.helo=evil", "spf=none (x; dkim=pass header.d=example.org",
    'spf=pass smtp.mailfrom="\\"; dkim=pass header.d=example.org',
    "dkim=pass header.d=evil.example header.d=example.org", "xdkim=pass header.d=example.org",
]  # fmt: skip


@each("says", DOUBTFUL)
def test_other_results_of_our_mail_server_align_nothing(says: str) -> None:
    assert not aligned(trusted(GOOD, says))


BELIEVED = f"Authentication-Results: {OURS}; dkim=pass header.d=example.org"
FORGED = {
    "below our server's line": "\r\n".join([RECEIVED, BELIEVED, ""]).encode() + GOOD,
    "of another server": trusted(GOOD, by="mx.evil.example"),
    "of one that is called nearly so": trusted(GOOD, by=OURS + ".evil.example"),
    "below ours, which says no": trusted(f"{BELIEVED}\r\n".encode() + GOOD, "dkim=fail header.d=example.org"),
    "of nobody": f"Authentication-Results: ; dkim=pass header.d=example.org\r\n{RECEIVED}\r\n".encode() + GOOD,
    "by a server that calls itself LMTP": (
        b"Received: from x with LMTP (x [192.0.2.1]) by mx.example.org (Postfix) with ESMTP id 1; now\r\n"
        + f"{BELIEVED}\r\n".encode()
        + GOOD
    ),
    "with a line of LMTP that is forged": "\r\n".join([RECEIVED, "Received: x with LMTP", BELIEVED, ""]).encode()
    + GOOD,
}


@each("name", FORGED)
def test_results_that_strangers_may_have_written_are_not_believed(name: str) -> None:
    assert not aligned(FORGED[name])


def without(name: str) -> tuple[str, ...]:
    return tuple(one for one in SIGNED if one != name)


def doubled(name: str) -> Callable[[], bytes]:
    return lambda: f"{name}: another\r\n".encode() + GOOD


REPLAYED: dict[str, Callable[[], bytes]] = {
    **{f"with two fields {name}": doubled(name) for name in ("From", "To", "Subject", "Date", "Message-ID")},
    "with two types of content": doubled("Content-Type"),
    **{f"whose {name} is not signed": lambda name=name: signed(UNSIGNED, headers=without(name))  # type: ignore[misc]
       for name in without("from")},
    "of which only a part is signed": lambda: signed(UNSIGNED, length=True),
    "to somebody else": lambda: signed(letter(NOW, To="unsubscribe@other.example")),
    "to us in a Cc that is not signed": lambda: signed(letter(NOW, To="a@other.example", Cc=LEAVE)),
    "of 15 days ago": lambda: signed(letter(NOW - timedelta(days=15))),
    "of the day after tomorrow": lambda: signed(letter(NOW + timedelta(days=2))),
    "without a date": lambda: signed(letter(NOW, Date=None)),
    "without an id": lambda: signed(letter(NOW, Message_ID=None)),
    "of two authors": lambda: signed(letter(NOW, From="bart@example.org, anne@example.org")),
    "with an address in the name": lambda: signed(letter(NOW, From='"anne@example.org" <bart@example.org>')),
    "without a signature": lambda: UNSIGNED,
    "signed by another domain": lambda: signed(UNSIGNED, "evil.example"),
    "with a second signature that claims more": lambda: signed(signed(UNSIGNED, headers=("from",))),
}  # fmt: skip


@each("name", REPLAYED)
def test_a_message_that_may_be_a_replay_or_a_forgery_is_not_aligned(name: str) -> None:
    octets = REPLAYED[name]()
    assert not aligned(trusted(octets)) and not aligned(octets, BY_KEY)


def test_without_a_mail_server_that_says_so_the_signature_is_checked_here() -> None:
    assert aligned(GOOD, BY_KEY) and not aligned(GOOD)
    assert aligned(signed(letter(NOW, To=tagged(LEAVE, "x"))), BY_KEY)
    below = letter(NOW, From="bart@mail.example.org")
    assert aligned(signed(below), BY_KEY)  # who has the domain could take over what is below it
    assert not aligned(GOOD.replace(b"\r\nunsubscribe", b"\r\nabmelden"), BY_KEY)
    assert not aligned(GOOD.replace(b"Re: News", b"unsubscribe"), BY_KEY)
    assert not aligned(GOOD, replace(HOUSE, dkim_key=keys({})))
    assert not aligned(GOOD, replace(HOUSE, dkim_key=keys({"s._domainkey.example.org": b"v=DKIM1; p="})))


def test_a_key_of_a_size_that_nobody_has_is_not_even_tried() -> None:
    endless = RECORD + b"; n=" + b"x" * 2000  # a key so long would keep the process busy for hours
    assert not aligned(GOOD, replace(HOUSE, dkim_key=keys({"s._domainkey.example.org": endless})))


def test_nothing_that_a_stranger_writes_into_a_signature_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert not aligned(GOOD.replace(b"s=s;", b"s=anne;"), BY_KEY)
    assert not caplog.records


def test_a_signature_that_has_expired_is_none() -> None:
    head, _, rest = GOOD.partition(b"; h=")
    over = head + f"; x={int(NOW.timestamp()) - 60}; h=".encode() + rest
    assert not aligned(trusted(over)) and aligned(
        trusted(head + f"; x={int(NOW.timestamp()) + 60}; h=".encode() + rest)
    )


def test_the_key_of_a_signature_comes_from_the_dns_within_a_time() -> None:
    name = "s._domainkey.example.org"
    with NameServer({name: {"TXT": f'"{RECORD.decode()[:200]}" "{RECORD.decode()[200:]}"'}}) as server:
        house = replace(HOUSE, dkim_key=Lookup([server.address], Clock()).text)
        assert aligned(GOOD, house)
        server.zone[name] = "SERVFAIL"
        assert not aligned(GOOD, house)
        server.zone[name] = {}
        assert not aligned(GOOD, house)


@given(st.text(st.characters(codec="ascii", exclude_characters="\r\n\0"), max_size=200))
def test_whatever_a_field_of_results_says_is_read_without_an_error(says: str) -> None:
    octets = f"Authentication-Results: {OURS}; {says}\r\n".encode() + GOOD
    assert aligned(octets) in (True, False)
