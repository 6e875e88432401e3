"""A relay that refuses everybody loses no sign-up: the queue pauses, and the mails are set aside (issue 9, line 18)."""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from subscriptions.domain.refusals import Refusal
from subscriptions.store.engine import reading
from subscriptions.store.models import Address
from tests.builders import Movable, World, owed, through
from tests.support.faults import Stage
from tests.support.relay import Relay
from tests.test_relay_faults import pause, readiness

DENIED = "554 5.7.1 Relay access denied"
PEOPLE = [f"reader{n}@{domain}" for n, domain in enumerate("a.example b.example c.example a.example b.example".split())]
LATE = "late@d.example"


@pytest.fixture
def relay() -> Iterator[Relay]:
    with Relay() as relay:
        yield relay


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock) as world:
        yield world


def sign_up(world: World, *people: str) -> None:
    for person in people:
        world.sign_up(person)


def refuse(world: World, relay: Relay, *people: str, stage: Stage = "rcpt", act: str = DENIED) -> None:
    """These sign up, and the relay refuses each."""
    relay.behave(stage, act)
    for person in people:
        world.sign_up(person)
        world.deliver()


def told(world: World) -> list[str]:
    return [row.fact for row in world.evidence() if row.fact != "registered"]


def times(world: World) -> dict[str, int]:
    """How many mails count in the budget of each."""
    keys = {world.parts.links.key(person): person for person in (*PEOPLE, LATE)}
    with reading() as session:
        return {
            keys[row.key]: len([*filter(None, row.mails.split(","))]) for row in session.scalars(sa.select(Address))
        }


@pytest.mark.parametrize("stage", ["rcpt", "data", "end"])
def test_five_refusals_at_three_domains_pause_the_queue_and_no_mail_is_lost(
    world: World, relay: Relay, stage: Stage
) -> None:
    refuse(world, relay, *PEOPLE, stage=stage)
    assert [one.refusal for one in owed()] == [Refusal.ASIDE] * 5
    assert (told(world), set(times(world).values())) == ([], {0})
    relay.accept()
    world.clock.forward(seconds=5)
    world.deliver()
    assert sorted(mail.recipients[0] for mail in relay.mails) == sorted(PEOPLE)
    assert (told(world), set(times(world).values()), pause()) == (["mailed"] * 5, {1}, (False, None))


def recover(world: World, relay: Relay, seconds: float = 300) -> None:
    relay.accept()
    world.clock.forward(seconds=seconds)
    world.deliver()


def given_up(world: World) -> list[dict[str, object]]:
    return [row.details for row in world.evidence() if row.fact == "mail given up"]


BELOW = {
    "four refusals": PEOPLE[:4],
    "two domains": [f"reader{n}@{domain}.example" for n, domain in enumerate("aabbabab")],
    "one mailbox that is asked for again": [PEOPLE[0], *PEOPLE[:4]],
}


@pytest.mark.parametrize("people", BELOW.values(), ids=BELOW)
def test_fewer_refusals_are_the_mails_own_and_count(world: World, relay: Relay, people: list[str]) -> None:
    refuse(world, relay, *people)
    assert (pause(), told(world)) == ((False, None), [])
    relay.accept()
    sign_up(world, LATE)
    world.deliver()
    number = len(set(people))
    assert (told(world).count("mail given up"), told(world).count("mailed"), owed()) == (number, 1, [])
    assert world.count(Address, Address.mails == "") == 0


def test_a_success_in_between_begins_the_count_anew(world: World, relay: Relay) -> None:
    refuse(world, relay, *PEOPLE[:4])
    relay.accept()
    sign_up(world, LATE)
    world.deliver()
    refuse(world, relay, PEOPLE[4], "one@d.example", "two@e.example", "three@f.example")
    assert (pause()[0], told(world).count("mail given up")) == (False, 4)
    refuse(world, relay, "four@g.example")
    assert (pause()[0], told(world).count("mail given up")) == (True, 4)


