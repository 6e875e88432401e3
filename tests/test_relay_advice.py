"""What keeps us from a relay is told in one sentence that says what to do; and what logs in, whatever its letters."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask

from tests.builders import ANNE, Movable, World, through
from tests.support.ports import kept_port
from tests.support.relay import DROP, HANG, Certificate, Relay
from tests.test_relay_faults import pause, readiness

PORTS = 'port 465 wants security = "tls", port 587 "starttls"'
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # nothing is stored
Through = Callable[..., World]


@pytest.fixture
def start(make_app: Callable[..., Flask], clock: Movable) -> Iterator[Callable[..., World]]:
    """A world with a relay as given, and whatever [mail] says besides."""
    with ExitStack() as stack:

        def started(relay: Relay, **mail: Any) -> World:
            return stack.enter_context(through(relay, make_app, clock, **mail))

        yield started


def sent(world: World) -> str | None:
    """Why nothing leaves; none where it does."""
    world.sign_up(ANNE)
    world.deliver()
    return pause()[1]


@pytest.fixture
def secured(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Relay]:
    def made(**offers: Any) -> Relay:
        relay = Relay(**offers)
        monkeypatch.setenv("SSL_CERT_FILE", str(relay.ca_file))
        return relay

    return made


@pytest.mark.parametrize("ways", ["PLAIN LOGIN", "LOGIN", "GSSAPI LOGIN PLAIN"])
@pytest.mark.parametrize("login", [("jörg@bücher.example", "pässwört€"), ("anne", "пароль"), ("anne", "a b\\\"'")])
def test_any_letters_log_in(start: Through, secured: Callable[..., Relay], ways: str, login: tuple[str, str]) -> None:
    with secured(security="starttls", login=login) as relay:
        relay.offers.logins = ways
        world = start(relay, security="starttls", username=login[0], password=login[1])
        assert (sent(world), [mail.user for mail in relay.mails]) == (None, [login[0]])


@pytest.mark.parametrize(("ways", "what"), [("GSSAPI XOAUTH2", "only GSSAPI, XOAUTH2"), ("", "none")])
def test_a_relay_without_a_login_that_we_speak_is_said_to_be_one(start: Through, ways: str, what: str) -> None:
    with Relay(login=("anne", "s3cret")) as relay:
        relay.offers.logins = ways
        said = sent(start(relay, username="anne"))
    assert said is not None and f"offers no login by PLAIN, LOGIN, CRAM-MD5 ({what}" in said


def test_a_wrong_password_keeps_what_the_relay_said_and_says_what_to_check(start: Through) -> None:
    with Relay(login=("anne", "s3cret")) as relay:
        said = sent(start(relay, username="anne", password="ä"))
    assert said is not None and said.endswith("535 5.7.8 wrong user or password: check username and password in [mail]")


WRONG_SECURITY = [
    ("none", "tls", f"does not start with TLS: {PORTS}"),
    ("starttls", "tls", f"does not start with TLS: {PORTS}"),
    ("tls", "starttls", f"did not answer in time before its greeting: {PORTS}"),
    ("tls", "none", f"did not answer in time before its greeting: {PORTS}"),
    ("none", "starttls", f"offers no STARTTLS: {PORTS}"),
]


@pytest.mark.parametrize(("speaks", "wanted", "advice"), WRONG_SECURITY)
def test_a_security_that_the_port_does_not_speak_is_told_with_those_that_ports_do(
    start: Through, secured: Callable[..., Relay], speaks: str, wanted: str, advice: str
) -> None:
    with secured(security=speaks) as relay:
        world = start(relay, security=wanted)
        assert sent(world) == f"the relay takes no emails: {relay.host}:{relay.port} {advice}"
        assert readiness(world) == [f"deliver is paused: the relay takes no emails: {relay.host}:{relay.port} {advice}"]


@pytest.mark.parametrize(
    ("certificate", "advice"),
    [
        (Certificate.OTHER_HOST, "; set host in [mail] to a name in that certificate"),
        (Certificate.UNKNOWN_CA, "SSL_CERT_FILE"),
    ],
)
def test_a_bad_certificate_is_told_with_what_mends_it(
    start: Through, secured: Callable[..., Relay], certificate: Certificate, advice: str
) -> None:
    with secured(security="tls", certificate=certificate) as relay:
        said = sent(start(relay, security="tls"))
    assert said is not None and "certificate is not valid" in said and advice in said


@pytest.mark.parametrize(
    ("act", "advice"),
    [("421 4.7.0 greylisted, try later", "421 4.7.0 greylisted, try later"),
     (DROP, f"hung up before its greeting: {PORTS}"),
     (HANG, f"did not answer in time before its greeting: {PORTS}")],
)  # fmt: skip
def test_a_relay_that_does_not_greet_is_told(start: Through, act: str, advice: str) -> None:
    with Relay() as relay:
        relay.behave("connect", act)
        said = sent(start(relay))
    assert said is not None and said.endswith(advice)


def test_a_closed_port_and_an_unknown_name_are_told(start: Through, monkeypatch: pytest.MonkeyPatch) -> None:
    with Relay() as relay:
        closed, unknown = start(relay, port=kept_port()), start(relay, host="relay.invalid")
        said = str(sent(closed))
        assert "nothing listens on 127.0.0.1:" in said and PORTS in said
        closed.clock.forward(minutes=5)
        unknown.deliver()
    assert 'the name "relay.invalid" cannot be looked up: check host in [mail]' in str(pause()[1])


def test_the_command_that_tries_the_relay_says_the_same(start: Through) -> None:
    with Relay() as relay:
        done = start(relay, security="tls").app.test_cli_runner().invoke(args=["mail", "test", ANNE])
    assert done.exit_code == 1 and PORTS in done.output
