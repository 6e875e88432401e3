"""Several lines to one relay: who takes which mail, and what a refusal, a stop and a death leave behind."""

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask_mail import Message

from subscriptions.mail.settle import OPEN_AT_MOST
from subscriptions.mail.smtp import Pause
from subscriptions.store import jobs
from subscriptions.store.engine import reading
from tests.builders import ANNE, BART, Movable, World, owed, through
from tests.conftest import make_settings
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.support.elsewhere import sender
from tests.support.relay import Relay
from tests.test_outbox_senders import until

pytestmark = BY_DAY_ON_SQLITE

LINES = 10
PATIENCE = 60  # seconds: a line that is held is no timeout
PEOPLE = [f"reader{number}@example.org" for number in range(25)]


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock, connections=LINES, timeout_seconds=PATIENCE) as world:
        yield world
        relay.gate.open()


@contextmanager
def delivering(world: World) -> Iterator[Future[int]]:
    """Meanwhile the sender sends; how many."""

    def deliver() -> int:
        with world.app.app_context():
            return world.deliver()

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(deliver)


def sign_up(world: World, people: list[str]) -> None:
    for person in people:
        world.sign_up(person)


def recipients(relay: Relay) -> list[str]:
    return sorted(to for mail in relay.mails for to in mail.recipients)


def pause_until(world: World) -> timedelta | None:
    with reading() as session:
        job = jobs.find(session, "deliver")
        return job.pause_until - world.clock.now() if job and job.pause_until else None


@pytest.mark.parametrize("mails", [2, LINES, len(PEOPLE)])
def test_all_lines_are_at_work_where_the_relay_is_slow(world: World, relay: Relay, mails: int) -> None:
    """It answers nobody before it has as many mails in hand as there are lines, or mails."""
    relay.gate.hold(min(mails, LINES))
    sign_up(world, PEOPLE[:mails])
    assert world.deliver() == mails
    assert relay.gate.most == relay.connections == min(mails, LINES)
    assert recipients(relay) == sorted(PEOPLE[:mails])


def test_a_single_mail_opens_one_line(world: World, relay: Relay) -> None:
    for person in PEOPLE[:3]:
        world.sign_up(person)
        world.deliver()
    assert relay.connections == 1


def test_a_late_mail_goes_by_an_idle_line_while_another_waits_for_the_relay(world: World, relay: Relay) -> None:
    relay.gate.hold(2)
    sign_up(world, PEOPLE[:2])
    assert world.deliver() == 2
    relay.gate.hold(2)
    world.sign_up(ANNE)
    with delivering(world) as sent:
        relay.wait_until(lambda: relay.gate.in_hand == 1)
        world.sign_up(BART)
        assert world.parts.sender.look_again()
        assert sent.result() == 2
    assert relay.connections == 2


def test_a_refusal_stops_all_lines_counts_against_no_mail_and_is_not_lifted_by_those_on_their_way(
    world: World, relay: Relay
) -> None:
    relay.gate.hold(len(PEOPLE))
    sign_up(world, PEOPLE[:3])
    with delivering(world) as sent:
        relay.wait_until(lambda: relay.gate.in_hand == 3)
        relay.behave("connect", "554 5.7.1 not you")
        sign_up(world, PEOPLE[3:])
        world.parts.sender.look_again()
        until(lambda: pause_until(world) is not None)
        relay.gate.open()
        assert sent.result() == 3
    assert [(one.tries, one.taken_by) for one in owed()] == [(0, None)] * (len(PEOPLE) - 3)
    assert pause_until(world) == timedelta(seconds=5)
    assert recipients(relay) == sorted(PEOPLE[:3])
    relay.accept()
    world.clock.forward(seconds=6)
    world.deliver()
    assert recipients(relay) == sorted(PEOPLE)


@dataclass
class Refused:
    """A line that is refused together with others."""

    together: threading.Barrier
    is_open = False

    def send(self, message: Message, envelope_from: str | tuple[str, str] | None = None) -> None:
        self.together.wait()
        raise Pause("not you")

    def close(self) -> None: ...


def test_lines_that_are_refused_at_once_pause_the_queue_as_one(world: World) -> None:
    together = threading.Barrier(LINES)
    world.parts.sender.new_line = lambda: Refused(together)
    sign_up(world, PEOPLE)
    assert world.deliver() == 0
    assert pause_until(world) == timedelta(seconds=5)
    assert [(one.tries, one.taken_by) for one in owed()] == [(0, None)] * len(PEOPLE)


def test_a_sender_that_stops_ends_the_mails_in_hand_and_gives_the_others_back(world: World, relay: Relay) -> None:
    relay.gate.hold(len(PEOPLE))
    sign_up(world, PEOPLE)
    with delivering(world) as sent:
        relay.wait_until(lambda: relay.gate.in_hand == LINES)
        stopping = threading.Thread(target=world.parts.sender.stop)
        stopping.start()
        world.parts.sender._stopping.wait()
        relay.gate.open()
        assert sent.result() == LINES
        stopping.join()
    assert [(one.taken_by, one.due_at) for one in owed()] == [(None, world.clock.now())] * (len(PEOPLE) - LINES)


def test_a_sender_that_is_killed_with_mails_in_hand_loses_none_and_repeats_those_alone_after_the_lease(
    world: World, relay: Relay, database_url: str, tmp_path: Path
) -> None:
    relay.gate.hold(len(PEOPLE))
    sign_up(world, PEOPLE)
    settings = make_settings(database_url, tmp_path, mail=world.parts.settings.mail)
    process = sender(settings, world.clock.now(), tmp_path)
    relay.wait_until(lambda: relay.gate.in_hand == LINES, PATIENCE)
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE)
    relay.gate.open()
    in_hand = {str(mail.message["Message-ID"]) for mail in relay.wait_for(LINES)}
    assert world.deliver() == 0
    world.clock.forward(seconds=60)
    assert world.deliver() == len(PEOPLE)
    times = Counter(str(mail.message["Message-ID"]) for mail in relay.mails)
    assert {id_ for id_, number in times.items() if number > 1} == in_hand
    assert len(times) == len(PEOPLE) and len(in_hand) <= OPEN_AT_MOST
