"""What the relay gets when all goes well: envelopes, kept lines, secured lines, addresses of every alphabet."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from tests.builders import ANNE, BART, Movable, World, owed, through
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.support.relay import Certificate, Relay

pytestmark = BY_DAY_ON_SQLITE

LOGIN = ("anne", "s3cret")


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock) as world:
        yield world


def send_one(world: World, relay: Relay, address: str = ANNE) -> list[str]:
    """Sign up and deliver; the recipients of every mail so far."""
    world.sign_up(address)
    world.deliver()
    return [to for mail in relay.mails for to in mail.recipients]


def test_a_sign_up_becomes_one_mail_to_one_recipient(world: World, relay: Relay) -> None:
    assert send_one(world, relay) == [ANNE]
    assert not owed()


def test_the_envelope_carries_the_address_of_the_sender_alone(world: World, relay: Relay) -> None:
    send_one(world, relay)
    assert relay.mails[0].sender == "newsletter@example.org"


@pytest.mark.parametrize(
    ("configured", "on_the_wire"),
    [
        ("bounces@example.org", "bounces@example.org"),
        ("Bounces <bounces@example.org>", "bounces@example.org"),
        ("bounces@bücher.example", "bounces@xn--bcher-kva.example"),
    ],
)
def test_bounces_go_where_the_configuration_says(
    relay: Relay, make_app: Callable[..., Flask], clock: Movable, configured: str, on_the_wire: str
) -> None:
    with through(relay, make_app, clock, envelope_sender=configured) as world:
        send_one(world, relay)
    assert [mail.sender for mail in relay.mails] == [on_the_wire]


def test_a_sender_with_an_international_domain_is_written_as_every_relay_reads_it(
    relay: Relay, make_app: Callable[..., Flask], clock: Movable
) -> None:
    with through(relay, make_app, clock, sender="Bücher <news@bücher.example>") as world:
        send_one(world, relay)
    mail = relay.mails[0].message
    assert mail["From"].addresses[0].addr_spec == "news@xn--bcher-kva.example"
    assert mail["From"].addresses[0].display_name == "Bücher"
    assert mail["Message-ID"].endswith("@xn--bcher-kva.example>")


def test_the_relay_is_greeted_with_the_name_of_the_service(world: World, relay: Relay) -> None:
    send_one(world, relay)
    assert relay.commands[0].lower() == "ehlo 127.0.0.1"


@pytest.mark.parametrize("pipelining", [True, False])
def test_many_mails_share_a_line_and_each_leaves_once(
    make_app: Callable[..., Flask], clock: Movable, pipelining: bool
) -> None:
    people = [f"reader{number}@example.org" for number in range(25)]
    with Relay(pipelining=pipelining) as relay, through(relay, make_app, clock, connections=1) as world:
        for person in people:
            world.sign_up(person)
        assert world.deliver() == 25
        assert sorted(mail.recipients[0] for mail in relay.mails) == sorted(people)
        assert relay.connections == 1


def test_several_lines_send_each_mail_once(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> None:
    with through(relay, make_app, clock, connections=3) as world:
        for number in range(60):
            world.sign_up(f"reader{number}@example.org")
        assert world.deliver() == 60
    assert len({mail.recipients for mail in relay.mails}) == len(relay.mails) == 60
    assert 1 <= relay.connections <= 3


def test_the_line_is_kept_for_the_next_mail(world: World, relay: Relay) -> None:
    send_one(world, relay, ANNE)
    assert send_one(world, relay, BART) == [ANNE, BART]
    assert relay.connections == 1


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_kept_line_that_the_relay_has_closed_costs_no_mail(world: World, relay: Relay, pipelining: bool) -> None:
    relay.offers.pipelining = pipelining
    send_one(world, relay, ANNE)
    relay.stop()
    relay.start()
    assert send_one(world, relay, BART) == [ANNE, BART]
    assert not owed()


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_kept_line_that_the_relay_ends_with_421_costs_no_mail(world: World, relay: Relay, pipelining: bool) -> None:
    relay.offers.pipelining = pipelining
    send_one(world, relay, ANNE)
    relay.behave("mail", "421 4.4.2 idle too long", times=1)
    assert send_one(world, relay, BART) == [ANNE, BART]
    assert relay.connections == 2


def test_the_line_is_closed_with_the_service(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> None:
    with through(relay, make_app, clock) as world:
        send_one(world, relay)
    relay.wait_until(lambda: relay.open_connections == 0)
    assert relay.commands[-1].upper() == "QUIT"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_secured_line_logs_in_where_ssl_cert_file_names_the_authority(
    make_app: Callable[..., Flask], clock: Movable, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    with Relay(security=security, login=LOGIN) as relay:  # type: ignore[arg-type]
        monkeypatch.setenv("SSL_CERT_FILE", str(relay.ca_file))
        with through(relay, make_app, clock, security=security, username=LOGIN[0], password=LOGIN[1]) as world:
            send_one(world, relay)
        assert [(mail.tls, mail.user) for mail in relay.mails] == [(True, "anne")]


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("certificate", [Certificate.OTHER_HOST, Certificate.UNKNOWN_CA])
def test_a_bad_certificate_gets_no_mail_and_loses_none(
    make_app: Callable[..., Flask],
    clock: Movable,
    monkeypatch: pytest.MonkeyPatch,
    security: str,
    certificate: Certificate,
) -> None:
    with Relay(security=security, certificate=certificate) as relay:  # type: ignore[arg-type]
        monkeypatch.setenv("SSL_CERT_FILE", str(relay.ca_file))
        with through(relay, make_app, clock, security=security) as world:
            assert send_one(world, relay) == []
            assert not any(command.startswith("MAIL") for command in relay.commands)
            assert [(one.tries, one.taken_by) for one in owed()] == [(0, None)]
            relay.offers.certificate = Certificate.GOOD
            world.clock.forward(seconds=30)
            world.deliver()
            assert [mail.recipients for mail in relay.mails] == [(ANNE,)]


def test_starttls_that_is_not_offered_is_no_leave_to_send_in_clear(
    relay: Relay, make_app: Callable[..., Flask], clock: Movable
) -> None:
    with through(relay, make_app, clock, security="starttls") as world:
        assert send_one(world, relay) == []
        assert len(owed()) == 1


def test_an_international_domain_needs_nothing_of_the_relay(world: World, relay: Relay) -> None:
    relay.offers.smtputf8 = False
    assert send_one(world, relay, "anne@bücher.example") == ["anne@xn--bcher-kva.example"]
    assert not relay.mails[0].smtputf8


def test_an_international_local_part_goes_by_smtputf8(world: World, relay: Relay) -> None:
    assert send_one(world, relay, "jürgen@bücher.example") == ["jürgen@xn--bcher-kva.example"]
    assert relay.mails[0].smtputf8
    assert "jürgen@xn--bcher-kva.example".encode() in relay.mails[0].raw


def test_without_smtputf8_an_international_local_part_is_given_up_and_the_next_mail_leaves(
    world: World, relay: Relay
) -> None:
    relay.offers.smtputf8 = False
    world.sign_up("jürgen@example.org")
    assert send_one(world, relay, ANNE) == [ANNE]
    given_up = [row for row in world.evidence() if row.fact == "mail given up"]
    assert [row.details["reply"] for row in given_up] == ["cannot deliver: SMTPUTF8 is not offered by the relay"]
    assert not owed()


def test_capitals_of_the_local_part_arrive_as_typed(world: World, relay: Relay) -> None:
    assert send_one(world, relay, "Foo.Bar@EXAMPLE.org") == ["Foo.Bar@example.org"]
