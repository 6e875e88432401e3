"""Whoever signs up many addresses that do not exist pauses the queue for seconds, and not for others."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from subscriptions.domain.refusals import speaks_of_recipient
from tests.builders import Movable, World, through
from tests.support.cases import each
from tests.support.relay import Relay
from tests.test_relay_faults import pause
from tests.test_set_aside import DENIED, LATE, PEOPLE, refuse, sign_up

NOBODY = "550 5.1.1 no such user"
MORE = [f"another{n}@{domain}.example" for n, domain in enumerate("abcabcab")]


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock) as world:
        yield world


def tried(world: World, relay: Relay, seconds: float) -> list[str]:
    """Who is tried after that time, and nobody a tenth of a second earlier."""
    relay.forget()
    world.clock.forward(seconds=seconds - 0.1)
    world.deliver()
    assert _asked(relay) == []
    world.clock.forward(seconds=0.1)
    world.deliver()
    return _asked(relay)


def _asked(relay: Relay) -> list[str]:
    return [line.partition("<")[2].strip(">") for line in relay.commands if line.startswith("RCPT")]


RECIPIENTS = ("550 5.1.1", "RCPT TO: 553-5.1.2 x", "550 5.1.3 x", "550 5.1.6 x", "550 5.1.10 x", "552 5.2.2 full",
              "end of data: 554 5.2.0 x", "556 x", "556 5.7.1 x")  # fmt: skip
RELAYS = ("554 5.7.1 x", "550 5.1.4 x", "550 5.1.8 x", "550 5.1.11 x", "550 5.5.2 x", "550 no such user", "550", "",
          "x", "554 5.6.0 <a@b> 5.1.1", "5.1.1")  # fmt: skip


@each(("reply", "speaks"), [*((one, True) for one in RECIPIENTS), *((one, False) for one in RELAYS)])
def test_by_its_status_a_refusal_speaks_of_its_recipient_or_of_the_relay(reply: str, speaks: bool) -> None:
    assert speaks_of_recipient(reply) is speaks


def test_in_the_pause_a_mail_to_a_domain_of_which_none_was_refused_goes_first(world: World, relay: Relay) -> None:
    refuse(world, relay, *PEOPLE, act=NOBODY)
    sign_up(world, *MORE, LATE)
    relay.accept()
    assert tried(world, relay, 5)[0] == LATE
    assert pause() == (False, None) and relay.mails[0].recipients == (LATE,)


def test_a_refusal_of_a_recipient_does_not_lengthen_the_wait(world: World, relay: Relay) -> None:
    refuse(world, relay, *PEOPLE, act=NOBODY)
    sign_up(world, *MORE)
    assert [tried(world, relay, 5) for _ in MORE] == [[one] for one in MORE]


def test_a_refusal_of_everybody_lengthens_it_and_one_of_a_recipient_leaves_it(world: World, relay: Relay) -> None:
    refuse(world, relay, *PEOPLE, act=NOBODY)
    sign_up(world, *MORE)
    relay.accept()
    relay.behave("rcpt", DENIED)
    assert [tried(world, relay, seconds) for seconds in (5, 10, 20)] == [[one] for one in MORE[:3]]
    relay.accept()
    relay.behave("rcpt", NOBODY)
    assert [tried(world, relay, seconds) for seconds in (40, 40)] == [[one] for one in MORE[3:5]]


def test_a_new_process_in_such_a_pause_waits_no_longer(
    world: World, relay: Relay, make_app: Callable[..., Flask], clock: Movable
) -> None:
    refuse(world, relay, *PEOPLE, act=NOBODY)
    sign_up(world, *MORE)
    with through(relay, make_app, clock) as other:
        other.deliver()
        assert [tried(other, relay, 5) for _ in range(2)] == [[MORE[1]], [MORE[2]]]