def test_refusals_of_more_than_an_hour_are_none_of_everybody(world: World, relay: Relay) -> None:
    refuse(world, relay, PEOPLE[0])
    world.clock.forward(hours=1)
    refuse(world, relay, *PEOPLE[1:])
    assert pause() == (False, None)
    assert [details["refused_at"] for details in given_up(world)] == ["2026-11-23T12:00:00+00:00"]


def test_what_is_wrong_for_a_while_is_no_refusal(world: World, relay: Relay) -> None:
    refuse(world, relay, *PEOPLE, act="451 4.7.1 greylisted")
    assert (pause(), {one.refusal for one in owed()}) == ((False, None), {None})


def test_one_mail_is_tried_at_a_time_the_new_ones_first(world: World, relay: Relay) -> None:
    refuse(world, relay, *PEOPLE)
    sign_up(world, LATE, "later@e.example")
    tried = []
    for seconds in (5, 10, 20, 40, 80, 160, 300, 300):
        relay.forget()
        world.deliver()
        assert relay.commands == []
        world.clock.forward(seconds=seconds)
        world.deliver()
        tried += [line.partition("<")[2].strip(">") for line in relay.commands if line.startswith("RCPT")]
    assert tried == [LATE, "later@e.example", *PEOPLE, LATE]


def test_a_second_refusal_is_its_own_and_counts(world: World, relay: Relay) -> None:
    refuse(world, relay, *PEOPLE)
    relay.accept()
    relay.behave("rcpt", "550 5.1.1 no such user", match=PEOPLE[2])
    world.clock.forward(seconds=5)
    world.deliver()
    assert sorted(told(world)) == ["mail given up", *["mailed"] * 4]
    assert (given_up(world), set(times(world).values())) == (
        [{"mail": "confirm", "reply": "RCPT TO: 550 5.1.1 no such user"}], {1},
    )  # fmt: skip


def test_a_bad_mailbox_that_is_tried_first_does_not_hold_the_pause(world: World, relay: Relay) -> None:
    refuse(world, relay, *PEOPLE)
    relay.accept()
    relay.behave("rcpt", "550 5.1.1 no such user", match=PEOPLE[0])
    for _ in range(2):
        world.clock.forward(minutes=5)
        world.deliver()
    assert (len(relay.mails), pause()) == (4, (False, None))


def test_one_line_of_the_log_says_that_it_pauses_and_one_that_it_runs_again(
    world: World, relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    refuse(world, relay, *PEOPLE, LATE)
    recover(world, relay)
    said = [record.getMessage() for record in caplog.records if "queue" in record.getMessage()]
    assert said == ["the mail queue is paused", "the mail queue is running again"]


def test_readiness_metrics_and_commands_say_that_it_pauses(world: World, relay: Relay) -> None:
    refuse(world, relay, *PEOPLE, LATE)
    world.clock.forward(minutes=5)
    world.deliver()
    why = f'the relay refuses everybody: it said "RCPT TO: {DENIED}"; its emails are set aside until it takes one'
    assert [one for one in readiness(world) if "is paused" in one] == [f"deliver is paused: {why}"]
    assert world.get("/readyz").status_code == 503
    numbers = world.get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).get_data(as_text=True)
    assert "yestwice_outbox_set_aside 6.0" in numbers and "yestwice_queue_paused 1.0" in numbers
    run = world.app.test_cli_runner().invoke
    assert "is set aside because the mail server refuses every email" in run(args=["explain", PEOPLE[0]]).output
    assert f"paused: {why}" in run(args=["jobs", "show"]).output
    recover(world, relay)
    assert not any("is paused" in one for one in readiness(world))


def test_a_sender_that_is_refused_for_one_kind_of_address_stops_nobody_else(world: World, relay: Relay) -> None:
    relay.behave("mail", "553 5.6.7 no such letters", match="SMTPUTF8")
    sign_up(world, "jörg@a.example", PEOPLE[0])
    world.deliver()
    assert ([mail.recipients for mail in relay.mails], pause()) == ([(PEOPLE[0],)], (False, None))
    assert told(world).count("mail given up") == 1
