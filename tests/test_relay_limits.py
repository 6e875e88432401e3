"""Relays that take only so many lines at once, or so many mails over one: the lines that stand go on."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask

from subscriptions.mail.lines import Lines
from tests.builders import ANNE, BART, Movable, World, owed, through
from tests.conftest import ManualClock
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.support.faults import Stage
from tests.support.relay import DROP, HANG, RESET, Relay
from tests.test_relay_lines import LINES, PEOPLE, delivering, pause_until, recipients, sign_up

pytestmark = BY_DAY_ON_SQLITE

TAKEN = 3  # lines that the relay takes at once
REFUSALS: list[tuple[Stage, str]] = [
    ("connect", "421 4.7.0 too many connections"), ("connect", HANG), ("connect", DROP), ("connect", RESET),
    ("ehlo", "421 4.7.0 too many connections"), ("ehlo", DROP), ("ehlo", RESET),
    ("starttls", "454 4.7.0 busy"), ("auth", "421 4.7.0 too many connections"), ("auth", "454 4.7.0 too many logins"),
    ("mail", "421 4.7.0 too many connections"),
]  # fmt: skip


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    with Relay(security="starttls", login=("anne", "s3cret")) as relay:
        monkeypatch.setenv("SSL_CERT_FILE", str(relay.ca_file))
        yield relay


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    account = {"security": "starttls", "username": "anne", "password": "s3cret"}
    with through(relay, make_app, clock, connections=LINES, **account) as world:
        yield world
        relay.gate.open()


def deliver_over(world: World, relay: Relay, lines: int, refused: Callable[[], bool] = lambda: True) -> int:
    """The relay answers nobody until it has as many mails in hand, and has refused what it refuses."""
    relay.gate.hold(len(PEOPLE))
    relay.gate.most = 0
    with delivering(world) as sent:
        relay.wait_until(lambda: relay.gate.in_hand == lines and refused())
        relay.gate.open()
        return sent.result()


@pytest.mark.parametrize(("stage", "act"), REFUSALS)
def test_the_lines_that_it_takes_send_all_that_there_is(world: World, relay: Relay, stage: Stage, act: str) -> None:
    relay.behave(stage, act, beyond=TAKEN)
    sign_up(world, PEOPLE)
    assert deliver_over(world, relay, TAKEN, lambda: relay.played(stage) > 0) == len(PEOPLE)
    assert (recipients(relay), relay.gate.most) == (sorted(PEOPLE), TAKEN)
    assert pause_until(world) is None


def test_who_is_connected_goes_on_where_the_port_is_shut(world: World, relay: Relay) -> None:
    sign_up(world, PEOPLE[:TAKEN])
    assert deliver_over(world, relay, TAKEN) == TAKEN
    relay.shut()
    sign_up(world, PEOPLE[TAKEN:])
    assert deliver_over(world, relay, TAKEN) == len(PEOPLE) - TAKEN
    assert recipients(relay) == sorted(PEOPLE)
    assert pause_until(world) is None


def test_the_number_is_remembered_and_one_more_is_tried_after_five_minutes(world: World, relay: Relay) -> None:
    def refused_for(people: str, *, lines: int = TAKEN, more: int = 0) -> int:
        """How many lines were refused until these mails had left."""
        before = relay.played("connect")
        sign_up(world, [f"{people}{one}" for one in PEOPLE])
        deliver_over(world, relay, lines, lambda: relay.played("connect") >= before + more)
        assert world.deliver() == 0
        return relay.played("connect") - before

    relay.behave("connect", "421 4.7.0 too many connections", beyond=TAKEN)
    assert refused_for("first-", more=1) > 0
    assert refused_for("at-once-") == 0
    later(world, relay, minutes=5)
    assert refused_for("later-", more=1) == 1
    assert refused_for("at-once-again-") == 0
    relay.accept()
    later(world, relay, minutes=5)
    assert refused_for("when-it-takes-all-", lines=TAKEN + 1) == 0
    assert recipients(relay) == sorted({to for to in recipients(relay)})


def later(world: World, relay: Relay, **by: float) -> None:
    """The lines are closed meanwhile, since nobody uses them."""
    world.clock.forward(**by)
    world.deliver()
    relay.wait_until(lambda: relay.open_connections == 0)


def test_where_it_takes_no_line_at_all_the_queue_pauses_and_the_limit_is_none(world: World, relay: Relay) -> None:
    relay.behave("connect", "421 4.3.2 not now")
    sign_up(world, PEOPLE)
    assert world.deliver() == 0
    assert [(one.tries, one.taken_by) for one in owed()] == [(0, None)] * len(PEOPLE)
    assert pause_until(world) == timedelta(seconds=5)
    relay.accept()
    world.clock.forward(seconds=5)
    assert deliver_over(world, relay, LINES) == len(PEOPLE)


def test_kept_lines_that_have_all_ended_pause_the_queue_and_cost_no_mail(world: World, relay: Relay) -> None:
    sign_up(world, PEOPLE[:TAKEN])
    deliver_over(world, relay, TAKEN)
    relay.stop()
    sign_up(world, PEOPLE[TAKEN:])
    assert world.deliver() == 0
    assert [(one.tries, one.taken_by) for one in owed()] == [(0, None)] * (len(PEOPLE) - TAKEN)
    assert pause_until(world) == timedelta(seconds=5)


def test_a_relay_that_takes_few_mails_over_a_line_gets_the_others_over_new_ones(
    make_app: Callable[..., Flask], clock: Movable
) -> None:
    with Relay() as relay, through(relay, make_app, clock, connections=1) as world:
        relay.offers.mails_a_line = 4
        sign_up(world, PEOPLE)
        assert world.deliver() == len(PEOPLE)
        assert recipients(relay) == sorted(PEOPLE)
        assert relay.connections == -(-len(PEOPLE) // 4)
        assert pause_until(world) is None


def test_a_line_that_nobody_uses_is_closed_with_a_farewell_after_half_a_minute(world: World, relay: Relay) -> None:
    sign_up(world, [ANNE, BART])
    deliver_over(world, relay, 2)
    world.clock.forward(seconds=29)
    world.deliver()
    assert relay.open_connections == 2
    world.clock.forward(seconds=1)
    world.deliver()
    relay.wait_until(lambda: relay.open_connections == 0)
    assert relay.commands.count("quit") == 2


class Opening:
    """A line that is being opened."""

    is_open = False

    def send(self, *_: object) -> None: ...
    def close(self) -> None: ...
    def cut(self) -> None: ...


def test_a_line_that_is_still_being_opened_counts_as_one_that_the_relay_takes(clock: ManualClock) -> None:
    """Else a relay of one line, whose second is refused before the first has logged in, would rest for nothing."""
    pool = Lines(Opening, clock)
    first, second = pool.get(), pool.get()
    pool.keep(second)
    assert pool.limit_to_these()
    assert pool.room(LINES) == 1
    pool.keep(first)
    assert not pool.limit_to_these()
    assert pool.room(LINES) == LINES
