"""A relay that takes one list's sender and not another's: only the mails of that list wait."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from tests.builders import ANNE, BART, CRIS, HIDDEN, NEWS, OFFERS, Movable, World, owed, through
from tests.controllers import CLUB, OURS, SOCIETY, TWO_CONTROLLERS
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.support.faults import Stage
from tests.support.relay import Relay
from tests.test_relay_faults import pause

pytestmark = BY_DAY_ON_SQLITE
NOT_OURS = "550 5.7.1 sender refused"


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock, lists=TWO_CONTROLLERS) as world:
        yield world


def test_the_envelope_carries_the_sender_of_the_list(world: World, relay: Relay) -> None:
    for address, slug in ((ANNE, NEWS), (BART, OFFERS), (CRIS, HIDDEN)):
        world.sign_up(address, slug)
    assert world.deliver() == 3
    assert [mail.sender for mail in relay.mails] == [SOCIETY, CLUB, OURS]


def test_bounces_of_all_lists_go_where_the_configuration_says(
    relay: Relay, make_app: Callable[..., Flask], clock: Movable
) -> None:
    with through(relay, make_app, clock, lists=TWO_CONTROLLERS, envelope_sender="bounces@example.org") as world:
        world.sign_up(ANNE, NEWS)
        world.deliver()
    assert [mail.sender for mail in relay.mails] == ["bounces@example.org"]


@pytest.mark.parametrize(
    ("stage", "says"),
    [("mail", NOT_OURS), ("mail", "451 4.3.0 not now"),
     ("rcpt", f"553 5.7.1 <{SOCIETY}>: Sender address rejected: not owned by user"), ("end", "550 5.1.8 Bad sender")],
)  # fmt: skip
def test_a_sender_that_the_relay_refuses_stops_its_own_mails_alone(
    world: World, relay: Relay, stage: Stage, says: str
) -> None:
    match = SOCIETY if stage == "mail" else ANNE
    relay.behave(stage, says, match=match)
    world.sign_up(ANNE, NEWS)
    world.sign_up(BART, OFFERS)
    assert world.deliver() == 1 and [mail.sender for mail in relay.mails] == [CLUB]
    assert not pause()[0] and [one.tries for one in owed()] == [1]
    relay.accept()
    world.clock.forward(seconds=66)
    assert world.deliver() == 1 and not owed()
    assert relay.mails[-1].sender == SOCIETY


def test_a_relay_that_refuses_every_sender_pauses_the_queue(world: World, relay: Relay) -> None:
    relay.behave("mail", NOT_OURS)
    for address, slug in ((ANNE, NEWS), (BART, OFFERS), (CRIS, HIDDEN)):
        world.sign_up(address, slug)
    assert world.deliver() == 0
    assert pause() == (True, f"the relay takes no emails: MAIL FROM: {NOT_OURS}")
    relay.accept()
    world.clock.forward(seconds=66)
    assert world.deliver() == 3


@pytest.mark.parametrize("blamed", ["550 5.1.1 no such user", f"550 5.7.1 {ANNE}: no mail from {SOCIETY} for {ANNE}"])
def test_what_a_recipient_refuses_is_given_up_as_ever(world: World, relay: Relay, blamed: str) -> None:
    relay.behave("rcpt", blamed, times=1, match=ANNE)
    world.sign_up(ANNE, NEWS)
    world.sign_up(BART, OFFERS)
    assert world.deliver() == 1 and not owed()
