"""The relay and our own address: each fault on a real server, found and mended (D-19, D-01, O-10)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from subscriptions.doctor import outside
from subscriptions.settings import Settings
from tests.doctored import BASE, named, settled, wrong, zone
from tests.support.cases import ONE_DATABASE, each
from tests.support.certificates import Certificate, ca_file
from tests.support.https_site import Answer, HttpsSite
from tests.support.names import NameServer
from tests.support.relay import Relay
from tests.support.server import Server as Running

pytestmark = ONE_DATABASE
Settle = Callable[..., Flask]


@pytest.fixture
def settle(
    make_app: Callable[..., Flask], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settle]:  # fmt: skip
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file()))
    with NameServer(zone()) as names:
        yield lambda url=BASE, **mail: settled(
            make_app, names, mail=mail, server=replace(settings.server, base_url=url)
        )


def through(settle: Settle, relay: Relay, **mail: Any) -> Flask:
    return settle(**({"host": "localhost", "port": relay.port, "security": relay.offers.security} | mail))


def test_a_relay_with_all_that_it_should_have_is_no_finding(settle: Settle) -> None:
    with Relay(security="starttls", login=("anne", "s3cret")) as relay:
        assert named(wrong(through(settle, relay, username="anne", password="s3cret"), "relay")) == []
        assert relay.mails == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_ends_soon_is_found_before_it_does(settle: Settle, security: Any) -> None:
    with Relay(security=security, certificate=Certificate.ENDS_SOON) as relay:
        [one] = wrong(through(settle, relay), "relay")
        assert (one.name, one.level, one.values["host"]) == ("certificate", "fault", "localhost")
    with Relay(security=security) as mended:
        assert named(wrong(through(settle, mended), "relay")) == []


@pytest.mark.parametrize("certificate", [Certificate.OTHER_HOST, Certificate.UNKNOWN_CA])
def test_a_bad_certificate_of_the_relay_is_said_as_the_sender_says_it(settle: Settle, certificate: Certificate) -> None:
    with Relay(security="starttls", certificate=certificate) as relay:
        [one] = wrong(through(settle, relay), "relay")
    assert one.name == "relay-down" and "certificate is not valid" in one.says


def test_a_relay_that_is_not_there_or_takes_no_login_is_down(settle: Settle) -> None:
    with Relay(login=("anne", "s3cret")) as relay:
        app = through(settle, relay, username="anne", password="wrong")
        assert named(wrong(app, "relay")) == ["relay-down"]
    assert "nothing listens" in wrong(app, "relay")[0].says


def test_what_a_relay_does_not_offer_is_a_hint(settle: Settle) -> None:
    with Relay(smtputf8=False, pipelining=False) as relay:
        app = through(settle, relay)
        assert [(one.name, one.level) for one in wrong(app, "relay")] == [
            ("relay-ascii", "hint"),
            ("relay-slow", "hint"),
        ]
        relay.offers.smtputf8 = relay.offers.pipelining = True
        assert named(wrong(app, "relay")) == []


def test_a_relay_elsewhere_that_offers_encryption_is_not_spoken_to_in_the_open(
    settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "is_loopback", lambda host: False)  # as if it stood elsewhere
    with Relay(security="starttls", login=("anne", "s3cret")) as relay:
        relay.behave(
            "ehlo", "250-relay.test\r\n250-STARTTLS\r\n250-AUTH PLAIN\r\n250-SMTPUTF8\r\n250 PIPELINING", times=1
        )
        found = wrong(through(settle, relay, security="none"), "relay")
        assert [(one.name, one.level) for one in found] == [("relay-plain", "fault"), ("relay-password", "hint")]
        assert found[0].copy == 'security = "starttls"'
        assert named(wrong(through(settle, relay), "relay")) == []


# Our own address

LIVE = Answer(b'{"status":"live"}', headers={"Strict-Transport-Security": "max-age=1", "X-Request-ID": "x"})
OURS = Answer(b"not found", 404, {"X-Request-ID": "x"})


def moved(to: str) -> Answer:
    return Answer(b"", 301, {"Location": to, "X-Request-ID": "x", "Strict-Transport-Security": "max-age=1"})


SEEN: list[tuple[str, dict[str, Answer], str]] = [
    ("url-hsts", {"/healthz": Answer(LIVE.body)}, "https alone"),
    (
        "url-leads",
        {"/healthz": moved("https://www.example.org/healthz?private=1")},
        "leads on to https://www.example.org.",
    ),
    ("url-other", {"/healthz": Answer(b"<h1>Welcome", 200, LIVE.headers)}, "status 200"),
    ("url-other", {"/healthz": Answer(b"", 502, LIVE.headers)}, "status 502"),
    ("post-leads", {"/unsubscribe/doctor": moved("/de/unsubscribe/doctor")}, "status 301"),
    ("post-lost", {"/unsubscribe/doctor": Answer(b"are you human?", 403)}, "status 403"),
    ("post-lost", {"/unsubscribe/doctor": Answer(b"", 405)}, "status 405"),
]


@each(("name", "instead", "said"), SEEN)
def test_each_fault_of_what_stands_before_us_is_found_and_mended(
    settle: Settle, name: str, instead: dict[str, Answer], said: str
) -> None:
    with HttpsSite() as site:
        good = {"/healthz": LIVE, "/unsubscribe/doctor": OURS}
        site.pages = {**good, **instead}
        app = settle(f"https://localhost:{site.port}")
        [one] = wrong(app, "base-url")
        assert one.name == name and said in one.says and one.copy and "private" not in str(one)
        site.pages = {**good}
        assert named(wrong(app, "base-url")) == []


@pytest.mark.parametrize(
    ("certificate", "name"),
    [
        (Certificate.ENDS_SOON, "certificate"),
        (Certificate.UNKNOWN_CA, "url-away"),
        (Certificate.OTHER_HOST, "url-away"),
    ],
)
def test_a_bad_certificate_of_our_own_address_is_found(settle: Settle, certificate: Certificate, name: str) -> None:
    with HttpsSite(certificate) as site:
        site.pages = {"/healthz": LIVE, "/unsubscribe/doctor": OURS}
        assert named(wrong(settle(f"https://localhost:{site.port}"), "base-url")) == [name]


def test_an_address_that_nobody_reaches_or_without_encryption_is_found(settle: Settle) -> None:
    app = settle("http://news.invalid")
    [plain, away] = wrong(app, "base-url")
    assert (plain.name, plain.copy) == ("url-plain", 'base_url = "https://news.invalid"')
    assert (away.name, away.copy) == ("url-away", "curl -i http://news.invalid/healthz")


@pytest.mark.drill
def test_the_service_itself_passes_its_own_check(settle: Settle, tmp_path: Any, database_url: str) -> None:
    with Relay() as relay, Running(tmp_path, database_url, relay=relay) as running:
        app = settle(running.base_url)
        assert named(wrong(app, "base-url")) == []
