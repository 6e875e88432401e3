"""What happens to people while their mail is set aside: they ask again, are erased, their time ends."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from subscriptions.actions import erase, suppress
from subscriptions.domain.refusals import Refusal
from subscriptions.store.engine import transaction
from subscriptions.store.models import Owed
from tests.builders import OFFERS, Movable, World, owed, through
from tests.support.relay import Relay
from tests.test_relay_faults import pause
from tests.test_set_aside import DENIED, LATE, PEOPLE, given_up, recover, refuse, sign_up, times, told

ANNE = PEOPLE[0]


@pytest.fixture
def relay() -> Iterator[Relay]:
    with Relay() as relay:
        yield relay


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock) as world:
        yield world


@pytest.fixture
def other(world: World, relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    """Another process, on the same database."""
    with through(relay, make_app, clock) as other:
        yield other


def to(relay: Relay, who: str) -> int:
    return [mail.recipients[0] for mail in relay.mails].count(who)


def run_twice(world: World) -> None:
    for _ in range(2):
        world.deliver()


def test_who_signs_up_again_while_her_mail_is_set_aside_gets_one(world: World, relay: Relay) -> None:
    refuse(world, relay, *PEOPLE)
    sign_up(world, ANNE)
    assert times(world)[ANNE] == 1
    recover(world, relay)
    run_twice(world)
    assert (to(relay, ANNE), times(world)[ANNE], len(relay.mails), owed()) == (1, 1, 5, [])
    assert [details["superseded"] for details in given_up(world)] == [True]


def test_a_second_mail_about_another_list_waits_for_the_budget(world: World, relay: Relay) -> None:
    refuse(world, relay, *PEOPLE)
    world.sign_up(ANNE, OFFERS)
    recover(world, relay)
    run_twice(world)
    assert (to(relay, ANNE), times(world)[ANNE]) == (1, 2)
    world.clock.forward(minutes=15)
    world.deliver()
    assert (to(relay, ANNE), owed()) == (2, [])


def test_the_budget_is_given_back_once(world: World, relay: Relay) -> None:
    refuse(world, relay, *PEOPLE)
    sign_up(world, ANNE)
    for _ in range(8):
        world.clock.forward(minutes=5)
        world.deliver()
    assert times(world) == dict.fromkeys(PEOPLE, 0)
    recover(world, relay)
    run_twice(world)
    assert times(world) == dict.fromkeys(PEOPLE, 1)


def test_a_mail_whose_time_ends_while_it_is_set_aside_is_dropped_and_said(world: World, relay: Relay) -> None:
    refuse(world, relay, *PEOPLE)
    world.clock.forward(hours=24)
    run_twice(world)
    assert (owed(), told(world), pause(), set(times(world).values())) == (
        [], ["mail given up"] * 5, (False, None), {0},
    )  # fmt: skip
    assert given_up(world)[0] == {
        "mail": "confirm", "reply": f"RCPT TO: {DENIED}", "set_aside": True, "refused_at": "2026-11-23T12:00:00+00:00",
    }  # fmt: skip
    said = world.app.test_cli_runner().invoke(args=["explain", ANNE]).output
    assert (
        "It had been set aside, because the mail server refused every email; its time was over before "
        "the mail server took any" in said
    )


def test_who_is_erased_or_suppressed_meanwhile_gets_no_mail(world: World, relay: Relay) -> None:
    refuse(world, relay, *PEOPLE)
    policy, key = world.parts.policy, world.parts.links.key
    suppress.suppress(key(PEOPLE[1]), "all", "by hand", world.clock.now(), policy, "command line")
    assert erase.ask(key(ANNE), world.clock.now(), policy, "command line") is not None
    for _ in range(13):
        world.clock.forward(minutes=5)
        world.run("deliver")
    assert not [row for row in world.registrations() if row.key == key(ANNE)]
    recover(world, relay)
    run_twice(world)
    assert (sorted(mail.recipients[0] for mail in relay.mails), owed()) == (sorted(PEOPLE[2:]), [])


def test_a_process_that_starts_in_the_pause_tries_one_mail_at_once(world: World, other: World, relay: Relay) -> None:
    refuse(world, relay, *PEOPLE)
    sign_up(world, LATE)
    relay.forget()
    other.deliver()
    assert sum(line.startswith("RCPT") for line in relay.commands) == 1
    assert {one.refusal for one in owed()} == {Refusal.ASIDE}
    relay.accept()
    world.clock.forward(minutes=1)
    other.deliver()
    assert (len(relay.mails), pause()) == (6, (False, None))


def test_refusals_of_several_processes_are_counted_together(world: World, other: World, relay: Relay) -> None:
    relay.behave("rcpt", DENIED)
    for n, person in enumerate(PEOPLE):
        sign_up(world, person)
        (world, other)[n % 2].deliver()
    assert (pause()[0], [one.refusal for one in owed()]) == (True, [Refusal.ASIDE] * 5)


def test_a_mail_that_another_process_got_through_ends_the_pause(world: World, other: World, relay: Relay) -> None:
    other.deliver()
    refuse(world, relay, *PEOPLE)
    relay.accept()
    sign_up(world, LATE)
    other.parts.sender.hold.is_paused = lambda: False  # type: ignore[method-assign]  # it was in its sweep already
    other.deliver()
    world.deliver()
    assert (len(relay.mails), pause()) == (6, (False, None))


def test_many_lines_at_once_lose_no_mail(world: World, relay: Relay) -> None:
    people = [f"reader{n}@{n % 7}.example" for n in range(60)]
    world.parts.sender.connections = 8
    relay.behave("rcpt", DENIED)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(world.sign_up, people))
    world.deliver()
    assert sum(line.startswith("RCPT") for line in relay.commands) < 20
    recover(world, relay)
    assert sorted(mail.recipients[0] for mail in relay.mails) == sorted(people)


def test_a_relay_that_greylists_in_the_pause_is_tried_no_oftener(world: World, relay: Relay) -> None:
    refuse(world, relay, *PEOPLE)
    relay.accept()
    relay.behave("rcpt", "451 4.7.1 greylisted")
    for _ in range(3):
        relay.forget()
        world.clock.forward(seconds=11)
        world.deliver()
    assert [line for line in relay.commands if line.startswith("RCPT")] == []
    recover(world, relay)
    assert len(relay.mails) == 5


def test_what_another_process_has_on_a_line_is_left_to_it_and_leaves_once(world: World, relay: Relay) -> None:
    refuse(world, relay, *PEOPLE)
    mine = sa.update(Owed).where(Owed.mid == owed()[4].mid)
    with transaction() as session:
        session.execute(mine.values(taken_by="another", due_at=world.clock.now() + timedelta(minutes=1)))
    recover(world, relay, 5)
    assert (len(relay.mails), pause()) == (4, (False, None))
    for _ in range(2):
        world.clock.forward(seconds=56)
        run_twice(world)
    assert (sorted(mail.recipients[0] for mail in relay.mails), owed()) == (sorted(PEOPLE), [])
    assert times(world) == dict.fromkeys(PEOPLE, 1)


def test_a_success_of_another_process_in_between_begins_the_count_anew(
    world: World, other: World, relay: Relay
) -> None:
    other.deliver()  # from now on it knows of no refusal
    refuse(world, relay, *PEOPLE[:4])
    relay.accept()
    sign_up(world, LATE)
    other.deliver()
    refuse(world, relay, PEOPLE[4])
    assert (pause(), len(relay.mails)) == ((False, None), 1)
