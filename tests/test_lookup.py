"""What the DNS is asked about a mail domain, and what is made of its answers (A-11, B-11)."""

from collections.abc import Iterator

import pytest

from subscriptions import lookup
from subscriptions.lookup import A_SECOND, KEPT, PAUSE, Lookup
from tests.conftest import ManualClock
from tests.support.names import NXDOMAIN, SERVFAIL, SILENT, NameServer

ZONE = {
    "good.com": {"MX": "10 mx.good.com."},
    "two.com": {"MX": "10 mx.two.com.; 20 mx2.two.com."},
    "null.com": {"MX": "0 ."},
    "a-only.com": {"A": "192.0.2.1"},
    "aaaa-only.com": {"AAAA": "2001:db8::1"},
    "web-only.com": {"TXT": '"nothing"'},
    "gone.com": NXDOMAIN,
    "broken.com": SERVFAIL,
    "slow.com": SILENT,
    **{f"slow{n}.com": SILENT for n in range(9)},
    **{f"good{n}.com": {"MX": "10 mx.good.com."} for n in range(20)},
}
NO_MAIL = ("null.com", "web-only.com", "gone.com")


@pytest.fixture
def names() -> Iterator[NameServer]:
    with NameServer(ZONE) as server:
        yield server


@pytest.fixture
def dns(names: NameServer, clock: ManualClock) -> Lookup:
    return Lookup([names.address], clock)


@pytest.mark.parametrize("domain", [name for name in ZONE if not name[-5].isdigit()])
def test_only_a_sure_no_counts_as_one(dns: Lookup, domain: str) -> None:
    assert dns.takes_no_mail(domain) is (domain in NO_MAIL)


@pytest.mark.parametrize(("domain", "no_mail"), [("x.invalid", True), ("x.test", False), ("example.org", False)])
def test_names_that_are_reserved_are_asked_of_nobody(
    names: NameServer, dns: Lookup, domain: str, no_mail: bool
) -> None:
    assert dns.takes_no_mail(domain) is no_mail
    assert names.asked == []


@pytest.mark.parametrize("domain", ["good.com", "gone.com"])
def test_an_answer_is_kept_for_minutes(names: NameServer, dns: Lookup, clock: ManualClock, domain: str) -> None:
    for _ in range(3):
        dns.takes_no_mail(domain)
    assert len(names.asked) == 1
    clock.forward(seconds=KEPT.total_seconds())
    dns.takes_no_mail(domain)
    assert len(names.asked) == 2


def test_what_is_kept_has_a_bound(dns: Lookup, monkeypatch: pytest.MonkeyPatch, clock: ManualClock) -> None:
    monkeypatch.setattr(lookup, "KEPT_AT_MOST", 5)
    for n in range(20):
        dns.takes_no_mail(f"good{n}.com")
        clock.forward(seconds=1)
    assert len(dns._kept) == 5


def test_name_servers_that_are_silent_are_left_alone_for_a_minute(
    names: NameServer, dns: Lookup, clock: ManualClock
) -> None:
    for n in range(3):
        assert not dns.takes_no_mail(f"slow{n}.com")
    asked = len(names.asked)
    assert not dns.takes_no_mail("gone.com") and len(names.asked) == asked
    clock.forward(seconds=PAUSE.total_seconds())
    assert dns.takes_no_mail("gone.com")


def test_silence_now_and_then_is_no_reason_to_stop(dns: Lookup, clock: ManualClock) -> None:
    for n in range(5):
        dns.takes_no_mail(f"slow{n}.com")
        clock.forward(seconds=40)
    assert dns.takes_no_mail("gone.com")


def test_a_flood_asks_for_few_domains_a_second(names: NameServer, dns: Lookup, clock: ManualClock) -> None:
    for n in range(20):
        dns.takes_no_mail(f"good{n}.com")
    assert len(names.asked) == A_SECOND
    clock.forward(seconds=1)
    assert dns.takes_no_mail("gone.com")


def test_a_name_server_that_is_not_there_gives_no_hint(clock: ManualClock) -> None:
    assert not Lookup(["127.0.0.1:9"], clock).takes_no_mail("gone.com")


def test_it_asks_for_records_of_the_dns_and_never_for_anything_else(names: NameServer, dns: Lookup) -> None:
    for domain in ("good.com", "a-only.com", "web-only.com"):
        dns.takes_no_mail(domain)
    assert {kind for _, kind in names.asked} == {"MX", "A", "AAAA"}
    assert {domain for domain, _ in names.asked} == {"good.com", "a-only.com", "web-only.com"}
