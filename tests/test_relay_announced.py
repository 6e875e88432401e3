"""The envelope of the next mail goes out with the end of this one (RFC 2920): what that must never cause."""

import smtplib
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from flask import Flask

from subscriptions.mail.lines import Line, OutMessage
from subscriptions.mail.smtp import GiveUp, Later
from tests.builders import ANNE, BART, CRIS, Movable, World, through
from tests.support.relay import DROP, Relay


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock) as world:
        yield world


@pytest.fixture
def line(world: World) -> Iterator[Line]:
    line = world.parts.sender.new_line()
    yield line
    line.close()


def messages(world: World, *addresses: str) -> list[OutMessage]:
    """One for each, the next announced by the one before."""
    made = [world.parts.sender.composer.test_mail(one, f"mid-{one}", world.clock.now()) for one in addresses]
    for one, following in pairwise(made):
        one.following = following
    return made


def recipients(relay: Relay) -> list[str]:
    return [mail.recipients[0] for mail in relay.mails]


def test_announced_mails_leave_in_their_order_each_to_its_own_recipient(world: World, relay: Relay, line: Line) -> None:
    for message in messages(world, ANNE, BART, CRIS):
        line.send(message)
        assert message.reply.startswith("250")
    assert recipients(relay) == [ANNE, BART, CRIS] and relay.connections == 1
    assert [str(mail.message["To"]) for mail in relay.mails] == [ANNE, BART, CRIS]


def test_the_envelope_of_the_next_is_there_before_its_data(world: World, relay: Relay, line: Line) -> None:
    line.send(messages(world, ANNE, BART)[0])
    relay.wait_until(lambda: relay.commands[-1] == "DATA" and f"RCPT TO:<{BART}>" in relay.commands)
    assert recipients(relay) == [ANNE]


def test_one_that_was_announced_and_may_leave_no_more_gets_nothing_and_stops_nobody(
    world: World, relay: Relay, line: Line
) -> None:
    anne, _, cris = messages(world, ANNE, BART, CRIS)
    line.send(anne)
    line.send(cris)
    assert recipients(relay) == [ANNE, CRIS]


def test_a_line_that_is_closed_after_an_announcement_leaves_no_mail_behind(
    world: World, relay: Relay, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay waits for data: it would take a farewell for that, and the line would wait for its answer."""
    monkeypatch.setattr(smtplib.SMTP, "quit", lambda _: pytest.fail("said goodbye amid a mail"))
    line.send(messages(world, ANNE, BART)[0])
    line.close()
    relay.wait_until(lambda: relay.open_connections == 0)
    assert recipients(relay) == [ANNE]


def test_what_the_relay_says_to_an_announced_recipient_counts_against_that_mail_alone(
    world: World, relay: Relay, line: Line
) -> None:
    relay.behave("rcpt", "550 5.1.1 unknown", match=BART)
    anne, bart, cris = messages(world, ANNE, BART, CRIS)
    line.send(anne)
    with pytest.raises(GiveUp):
        line.send(bart)
    line.send(cris)
    assert recipients(relay) == [ANNE, CRIS]


def test_a_refusal_at_the_end_of_a_mail_leaves_the_announced_one_as_it_is(
    world: World, relay: Relay, line: Line
) -> None:
    relay.behave("end", "452 4.2.2 full", times=1)
    anne, bart = messages(world, ANNE, BART)
    with pytest.raises(Later):
        line.send(anne)
    line.send(bart)
    assert recipients(relay) == [BART]


def test_a_line_that_breaks_after_an_announcement_is_opened_anew_for_the_announced_mail(
    world: World, relay: Relay, line: Line
) -> None:
    relay.behave("end", DROP, times=1, keep=True)
    anne, bart = messages(world, ANNE, BART)
    with pytest.raises(Later):
        line.send(anne)
    line.send(bart)
    assert recipients(relay) == [ANNE, BART] and relay.connections == 2


def test_nothing_is_announced_to_a_relay_that_does_not_offer_it(world: World, relay: Relay, line: Line) -> None:
    relay.offers.pipelining = False
    anne, bart = messages(world, ANNE, BART)
    line.send(anne)
    assert f"RCPT TO:<{BART}>" not in relay.commands
    line.send(bart)
    assert recipients(relay) == [ANNE, BART]
